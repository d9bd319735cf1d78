"""What is printed beside a module's result, or instead of it: the answer is found, the rest is reported."""

import asyncio
import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate_lab.engine import Emit, Server
from tests.conftest import remediate
from tests.environments import Environment
from tests.ssh import ssh_server

INSPECTION = {"format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0"}
RESULT = json.dumps({"changed": False, "inspection": INSPECTION}).encode() + b"\r\n"
LIE = json.dumps({"changed": False, "inspection": INSPECTION | {"machine": "LIAR"}}).encode() + b"\r\n"
# What a host prints -> words of its failure; None where it is inspected.
PRINTED: dict[str, tuple[bytes, tuple[str, ...] | None]] = {
    "plain": (RESULT, None),
    "banner": (b"Welcome {x}\r\n" + RESULT, None),
    "after": (RESULT + b"bye\r\n", None),
    "mark": (b"\xef\xbb\xbf" + RESULT, None),
    "nul": (b"\0" + RESULT + b"\0", None),
    "same-line": (b"Welcome " + RESULT, None),
    "policy": (b"This program is blocked by group policy.\r\n", ("blocked by group policy",)),
    "steering": (b"\x1b]0;owned\x07\x1b[2J no\r\n", ("owned",)),
    "two": (b"x " + LIE + b"x " + RESULT, ("cannot be read",)),
    "nothing": (b"", ("printed nothing",)),
    "no-number": (b'{"module_stdout": "x y z", "module_stderr": 5, "rc": "many"}\r\n', ("cannot be read", "x y z")),
    "warnings": (b'{"warnings": 5, "changed": false, "inspection": {}}\r\n', ()),
    "deep": (b'{"inspection": ' + b"[" * 900 + b"]" * 900 + b"}\r\n", ()),
    "deeper": (b'{"inspection": ' + b"[" * 90_000 + b"]" * 90_000 + b"}\r\n", ()),
    "half": (json.dumps({"failed": True, "msg": "Caf\udce9 \ud800!"}).encode(), ("is not text",)),
    "half-inside": (json.dumps({"inspection": INSPECTION | {"machine": "\ud800"}}).encode(), ("text",)),
    "long-number": (b'{"inspection": {"format_version": ' + b"9" * 10_000 + b"}}\r\n", ()),
}


class Printer:
    """A server that answers whatever it is asked with these bytes."""

    def __init__(self, printed: bytes) -> None:
        self.printed = printed

    async def run(self, _server: Server, _line: str, stdin: asyncio.StreamReader, emit: Emit) -> int:
        await stdin.read()
        emit("stdout", self.printed)
        return 0


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
def test_an_answer_among_other_words(tmp_path: Path, environment: Environment) -> None:
    """On each ansible-core: found where Ansible's own filter finds it, and where only ours does."""
    with ExitStack() as running:
        hosts: dict[str, Any] = {}
        for name, (printed, _) in PRINTED.items():
            server = Server(name, "127.0.0.1", tmp_path)
            hosts[name] = running.enter_context(ssh_server(Printer(printed), server, tmp_path / name))
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"iis": {"hosts": hosts}}))
        done = remediate("audit", "-i", inventory, "--format", "json", bin=environment.bin)
    found = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
    for name, (_, words) in PRINTED.items():
        host = found[name]
        if words is None:
            assert (host["status"], host.get("machine")) == ("inspected", "WEB01"), (name, host)
        else:
            assert host["status"] == "failed" and all(word in host["detail"] for word in words), (name, host)
            assert host["detail"].isprintable() and len(host["detail"]) < 400
    assert found["plain"]["warning"] is None
    # What stands on lines before a module's result, Ansible drops without a word.
    for name, said in (("same-line", "Welcome"), ("after", "bye")):
        assert said in (found[name]["warning"] or ""), found[name]
        assert f"{name}: inspected" in done.stderr and said in done.stderr
    assert "Traceback" not in done.stderr
