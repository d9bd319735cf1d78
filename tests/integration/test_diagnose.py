"""From the log to the proof: the errors are explained, the fix that was advised is applied, and they are gone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, Up, remediate

SHOP, REPORTS = "Contoso Shop", "Reports"
# The logs have the servers' wall clock; the audit reports the zone, and no --time-zone is given.
ZONE = "India Standard Time"


def play(state: Path, *options: str) -> str:
    """Let hours pass; where the lab's clock stands then. The requests come at any hour: nothing hangs on the day."""
    remediate(
        "lab", "play", "--state", state, "--log", "nlog", "--traffic", "random", "--zone", ZONE, *options, expect=0
    )
    return str(json.loads((state / "clock.json").read_text())["now"])


def diagnosed(state: Path, audit: Path, *more: str) -> dict[str, dict[str, Any]]:
    """The streams by pool, of all that the lab's only server has written."""
    (server,) = (state / "servers").iterdir()
    done = remediate(
        "diagnose", server / "Logs" / "app", "--iis-log", server / "Logs" / "W3SVC1",
        "--events", server / "Windows" / "System32" / "winevt" / "Logs" / "System.xml",
        "--audit", audit, "--format", "json", *more,
    )  # fmt: skip
    streams = json.loads(done.stdout)["streams"]
    assert done.returncode == (2 if streams else 0), done.stderr
    assert len({stream["pool"] for stream in streams}) == len(streams)
    return {stream["pool"]: stream for stream in streams}


@pytest.mark.parametrize(
    ("engine", "fix"), [("emulated", "on-demand"), pytest.param("pwsh", "idle-timeout", marks=pytest.mark.pwsh)],
    indirect=["engine"],
)  # fmt: skip
def test_the_advised_fix_ends_what_was_found(up: Up, engine: str, fix: str, tmp_path: Path) -> None:
    """Before: confirmed, periodic, either fix. After: those at recycles alone, or none; the other pool is as it was."""
    state = up("--from-configs", PLAIN, "--servers", "1", "--engine", engine)
    inventory, audit, plan = state / "inventory" / "hosts.yml", tmp_path / "audit.json", tmp_path / "plan"
    border = play(state, "--hours", "60", "--days", "5")
    remediate("audit", "-i", inventory, "--evidence", "--save", audit, expect=2)
    before = diagnosed(state, audit)
    assert {name: stream["verdict"] for name, stream in before.items()} == {SHOP: "confirmed", REPORTS: "confirmed"}
    assert before[SHOP]["symptoms"]["periodic"]["state"] == "seen"
    assert 20 * 60 <= before[SHOP]["period_seconds"] <= 22 * 60
    assert before[SHOP]["fixes"] == ["idle-timeout", "on-demand"]
    assert before[REPORTS]["fixes"] == ["on-demand", "log-filter"], "idle for ever: its errors are those of recycles"
    assert before[REPORTS]["attribution"]["idle"] == 0

    remediate("plan", "-i", inventory, "--fix", fix, "--out", plan, expect=2)
    remediate("apply", plan, "-i", inventory, "--yes", expect=0)
    play(state, "--to-now")
    remediate("audit", "-i", inventory, "--evidence", "--save", audit)
    after = diagnosed(state, audit, "--since", border)
    assert set(after) == ({REPORTS} if fix == "on-demand" else {SHOP, REPORTS})
    if fix == "idle-timeout":
        left = after[SHOP]
        assert left["verdict"] == "confirmed" and left["fixes"] == ["on-demand", "log-filter"]
        assert left["attribution"]["idle"] == 0 and left["count"] == left["attribution"]["recycle"] <= 6
    assert after[REPORTS]["verdict"] == "confirmed"


def test_since_wants_a_zone(tmp_path: Path) -> None:
    """A wall clock is before or after nothing; and what is no time is told with an example. One error alone shows none
    of the fault's symptoms."""
    log = tmp_path / "app.log"
    log.write_text(
        "2026-11-25 14:00:00,123 [4] ERROR Shop - failed\n"
        "System.Web.HttpException: The error code is 0x80070032.\n"
        "   at System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result)\n"
        "   at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()\n"
    )
    done = remediate("diagnose", log, "--since", "2026-11-25", expect=1)
    assert done.stderr == (
        f"remediate: {log}: its time zone is not known, and --since needs it: "
        "give --time-zone, or --audit with an audit that reports the server's zone\n"
    )
    remediate("diagnose", log, "--since", "2026-11-25T14:00", "--time-zone", "UTC", expect=3)
    remediate("diagnose", log, "--since", "2026-11-25T14:01Z", "--time-zone", "UTC", expect=0)
    assert "write 2026-11-25" in remediate("diagnose", log, "--since", "yesterday", expect=64).stderr
