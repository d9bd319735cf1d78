"""A value that was saved as JSON, read back; one line of error for whatever is not one."""

from pathlib import Path
from typing import TypeVar

import msgspec

from remediate.model import Audit, Diagnosis, Plan, RemediateError

T = TypeVar("T", Audit, Diagnosis, Plan)

_HINTS = {
    "remediate.audit": "give a file that `remediate audit --save` wrote",
    "remediate.diagnosis": "give a file that `remediate diagnose --format json --out` wrote",
    "remediate.plan": "give the folder that `remediate plan --out` wrote",
}


class _Head(msgspec.Struct):
    format: str = ""
    format_version: int = 0
    tool_version: str = ""


def load(path: Path, kind: type[T]) -> T:
    """The value in that file. Unknown keys are ignored; another format or a newer version is refused."""
    wanted = str(kind.__struct_defaults__[0])
    try:
        data = path.read_bytes()
        head = msgspec.json.decode(data, type=_Head)
        if head.format != wanted:
            raise RemediateError(f"{path}: is a {head.format or 'file of another kind'}; {_HINTS[wanted]}")
        if head.format_version > 1:
            raise RemediateError(f"{path}: was written by a newer remediate ({head.tool_version}); use that one")
        return msgspec.json.decode(data, type=kind)
    except OSError as error:
        raise RemediateError(f"{path}: {error.strerror}; {_HINTS[wanted]}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemediateError(f"{path}: is no {wanted}: {error}; {_HINTS[wanted]}") from error


def format_of(path: Path) -> str:
    """What the file says it is; an empty text where it says nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Head).format
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
