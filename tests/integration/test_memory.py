"""One server's answer costs little memory, whatever it is: the peak of the process is measured."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Site

Take = Callable[[str, str], Site]
# What one host's answer may cost, in KiB.
MOST = 100_000_000 // 1024
COMMAND = (Path(sys.prefix) / "bin" / "remediate", "audit", "--format", "json", "-i")


def audit(inventory: Path, *options: str) -> tuple[dict[str, Any], int]:
    """The one host's report, and the peak memory of the process in KiB."""
    command: list[str | Path] = [*COMMAND, inventory, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        report = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    (host,) = json.loads(report)["hosts"]
    return host, used.ru_maxrss


# The peak of an audit of a server as it is without a fault, once measured.
USUAL: dict[str, int] = {}


def costs_little(take: Take, auth: str, said: str, **knobs: str) -> None:
    """With those knobs the host fails in these words, and costs less than it may."""
    site = take("emulated", auth)
    if auth not in USUAL:
        host, USUAL[auth] = audit(site.inventory)
        assert host["status"] == "inspected"
    site.knobs(**knobs)
    # Only what never ends is waited for in vain.
    host, peak = audit(site.inventory, "--timeout", "3" if knobs.get("fault") in NEVER_ENDING else "120")
    assert host["status"] in ("failed", "unreachable") and said in host["detail"], (knobs, str(host)[:600])
    assert peak - USUAL[auth] < MOST, f"{(peak - USUAL[auth]) // 1024} MiB: {knobs}"


# lab.txt's fault -> what is said of it.
BOMBS = {
    "bomb:gzip": "packed answer (Content-Encoding: gzip)",
    "bomb:chunked": "more than 512 KiB in one answer",
    "bomb:stdout": "more than 512 KiB in one answer",
    "bomb:line": "closed the connection",
    "bomb:elements": "does not speak WS-Management",
    "bomb:deep": "does not speak WS-Management",
    "bomb:entities": "does not speak WS-Management",
    "trickle": "did not end in time",
    "endless": "",
}
NEVER_ENDING = ("trickle", "endless")


@pytest.mark.parametrize(
    ("auth", "fault"),
    [*(("basic", fault) for fault in BOMBS), *(("ntlm", f"bomb:{kind}") for kind in ("gzip", "chunked", "stdout"))],
)
def test_an_answer_that_would_fill_the_memory(take: Take, auth: str, fault: str) -> None:
    """Packed, without end, one long piece of output, many small ones, or XML that grows when it is read."""
    costs_little(take, auth, BOMBS[fault], fault=fault)


SIZE = 8_000_000
HEAD = b'{"format":"remediate.inspection","format_version":1,"machine":"M","iis_version":"10.0","pools":['
POOL = (
    b'{"name":"a","state":"s","attributes":{"startMode":{"value":"OnDemand","source":"pool"},'
    b'"processModel.idleTimeout":{"value":"00:00:00","source":"pool"}},"applications":['
)
# What is printed, just short of what an inspection may print -> what is said of it.
PRINTED = {
    "empty lines": (b"\n" * SIZE, "printed nothing"),
    "short lines": (b"ab\n" * (SIZE // 3), "cannot be read"),
    "braces": (b"{\n}\n" * (SIZE // 4), "cannot be read"),
    "many answers": (b'{"format":"remediate.inspection"}\n' * (SIZE // 34), "cannot be read"),
    "nearly answers": (b'x {"remediate.inspection"} x\n' * (SIZE // 29), "cannot be read"),
    "CLIXML": (b"<Objs>" + b"<S>ab</S>" * (SIZE // 9), "cannot be read"),
    "pools": (HEAD + b",".join([b'{"name":"","state":"","attributes":{}}'] * (SIZE // 40)) + b"]}", "more than 20000"),
    "applications": (HEAD + POOL + b",".join([b'{"path":""}'] * (SIZE // 12)) + b"]}]}", "applications"),
    "attributes": (
        HEAD + b'{"name":"a","state":"s","attributes":{'
        + b",".join(b'"%06d":{"value":"","source":"pool"}' % n for n in range(SIZE // 41)) + b"}}]}",
        "attributes",
    ),
    "a long name": (HEAD + POOL.replace(b'"a"', b'"' + b"a" * SIZE + b'"') + b"]}]}", "too long"),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_costs_little_too(take: Take, name: str, tmp_path: Path) -> None:
    """Text of a size that is read whole: whatever its parts are, none of them is kept a thousand times."""
    printed, said = PRINTED[name]
    (tmp_path / "answer").write_bytes(printed)
    costs_little(take, "basic", said, answer=str(tmp_path / "answer"))
