"""What the event logs make of a finding: its grade, and what its reasons say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remediate.audit.rules import find
from remediate.iis.events import MEANING
from remediate.values.findings import Finding
from remediate.values.fleet import Inspection, Pool
from remediate.values.logs import EventLog, Evidence, LoggedException, WorkerEvent
from tests.unit.values import host, pool

UNTIL = datetime(2026, 11, 25, 12, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
START = datetime(2026, 11, 24, tzinfo=UTC)
LOGGED = {
    "processModel.logEventOnProcessModel": "IdleTimeout",
    "recycling.logEventOnRecycle": (
        "Time, Requests, Schedule, Memory, IsapiUnhealthy, OnDemand, ConfigChange, PrivateMemory"
    ),
}
KEPT = EventLog(oldest=SINCE - timedelta(days=30))


def event(minutes: float, number: int = 5186, name: str | None = "Shop") -> WorkerEvent:
    meaning = MEANING[number]
    time = START + timedelta(minutes=minutes)
    return WorkerEvent(time=time, id=number, kind=meaning.kind, cause=meaning.cause, pool=name)


def error(minutes: float, **others: Any) -> LoggedException:
    told: dict[str, Any] = {"code": "0x80070032", "raised": True, "flushed": True, "local": True, "pool": "Shop"}
    return LoggedException(time=START + timedelta(minutes=minutes), **(told | others))


def evidence(*told: WorkerEvent | LoggedException, logs: dict[str, EventLog] | None = None) -> Evidence:
    return Evidence(
        since=SINCE, until=UNTIL, logs={"System": KEPT, "Application": KEPT} | (logs or {}),
        events=tuple(t for t in told if isinstance(t, WorkerEvent)),
        errors=tuple(t for t in told if isinstance(t, LoggedException)),
    )  # fmt: skip


def server(told: Evidence | None, *pools: Pool) -> Inspection:
    """Of pools that are *possible* by their settings, and log everything."""
    return host("web01", *(pools or (pool(values=LOGGED, preload="false"),)), evidence=told)


def finding(
    *told: WorkerEvent | LoggedException,
    values: dict[str, str] | None = None,
    logs: dict[str, EventLog] | None = None,
) -> Finding:
    shop = pool(values=LOGGED | (values or {}), preload="false")
    (found,) = find([server(evidence(*told, logs=logs), shop)])
    return found


@pytest.mark.parametrize(
    ("minutes", "grade"),
    [
        ([0, 21, 42], "likely"),
        ([0, 20, 42.4], "likely"),
        ([0, 21, 100, 121], "likely"),  # traffic in between: the gap is longer
        ([0, 21], "possible"),  # one gap may be chance
        ([0, 25, 50, 75], "possible"),
        ([0, 10, 20, 30], "possible"),
        ([0, 42, 84], "possible"),
        ([], "possible"),
    ],
)
def test_idle_stops_at_the_time_out_make_likely(minutes: list[float], grade: str) -> None:
    """Idle time-out 20 min: stops follow each other after 20 to 22 minutes, and half a minute of slack."""
    assert finding(*(event(minute) for minute in minutes)).grade == grade


def test_what_was_not_read_is_not_denied() -> None:
    """Of a log with more events than were read, nothing is told of when the newest of them begin."""
    more = EventLog(oldest=SINCE - timedelta(days=30), complete=False)
    said = " ".join(finding(event(0), logs={"System": more, "Application": more}).reasons)
    assert "stopped when idle once among the newest events" in said and " since " not in said
    assert "no event 1309" not in said
    assert "no idle stop" not in " ".join(finding(logs={"System": more}).reasons)


def test_what_the_stops_say() -> None:
    """How often, how many of them at the time-out, and when last."""
    (said,) = [r for r in finding(*(event(m) for m in (0, 21, 42, 200))).reasons if "stopped when idle" in r]
    assert said == (
        "its worker was stopped when idle 4 times since 2026-11-18 12:00 UTC, 2 of them at the idle time-out after the "
        "one before; last 2026-11-24 03:20 UTC"
    )


def test_a_stop_by_a_shortened_time_out_is_an_idle_stop() -> None:
    """Event 5195, where memory runs low: it is counted, alone or among others, and never "no idle stop"."""
    said = " ".join(finding(event(0), event(21, 5195), event(26, 5195), event(47)).reasons)
    assert "its worker was stopped when idle 4 times" in said and "was shortened 2 times" in said
    alone = " ".join(finding(event(0, 5195)).reasons)
    assert "its worker was stopped when idle once" in alone and "no idle stop" not in alone


def test_another_pools_stops_say_nothing() -> None:
    """And names are compared without case."""
    assert finding(*(event(m, name="Other") for m in (0, 21, 42))).grade == "possible"
    assert finding(*(event(m, name="SHOP") for m in (0, 21, 42))).grade == "likely"


@pytest.mark.parametrize("number", [5186, 5195, 5074, 5079, 5080, 5081, 12, 6005])
def test_the_exception_after_a_start_makes_confirmed(number: int) -> None:
    name = None if MEANING[number].kind == "boot" else "Shop"
    assert finding(event(0, number, name), error(0.1)).grade == "confirmed"


@pytest.mark.parametrize(
    "told",
    [
        (event(0), error(1.5)),  # too late
        (event(1), error(0.5)),  # before it
        (event(0, 5011), error(0.1)),  # a failure is another cause
        (event(0, 5010), error(0.1)),
        (event(0), error(0.1, streaming="signalr-transport")),  # a client's connection, whoever asked
        (event(0), error(0.1, streaming="file", local=None)),  # a download, and nobody says whose
        (event(0, name="Other"), error(0.1)),
        (event(0), error(0.1, pool="Other")),
        (event(0), error(0.1, code="0x800704CD")),
        (event(0), error(0.1, raised=False)),
        (event(0), error(0.1, flushed=False)),
        (event(0), error(0.1, entity_read=True)),
        (event(0), error(0.1, local=False)),  # a client's request
        (event(0), error(0.1), error(100), error(200)),  # one of three may be chance
        (event(0, 6005, None), error(2)),  # clients come back after a boot too
    ],
)
def test_what_does_not_make_confirmed(told: tuple[WorkerEvent | LoggedException, ...]) -> None:
    assert finding(*told).grade == "possible"


def test_an_unknown_client_is_not_against_it() -> None:
    """Two errors are a pattern; one alone needs the server's own address."""
    once, again = (event(0), error(0.1, local=None)), (event(400), error(400.1, local=None))
    assert finding(*once).grade == "possible"
    assert finding(*once, *again).grade == "confirmed"


def test_a_download_of_the_servers_own_is_not_against_it() -> None:
    """A start-up page may send a file."""
    assert finding(event(0), error(0.1, streaming="file")).grade == "confirmed"


def test_an_event_without_the_frames_is_told() -> None:
    """ASP.NET cuts the text of 1309: that the frames are missing does not mean that they were not there."""
    said = finding(event(0), error(0.1, raised=False, flushed=False)).reasons
    assert (
        "event 1309 has 0x80070032 once without RaiseCommunicationError and ExplicitFlush: its text is cut, or the "
        "cause another one"
    ) in said
    assert not [reason for reason in said if "no event 1309" in reason]


def test_what_the_errors_say() -> None:
    """How many, after what, and when last; a client's own are told apart."""
    told = finding(event(0), error(0.1), event(50, 5079), error(50.5), error(300, local=False))
    assert [r for r in told.reasons if "1309" in r] == [
        "event 1309 has 0x80070032 from ExplicitFlush 2 times, 1 within 60 s after a recycle and 1 within 60 s after "
        "an idle stop; last 2026-11-24 00:50 UTC",
        "event 1309 has 0x80070032 once for a client's own request, which is another cause",
    ]


def test_a_confirmed_recycle_is_a_finding() -> None:
    """RM002 is a note until the exception was seen."""
    values = LOGGED | {"processModel.idleTimeout": "00:00:00"}
    (note,) = find([server(evidence(event(0, 5079)), pool(values=values))])
    (seen,) = find([server(evidence(event(0, 5079), error(0.1)), pool(values=values))])
    assert [(f.rule, f.level) for f in (note, seen)] == [("RM002", "note"), ("RM002", "finding")]


def test_what_is_not_logged_is_not_checkable() -> None:
    """By the setting that would log it; and never "no idle stop"."""
    values = {"processModel.logEventOnProcessModel": "", "recycling.logEventOnRecycle": "Time, Memory, PrivateMemory"}
    reasons = finding(values=values).reasons
    assert "idle stops are not checkable: processModel.logEventOnProcessModel lacks IdleTimeout" in reasons
    assert (
        "recycles by requests, schedule, unhealthy, administrator, configuration are not checkable: "
        "recycling.logEventOnRecycle lacks Requests, Schedule, IsapiUnhealthy, OnDemand, ConfigChange"
    ) in reasons
    assert not [reason for reason in reasons if "no idle stop" in reason]
    logged = finding().reasons
    assert not [reason for reason in logged if "not checkable" in reason]
    assert "no idle stop of its worker was logged since 2026-11-18 12:00 UTC" in logged


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (EventLog(detail="Access is denied. (X)"), "not fully checkable: {} log: Access is denied. (X)"),
        (EventLog(), "not checkable: the {} log is empty"),
        (EventLog(oldest=START), "before 2026-11-24 00:00 UTC are not checkable: the {} log reaches back no further"),
        (EventLog(oldest=SINCE, complete=False), "the {} log has more events than were read"),
    ],
)
@pytest.mark.parametrize("name", ["System", "Application"])
def test_what_a_log_does_not_hold_is_not_checkable(name: str, log: EventLog, said: str) -> None:
    reasons = finding(logs={name: log}).reasons
    assert [reason for reason in reasons if said.format(name) in reason], reasons
    if log.oldest is None:
        absent = {"System": "no idle stop", "Application": "no event 1309"}[name]
        assert not [reason for reason in reasons if absent in reason]


def test_without_evidence_the_settings_alone_count() -> None:
    (found,) = find([server(None)])
    assert (found.grade, len(found.reasons)) == ("possible", 2)
