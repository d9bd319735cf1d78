"""The audit and the diagnosis of one server's evidence agree on what is confirmed.

Both get the same answer of the server: `audit --evidence` grades its findings by it, and `diagnose --audit` reads the
audit that was saved. Errors and events are generated; what once differed is kept as examples.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import event as note
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remediate.audit.rules import find
from remediate.iis.evidence import EvidenceAnswer, read_evidence
from remediate.saved import encode
from remediate.values.findings import Audit, AuditSummary
from remediate.values.fleet import Application, Inspection, Pool
from remediate.values.logs import WorkerEventKind
from remediate_lab.clock.world import EVERY_RECYCLE
from tests.diagnosis.command import diagnosis_of
from tests.unit.values import host, pool, value

EXAMPLES = int(os.environ.get("REMEDIATE_EXAMPLES", "25"))
UNTIL = datetime(2026, 11, 25, 12, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
# One number for each kind of event.
NUMBERS: dict[WorkerEventKind, int] = {
    "idle-stop": 5186,
    "shortened": 5195,
    "recycle": 5079,
    "boot": 6005,
    "failure": 5011,
}
LOGGED = {
    "processModel.logEventOnProcessModel": "IdleTimeout",
    "recycling.logEventOnRecycle": ", ".join(EVERY_RECYCLE),
    "recycling.periodicRestart.time": "1.05:00:00",
}
# Two applications of one pool, and one of another; and one that the server has no more.
PATHS = {"Shop": ("Site/shop", "Site/cart"), "Api": ("Site/api",)}
GONE = "Site/gone"


@dataclass(frozen=True)
class Logged:
    """An event, ``at`` seconds after the beginning, and errors so many seconds after it."""

    at: int
    kind: WorkerEventKind
    pool: str
    errors: tuple[tuple[float, str, Any], ...] = ()


def errors_after(
    kind: WorkerEventKind, delay: float, *, number: int, local: bool | None = None, application: str = "Site/shop"
) -> list[Logged]:
    """So many events of the kind, at irregular times, and an error the delay after each."""
    found = [(86_400 * n + 311 * n * n, (delay, application, {"local": local})) for n in range(1, number + 1)]
    return [Logged(at, kind, "Shop", (error,)) for at, error in found]


def server(logged: list[Logged], values: dict[str, str], name: str = "web01") -> Inspection:
    """The inspection of a server that answered so."""
    pools = tuple(_pool(pool, values if pool == "Shop" else {}) for pool in PATHS)
    events, errors = [], []
    for one in logged:
        time = SINCE + timedelta(seconds=one.at)
        events.append({"time": time, "id": NUMBERS[one.kind], "pool": None if one.kind == "boot" else one.pool})
        for delay, application, others in one.errors:
            frames = {"local": None, "raised": True, "flushed": True, "entity_read": False, "code": "0x80070032"}
            domain = f"/LM/W3SVC/1/ROOT/{application.partition('/')[2]}"
            errors.append({"time": time + timedelta(seconds=delay), "application": domain, **(frames | others)})
    kept = {"oldest": SINCE - timedelta(days=30), "complete": True, "detail": None}
    answer = msgspec.convert(
        {
            "since": SINCE,
            "until": UNTIL,
            "logs": {"System": kept, "Application": kept},
            "events": events,
            "errors": errors,
        },
        EvidenceAnswer,
    )
    return host(name, *pools, evidence=read_evidence(answer, pools))


def _pool(name: str, values: dict[str, str]) -> Pool:
    applications = tuple(Application(path, value("true", "application"), 1) for path in PATHS[name])
    return msgspec.structs.replace(pool(name, LOGGED | values), applications=applications)


def confirmed_by_audit(*inspections: Inspection) -> set[tuple[str, str]]:
    """The host and the pool of each confirmed finding."""
    return {(finding.host, finding.pool) for finding in find(inspections) if finding.grade == "confirmed"}


def confirmed_by_diagnosis(folder: Path, *inspections: Inspection) -> set[tuple[str, str]]:
    """The same of the streams that `diagnose --audit` reports; one whose pool is not known has no finding."""
    at, number = "2026-11-25T12:00:00Z", len(inspections)
    counts = dict.fromkeys(("unreachable", "failed", "skipped", "findings", "notes"), 0)
    summary = AuditSummary(hosts=number, inspected=number, pools=2 * number, **counts)
    saved = folder / "audit.json"
    saved.write_bytes(encode(Audit(started_at=at, finished_at=at, hosts=inspections, findings=(), summary=summary)))
    _, diagnosis = diagnosis_of(folder, "--audit", saved)
    confirmed = [stream for stream in diagnosis.streams if stream.verdict == "confirmed"]
    return {(str(stream.host), stream.pool) for stream in confirmed if stream.pool is not None}


@pytest.mark.parametrize(
    ("logged", "confirmed"),
    [
        pytest.param(errors_after("recycle", 30, number=1), False, id="one error after one recycle, client not known"),
        pytest.param(errors_after("recycle", 30, number=1, local=True), True, id="one error, of the server's own"),
        pytest.param(errors_after("recycle", 30, number=2), True, id="two errors after two recycles"),
        pytest.param(errors_after("boot", 100, number=4), False, id="four errors 100 s after boots"),
        pytest.param(errors_after("boot", 40, number=4), True, id="four errors 40 s after boots"),
        pytest.param(errors_after("failure", 5, number=4), False, id="four errors after event 5011"),
        pytest.param(errors_after("recycle", -1, number=4), False, id="four errors stamped a second before the event"),
        pytest.param(errors_after("recycle", -0.9, number=4), True, id="four errors in the same second as the event"),
        pytest.param(errors_after("idle-stop", 5, number=4), True, id="four errors after idle stops"),
        pytest.param(errors_after("recycle", 5, number=4, application=GONE), False, id="an application of no pool"),
    ],
)
def test_what_once_differed(logged: list[Logged], confirmed: bool, tmp_path: Path) -> None:
    """ADR 0029 decides each; the reasons are there."""
    inspection = server(logged, {})
    expected = {("web01", "Shop")} if confirmed else set()
    assert confirmed_by_diagnosis(tmp_path, inspection) == expected
    assert confirmed_by_audit(inspection) == expected


_DELAYS = st.sampled_from([-3.0, -1.0, -0.5, 0.0, 1.0, 4.0, 30.0, 59.0, 60.0, 61.0, 100.0, 179.0, 181.0, 4000.0])
_OTHERS = st.sampled_from([
    {}, {}, {}, {}, {"local": True}, {"local": False}, {"entity_read": True}, {"flushed": False},
    {"code": "0x800704CD"}, {"streaming": "file"}, {"streaming": "signalr-transport"},
    {"streaming": "file", "local": True},
])  # fmt: skip
_SETTINGS = st.sampled_from([
    {}, {}, {"processModel.idleTimeout": "00:00:00"}, {"managedRuntimeVersion": ""}, {"startMode": "OnDemand"},
    {"recycling.logEventOnRecycle": "Time"},
])  # fmt: skip


@st.composite
def _logged(draw: st.DrawFn) -> list[Logged]:
    """Some runs of events of one kind, most of whose errors have one delay and one shape, as a cause would give."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        kind, name = draw(st.sampled_from(list(NUMBERS))), draw(st.sampled_from(list(PATHS)))
        begin, step = draw(st.integers(0, 300_000)), draw(st.sampled_from([40, 1262, 3600, 7000]))
        delay, others = draw(_DELAYS), draw(_OTHERS)
        for number in range(draw(st.sampled_from([1, 2, 3, 4, 9, 25]))):
            application = draw(st.sampled_from((*PATHS[name], *PATHS[name], GONE)))
            odd = draw(st.integers(0, 5)) == 0
            error = (draw(_DELAYS), application, draw(_OTHERS)) if odd else (delay, application, others)
            found.append(Logged(begin + number * (step + number % 7 * 11), kind, name, (error,)))
    return found


@given(_logged(), _SETTINGS)
@settings(max_examples=EXAMPLES)
@example(errors_after("recycle", 30, number=1), {"managedRuntimeVersion": ""})
def test_audit_and_diagnosis_agree_on_what_is_confirmed(logged: list[Logged], values: dict[str, str]) -> None:
    """Of the same evidence both confirm the same pools, whatever it holds."""
    inspection = server(logged, values)
    with TemporaryDirectory() as folder:
        diagnosed = confirmed_by_diagnosis(Path(folder), inspection)
    note(f"confirmed: {len(diagnosed)}")
    assert confirmed_by_audit(inspection) == diagnosed


def test_a_fleet_of_many_applications_agrees(tmp_path: Path) -> None:
    """More names than are kept apart in a log: those that the audit knows are never taken together."""
    logged = errors_after("recycle", 30, number=2)
    inspections = tuple(server(logged, {}, f"web{number:03}") for number in range(250))
    assert confirmed_by_diagnosis(tmp_path, *inspections) == {(one.host, "Shop") for one in inspections}
    assert confirmed_by_audit(*inspections) == {(one.host, "Shop") for one in inspections}


def test_a_machine_with_two_names_in_the_inventory_agrees(tmp_path: Path) -> None:
    """A host's name in the inventory means that host, and its settings count: here the pool runs no managed code."""
    logged = errors_after("recycle", 30, number=2)
    named = (server(logged, {"managedRuntimeVersion": ""}, name) for name in ("web01", "alias"))
    both = tuple(msgspec.structs.replace(one, machine="WEB01") for one in named)
    assert confirmed_by_diagnosis(tmp_path, *both) == set()
    assert confirmed_by_audit(*both) == set()
