"""A run's record may end anywhere; what it says is what is known."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from remediate.cli.audit import assemble
from remediate.model import RemediateError
from remediate.plan.planner import make_plan
from remediate.playbook.record import RECORD, read_run
from tests.unit.values import host, pool

AUDIT = assemble((host("web01", pool()), host("web02", pool())), "2026-01-01T00:00:00Z")
CHANGES = msgspec.to_builtins(make_plan(AUDIT, "idle-timeout", "2026-01-01T00:00:00Z").changes)
ANSWER = {
    "pool": "Shop", "attribute": "processModel.idleTimeout", "found": "00:20:00", "found_source": "pool",
    "written": True, "verified": True,
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"event": "begin", "at": "2026-01-01T00:00:00Z", "format": "remediate.record", "format_version": 1, "run": "r",
     "plan_digest": "d", "check": False, "hosts": ["web01", "web02"]},
    {"event": "start", "at": "2026-01-01T00:00:01Z", "host": "web01", "changes": CHANGES[:1]},
    {"event": "host", "at": "2026-01-01T00:00:02Z", "host": "web01", "status": "changed", "detail": None,
     "backup": None, "changes": [ANSWER]},
    {"event": "end", "at": "2026-01-01T00:00:03Z"},
]  # fmt: skip


def record(folder: Path, text: bytes) -> Path:
    (folder / RECORD).write_bytes(text)
    return folder


def test_wherever_it_ends_it_says_what_is_known(tmp_path: Path) -> None:
    """Cut the record after each byte: an error before its first line is whole, then the states that were reached."""
    whole = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)
    ends = [whole.index(b"\n", 0) + 1]
    for _ in EVENTS[1:]:
        ends.append(whole.index(b"\n", ends[-1]) + 1)
    expected = ["not-reached", "unknown", "changed", "changed"]
    for cut in range(0, len(whole) + 1, 7):
        reached = sum(end <= cut for end in ends)
        folder = record(tmp_path, whole[:cut])
        if reached == 0:
            with pytest.raises(RemediateError):
                read_run(folder)
            continue
        run = read_run(folder)
        assert [h.status for h in run.hosts] == [expected[reached - 1], "not-reached"]
        assert (run.finished_at is None) is (reached < 4)


def test_junk_is_one_line(tmp_path: Path) -> None:
    for junk in (
        b"",
        b"\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"event": "begin"}\n',
        b'{"format": "remediate.record", "format_version": 1}\n',
    ):
        with pytest.raises(RemediateError) as refused:
            read_run(record(tmp_path, junk))
        assert "\n" not in str(refused.value)
