"""`audit --evidence` end to end: what stands in the servers' event logs -> grades, reasons, exit code, saved audit."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Up, on_emulated, on_pwsh, remediate
from tests.eventlog import FLUSHED, ago, boot, every, unhandled, worker, write_log

SHOP, REPORTS = "Contoso Shop", "Reports"
SHOP_DOMAIN = "/LM/W3SVC/1/ROOT/shop-1-133812345678901234"
CANARY = "canary-d41d8c"
CONFIG = "System32/inetsrv/config/applicationHost.config"


class Fleet:
    """Servers by what happened on them; each has its own Windows folder."""

    def __init__(self, state: Path) -> None:
        self.inventory = state / "inventory" / "hosts.yml"
        self._free = iter(sorted((state / "servers").iterdir()))
        self.named: dict[str, str] = {}

    def server(self, what: str) -> Path:
        folder = next(self._free)
        self.named[folder.name] = what
        return folder / "Windows"

    def audit(self, *options: str | Path) -> tuple[dict[tuple[str, str], Any], str]:
        """The findings by what happened and pool; and all that was said."""
        done = remediate("audit", "-i", self.inventory, "--format", "json", *options)
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)["findings"]
        return {(self.named[f["host"]], f["pool"]): f for f in found}, done.stdout + done.stderr


@pytest.fixture
def fleet(up: Up, engine: str) -> Fleet:
    return Fleet(up("--from-configs", PLAIN, "--servers", "6", "--engine", engine))


def without_preload(windows: Path) -> None:
    """By its settings the pool is no more than possible then."""
    config = windows / CONFIG
    config.write_text(config.read_text().replace(' preloadEnabled="true"', ""))


def stops(windows: Path, times: int) -> None:
    """Idle stops of the pool each 21 minutes, in a log that reaches back far enough."""
    events = [worker(time, 5186, SHOP) for time in every(ago(hours=9), timedelta(minutes=21), times)]
    write_log(windows, "System", [boot(ago(days=30)), *events])
    write_log(windows, "Application", [unhandled(ago(days=30), SHOP_DOMAIN)])


def confirmed(windows: Path) -> None:
    """The article's case, an exception four seconds after each idle stop; and one at a recycle of the other pool."""
    times = every(ago(hours=9), timedelta(minutes=21), 20)
    recycled = ago(hours=1)
    write_log(
        windows, "System",
        [boot(ago(days=30)), *(worker(time, 5186, SHOP) for time in times), worker(recycled, 5079, REPORTS)],
    )  # fmt: skip
    soon = timedelta(seconds=4)
    secret = {"url": f"?password={CANARY}", "user": f"CORP\\{CANARY}"}
    errors = [unhandled(time + soon, SHOP_DOMAIN, f"{CANARY} {FLUSHED}", **secret) for time in times]
    errors.append(unhandled(recycled + soon, "/LM/W3SVC/1/ROOT/reports-1-133812345678901234", address="::1"))
    write_log(windows, "Application", errors)


def by_a_client(windows: Path) -> None:
    """The same exception, of requests that a client sent: another cause, whenever they come."""
    without_preload(windows)
    times = every(ago(hours=9), timedelta(minutes=60), 5)
    write_log(windows, "System", [boot(ago(days=30)), *(worker(time, 5186, SHOP) for time in times)])
    later = timedelta(seconds=20)
    write_log(windows, "Application", [unhandled(t + later, SHOP_DOMAIN, address="10.0.0.7") for t in times])


def not_logged(windows: Path) -> None:
    """Flags that leave out what happened, and a log that is younger than the question."""
    config = windows / CONFIG
    old = '<processModel identityType="SpecificUser"'
    text = config.read_text()
    assert text.count(old) == 1
    recycling = '<recycling logEventOnRecycle="Time" />'
    config.write_text(text.replace(old, recycling + old.replace(" ", ' logEventOnProcessModel="" ', 1)))
    write_log(windows, "System", [boot(ago(hours=30))])


def test_what_happened_decides_the_grade(fleet: Fleet, tmp_path: Path) -> None:
    """One audit of a fleet: each server's findings say what its logs tell, and what they cannot."""
    idle = fleet.server("idle")
    without_preload(idle)
    stops(idle, 10)
    confirmed(fleet.server("confirmed"))
    by_a_client(fleet.server("client"))
    not_logged(fleet.server("not logged"))
    denied = fleet.server("denied")
    stops(denied, 10)
    write_knobs(denied, event_log=("System:denied", "Application:missing"))
    disabled = fleet.server("disabled")
    stops(disabled, 1)
    write_knobs(disabled, event_log="System:disabled")

    saved = tmp_path / "audit.json"
    found, said = fleet.audit("--evidence", "--save", saved)
    grades = {what: finding["grade"] for what, finding in found.items()}
    assert (grades["idle", SHOP], grades["confirmed", SHOP], grades["client", SHOP]) == (
        "likely", "confirmed", "possible",
    )  # fmt: skip
    recycled = found["confirmed", REPORTS]
    assert (recycled["rule"], recycled["grade"], recycled["level"]) == ("RM002", "confirmed", "finding")
    assert [found[what, REPORTS]["level"] for what in ("idle", "client", "denied")] == ["note"] * 3

    for what, expected in {
        "idle": "its worker was stopped when idle 10 times since ",
        "confirmed": "event 1309 has 0x80070032 from ExplicitFlush 20 times, 20 within 60 s after an idle stop; ",
        "client": "event 1309 has 0x80070032 5 times for a client's own request, which is another cause",
        "not logged": "idle stops are not checkable: processModel.logEventOnProcessModel lacks IdleTimeout",
        "denied": "idle stops and recycles are not fully checkable: System log: ",
        "disabled": "idle stops and recycles are not fully checkable: System log: the log is disabled",
    }.items():
        assert [r for r in found[what, SHOP]["reasons"] if r.startswith(expected)], (what, found[what, SHOP]["reasons"])
    assert [r for r in found["not logged", SHOP]["reasons"] if "the System log reaches back no further" in r]
    assert [r for r in found["not logged", SHOP]["reasons"] if "logEventOnRecycle lacks Requests, Schedule" in r]
    assert [r for r in found["denied", SHOP]["reasons"] if "Application log: not fully readable: The spec" in r]
    assert not [r for r in found["denied", SHOP]["reasons"] if "no idle stop" in r]

    whole = saved.read_text()
    assert CANARY not in whole + said
    diagnosis = json.loads(remediate("diagnose", "--audit", saved, "--format", "json").stdout)
    streams = {(s["host"], s["pool"]) for s in diagnosis["streams"] if s["verdict"] == "confirmed"}
    findings = {(f["host"], f["pool"]) for f in json.loads(whole)["findings"] if f["grade"] == "confirmed"}
    assert streams == findings and len(findings) == 2, "the diagnosis of the saved audit confirms the same pools"
    table = remediate("audit", "-i", fleet.inventory, "--evidence", expect=2)
    assert "confirmed" in table.stdout and CANARY not in table.stdout + table.stderr
    plan = tmp_path / "plan"
    remediate("plan", "--from", saved, "--fix", "on-demand", "--out", plan, expect=2)
    reasons = {(c["host"], c["pool"]): c["reason"] for c in json.loads((plan / "plan.json").read_text())["changes"]}
    assert any(fleet.named[host] == "confirmed" and pool == REPORTS for host, pool in reasons)


@on_emulated
def test_evidence_is_not_read_unless_it_is_asked_for(fleet: Fleet) -> None:
    """And --days bounds how far back."""
    windows = fleet.server("idle")
    without_preload(windows)
    first = ago(days=2)
    write_log(windows, "System", [worker(time, 5186, SHOP) for time in every(first, timedelta(minutes=21), 4)])
    for options, grade in (((), "possible"), (("--evidence",), "likely"), (("--evidence", "--days", "1"), "possible")):
        found, _ = fleet.audit("-l", next(iter(fleet.named)), *options)
        assert found["idle", SHOP]["grade"] == grade, options


@on_emulated
def test_a_hostile_answer_fails_that_host_alone(fleet: Fleet, tmp_path: Path) -> None:
    windows, other = fleet.server("hostile"), fleet.server("other")
    lie = tmp_path / "lie.json"
    evidence = {
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00Z",
        "logs": {},
        "events": [],
        "errors": [],
    }
    lie.write_text(
        json.dumps({
            "format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0",
            "evidence": evidence,
        })
    )  # fmt: skip
    write_knobs(windows, answer=str(lie))
    stops(other, 3)
    names = ",".join(fleet.named)
    done = remediate("audit", "-i", fleet.inventory, "-l", names, "--evidence", expect=3)
    assert "the inspection's answer cannot be read" in done.stdout and "Traceback" not in done.stdout + done.stderr
    assert "1 inspected, 0 unreachable, 1 failed" in done.stdout


@on_emulated
def test_an_answer_without_evidence_is_no_evidence_of_nothing(fleet: Fleet, tmp_path: Path) -> None:
    """A server that leaves it out did not do what was asked."""
    windows = fleet.server("silent")
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({
        "format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0",
    }))  # fmt: skip
    write_knobs(windows, answer=str(answer))
    here = ("-i", fleet.inventory, "-l", next(iter(fleet.named)))
    remediate("audit", *here, expect=0)
    done = remediate("audit", *here, "--evidence", expect=3)
    assert "the answer has nothing of the event logs, which were asked for" in done.stdout


@on_pwsh
def test_a_log_that_is_no_xml_is_a_log_that_cannot_be_read(fleet: Fleet) -> None:
    """Its server is inspected all the same."""
    windows = fleet.server("broken")
    stops(windows, 1)
    (windows / "System32/winevt/Logs/System.xml").write_text("<Events><Event")
    found, _ = fleet.audit("-l", next(iter(fleet.named)), "--evidence")
    said = "idle stops and recycles are not fully checkable: System log: "
    assert [r for r in found["broken", SHOP]["reasons"] if r.startswith(said)]


@on_pwsh
def test_a_log_that_is_cleared_under_the_reader_is_said_to_be_read_in_part(fleet: Fleet) -> None:
    """What was read counts, the audit ends, and the server is not said to have had no idle stop."""
    windows = fleet.server("cleared")
    without_preload(windows)
    stops(windows, 10)
    write_knobs(windows, event_log=("System:cleared:4", "Application:cleared:0"))
    found, _ = fleet.audit("-l", next(iter(fleet.named)), "--evidence")
    reasons = found["cleared", SHOP]["reasons"]
    assert [r for r in reasons if r.startswith("its worker was stopped when idle 4 times")], reasons
    said = "idle stops and recycles are not fully checkable: System log: not fully readable: "
    assert [r for r in reasons if r.startswith(said)], reasons
    assert not [r for r in reasons if "no event 1309" in r], reasons


def test_evidence_has_more_time_and_the_help_says_so() -> None:
    help_text = " ".join(remediate("audit", "--help", expect=0).stdout.split())
    assert "Seconds to wait for each host. [default: 60; with --evidence 180]" in help_text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-i", "x", "--days", "3"), "--days needs --evidence"),
        (("-i", "x", "--evidence", "--days", "0"), "0 is not in the range 1<=x<=90"),
        (("-i", "x", "--evidence", "--days", "91"), "91 is not in the range 1<=x<=90"),
        (("--config", str(PLAIN), "--evidence"), "--evidence cannot be used with --config"),
    ],
)
def test_what_does_not_go_together_is_usage(options: tuple[str, ...], said: str) -> None:
    done = remediate("audit", *options, expect=64)
    assert said in done.stderr
