"""Ansible's module payload, as its winrm connection sends it -> the module's text and arguments.

``exec_wrapper``'s JSON, a line of four NULs, and a manifest: plain up to ansible-core 2.21, gzip in base64 from 2.22.
The arguments are ``complex_args`` among the wrapper's variables, or from 2.22 the text ``ArgumentJSON``.
"""

import base64
import binascii
import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

_MARK = b"\n\0\0\0\0\n"
_WRAPPER = "module_wrapper.ps1"


class NotAPayload(ValueError):
    """Not a module payload of an ansible-core that is known here."""


@dataclass(frozen=True)
class Payload:
    """``scripts``: the name's last part -> its bytes: the module, its utilities and Ansible's own."""

    module: str
    scripts: dict[str, bytes]
    arguments: dict[str, Any]


def decode(stdin: bytes) -> Payload:
    """Take a payload apart; NotAPayload for anything else."""
    try:
        _head, mark, body = stdin.partition(_MARK)
        if not mark:
            raise NotAPayload("no wrapper and manifest")
        if not body.lstrip().startswith(b"{"):
            body = gzip.decompress(base64.b64decode(body))
        manifest = json.loads(body)
        action = next(a for a in manifest["actions"] if a["name"] == _WRAPPER)["params"]
        if "ArgumentJSON" in action:
            arguments = json.loads(action["ArgumentJSON"])
        else:
            arguments = next(v["Value"] for v in action["Variables"] if v["Name"] == "complex_args")
        scripts = {name: base64.b64decode(entry["script"]) for name, entry in manifest["scripts"].items()}
        return Payload(action["Script"], scripts, arguments)
    except (ValueError, KeyError, TypeError, StopIteration, OSError, EOFError, zlib.error, binascii.Error) as error:
        raise NotAPayload(f"{type(error).__name__}: {error}") from error
