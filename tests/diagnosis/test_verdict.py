"""The verdict, by what was given. *confirmed* wants two sources that agree; one log alone never gives it."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from remediate.values.diagnoses import Remedy, Stream, Verdict
from remediate.values.logs import LoggedException, Request, WorkerEvent
from tests.diagnosis.values import error, event, fully_logged, one_stream, request, server, streams

# The start of each error of a pool that nobody asks: 20 minutes, and what IIS takes to notice, which drifts.
STARTS = [n * 1263.0 + (n * 37 % 50) for n in range(30)]
ERRORS = [error(second) for second in STARTS]
STOPS = [event(second - 4 - n % 3) for n, second in enumerate(STARTS)]
# Requests before and after, and none while the pool is idle; another server's day would not do.
QUIET = [request(-30_000), request(50_000)]
# A client's request is answered at each error.
CLIENTS = [request(-30_000), *(request(second) for second in STARTS), request(50_000)]
# 25 days in hours that are not regular.
RECYCLES = [n * 86_400.0 + n * n * 311 for n in range(25)]
AT_RECYCLES = [error(second) for second in RECYCLES]
RECYCLED = [event(second - 5, "recycle", cause="administrator") for second in RECYCLES]
PERIODIC: tuple[Remedy, ...] = ("idle-timeout", "on-demand")
AT_STARTS: tuple[Remedy, ...] = ("on-demand", "log-filter")
SETTINGS = [server(fully_logged())]
NEVER_IDLE = [server(fully_logged(processModel__idleTimeout="00:00:00"))]
ON_DEMAND = [server(fully_logged(startMode="OnDemand"))]


def frames(**others: object) -> list[LoggedException]:
    return [error(second, **others) for second in STARTS]


UNFRAMED = frames(raised=False, flushed=False, stack="none")
CUT = frames(flushed=False, stack="cut")


@pytest.mark.parametrize(
    ("errors", "events", "requests", "audit", "verdict", "fixes"),
    [
        pytest.param(ERRORS, (), None, (), "consistent", PERIODIC, id="a log alone"),
        pytest.param(ERRORS, STOPS, None, (), "confirmed", PERIODIC, id="a log, and idle stops right before"),
        pytest.param(ERRORS, STOPS, QUIET, SETTINGS, "confirmed", PERIODIC, id="everything agrees"),
        pytest.param(ERRORS, (), QUIET, SETTINGS, "confirmed", PERIODIC, id="no line, and settings that fit"),
        pytest.param(ERRORS, (), QUIET, (), "consistent", PERIODIC, id="no line, and settings not known"),
        pytest.param(ERRORS, (), None, SETTINGS, "consistent", PERIODIC, id="a log, and settings that fit"),
        pytest.param(ERRORS, STOPS, CLIENTS, SETTINGS, "unsupported", (), id="a client's request at each"),
        pytest.param(ERRORS, (), CLIENTS, (), "unsupported", (), id="a client's request at each, no more known"),
        pytest.param(ERRORS, STOPS, None, ON_DEMAND, "unsupported", (), id="the pool is OnDemand"),
        pytest.param(ERRORS, (), None, NEVER_IDLE, "unsupported", (), id="a period, and a pool that is never idle"),
        pytest.param(ERRORS, [event(9), event(70_000)], None, SETTINGS, "unsupported", (), id="idle stops elsewhere"),
        pytest.param(AT_RECYCLES, RECYCLED, None, (), "confirmed", AT_STARTS, id="after recycles"),
        pytest.param(AT_RECYCLES, RECYCLED, None, NEVER_IDLE, "confirmed", AT_STARTS, id="after recycles, never idle"),
        pytest.param(AT_RECYCLES, (), None, (), "undetermined", (), id="irregular, a log alone"),
        pytest.param([error(0)], (), None, (), "undetermined", (), id="one error"),
        pytest.param(
            [error(0, local=True)], (), None, (), "consistent", AT_STARTS, id="one error, of the server itself"
        ),
        pytest.param(AT_RECYCLES, (), None, SETTINGS, "undetermined", (), id="irregular, and settings that would fit"),
        pytest.param([error(0, code="0x800704CD")], (), None, (), "other-cause", (), id="another code"),
        pytest.param(frames(entity_read=True), STOPS, None, (), "other-cause", (), id="an upload was being read"),
        pytest.param(frames(raised=False), STOPS, None, (), "unsupported", (), id="without RaiseCommunicationError"),
        pytest.param(frames(flushed=False), STOPS, None, (), "unsupported", (), id="without ExplicitFlush"),
        pytest.param(UNFRAMED, STOPS, None, (), "undetermined", (), id="without a stack"),
        pytest.param(CUT, STOPS, QUIET, SETTINGS, "undetermined", (), id="with half a stack"),
        pytest.param(UNFRAMED, (), CLIENTS, (), "unsupported", (), id="without a stack, a client's request at each"),
        pytest.param(UNFRAMED, STOPS, None, ON_DEMAND, "unsupported", (), id="without a stack, the pool is OnDemand"),
        pytest.param(frames(local=False), STOPS, None, (), "unsupported", (), id="another client's address"),
        pytest.param(frames(preload=True), (), QUIET, SETTINGS, "confirmed", PERIODIC, id="the preload's user agent"),
    ],
)
def test_the_verdict(
    errors: list[LoggedException], events: Sequence[WorkerEvent], requests: list[Request] | None, audit: list[object],
    verdict: Verdict, fixes: tuple[Remedy, ...],
) -> None:  # fmt: skip
    stream = one_stream(errors, events, requests, audit)
    assert (stream.verdict, stream.fixes) == (verdict, fixes), (stream.reasons, stream.symptoms)
    assert stream.attribution.idle + stream.attribution.recycle + stream.attribution.unexplained == len(errors)


def states(stream: Stream) -> dict[str, str]:
    return {name: symptom.state for name, symptom in stream.symptoms.items()}


def test_what_is_not_there_is_not_checkable_and_says_what_would_make_it_so() -> None:
    stream = one_stream(AT_RECYCLES)
    assert set(states(stream).values()) == {"not-checkable"}
    hints = {"after-recycle": "--events", "not-in-iis-log": "--iis-log", "local-request": "user agent", "periodic": ""}
    assert all(hints[name] in symptom.text for name, symptom in stream.symptoms.items())


def test_what_windows_was_not_set_to_log_did_not_not_happen() -> None:
    """No idle stop and no recycle in the events, of a pool for which neither is logged: nothing is contradicted."""
    silent = fully_logged(processModel__logEventOnProcessModel="", recycling__logEventOnRecycle="Time, Memory")
    elsewhere = [event(-9, pool="Other"), event(90_000, pool="Other")]
    stream = one_stream(AT_RECYCLES[:9], elsewhere, None, [server(silent)])
    assert stream.verdict == "undetermined" and "contradicted" not in states(stream).values()
    assert "logEventOnProcessModel lacks IdleTimeout" in stream.symptoms["periodic"].text
    assert (
        "lacks Requests, Schedule, IsapiUnhealthy, OnDemand, ConfigChange, PrivateMemory: set"
        in stream.symptoms["after-recycle"].text
    )


def test_all_causes_are_logged_and_the_errors_follow_none() -> None:
    others = [event(second + 600, "recycle", cause="time") for second in RECYCLES]
    stream = one_stream(AT_RECYCLES, others, None, NEVER_IDLE)
    assert stream.verdict == "unsupported" and states(stream)["after-recycle"] == "contradicted"


def test_a_part_of_an_application_s_errors_is_a_stream_of_its_own() -> None:
    """A client that goes away is another cause than the start-up request, though code and frames are the same."""
    clients = [second + 400 for second in STARTS[::2]]
    mixed = [*ERRORS, *(error(second) for second in clients)]
    lines = [request(-30_000), *(request(second) for second in clients), request(50_000)]
    with_events = {stream.verdict: stream.count for stream in streams(mixed, STOPS, None, SETTINGS)}
    assert with_events == {"confirmed": 30, "unsupported": 15}
    with_lines = {stream.verdict: stream.count for stream in streams(mixed, (), lines, ())}
    assert with_lines == {"consistent": 30, "unsupported": 15}


def test_the_events_tell_two_pools_of_one_log_apart() -> None:
    other = [n * 2761.0 + 300 + (n * 41 % 60) for n in range(14)]
    mixed = [error(second, application=None) for second in (*STARTS, *other)]
    stops = [*STOPS, *(event(second - 5, pool="Api") for second in other)]
    found = {stream.pool: (stream.count, stream.verdict) for stream in streams(mixed, stops)}
    assert found == {"Shop": (30, "confirmed"), "Api": (14, "confirmed")}


def test_an_error_or_two_near_a_stop_confirm_nothing() -> None:
    """Stops each 21 minutes, and errors at any time: one in twenty comes right after one."""
    clients = [error(n * 997.0 + n * n) for n in range(38)]
    assert "confirmed" not in {stream.verdict for stream in streams(clients, STOPS)}


@pytest.mark.parametrize(
    ("others", "verdict"),
    [({}, "consistent"), ({"local": True}, "confirmed"), ({"preload": True}, "confirmed")],
    ids=["client not known", "from the server itself", "Application Initialization"],
)
def test_one_error_after_one_recycle_is_no_pattern(others: dict[str, Any], verdict: str) -> None:
    """However seldom the pool is recycled: a client is disturbed by one too. The request's own marks are enough."""
    events = [event(day * 86400.0, "recycle", cause="administrator") for day in range(25)]
    (stream,) = streams([error(7 * 86400.0 + 30, **others)], events, inspections=[server(fully_logged())])
    assert stream.verdict == verdict
    (both,) = streams([error(day * 86400.0 + 30) for day in (7, 9)], events)
    assert both.verdict == "confirmed"


@pytest.mark.parametrize("every", [1265, 1275, 1290, 1310])
def test_a_job_that_keeps_its_clock_is_not_confirmed_by_the_stops_before_it(every: int) -> None:
    """Its own request is what the idle clock counts from: so a stop comes 20 to 22 minutes later, and then the next."""
    jobs = [n * float(every) for n in range(100)]
    stops = [event(second - 3 - (n * 7 % 40)) for n, second in enumerate(jobs)]
    (stream,) = streams([error(second) for second in jobs], stops)
    assert stream.verdict == "unsupported" and "clock of their own" in stream.symptoms["periodic"].text


def test_without_a_zone_the_period_is_found_and_nothing_is_compared() -> None:
    naive = [replace(one, time=one.time and one.time.replace(tzinfo=None)) for one in ERRORS]
    stream = one_stream(naive, STOPS, QUIET)
    assert stream.verdict == "consistent" and stream.period_seconds and 1200 <= stream.period_seconds <= 1320
    assert "--time-zone" in stream.symptoms["after-recycle"].text
    assert "--time-zone" in stream.symptoms["not-in-iis-log"].text


def test_errors_without_a_time_are_counted_and_said() -> None:
    stream = one_stream([LoggedException(code="0x80070032", raised=True, flushed=True)] * 3)
    assert stream.count == 3 and stream.attribution.unexplained == 3 and stream.first is None
    assert "has no time" in stream.symptoms["periodic"].text


def test_a_hundred_thousand_names_are_bounded() -> None:
    errors = [error(n, application=f"app{n}") for n in range(2000)] + [error(n, application="real") for n in range(50)]
    found = streams(errors)
    assert len(found) <= 201 and sum(stream.count for stream in found) == 2050
    assert "real" in {stream.application for stream in found}
