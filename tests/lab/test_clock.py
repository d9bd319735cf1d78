"""The lab's clock keeps IIS's rules, whatever the settings; and the same seed is the same history everywhere."""

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from remediate_lab.clock.history import Error, History
from remediate_lab.clock.life import Worker
from remediate_lab.clock.moments import to_ms
from remediate_lab.clock.simulation import simulate
from remediate_lab.clock.traffic import TRAFFIC
from remediate_lab.clock.world import App, Incident, IncidentKind, PoolSettings, Span
from tests.environments import Environment

BEGIN = datetime(2026, 11, 9, tzinfo=UTC)
SHOP = App("Default Web Site/shop", 1, preload=True)
# As IIS.md has them: the event, and the word of logEventOnRecycle.
RECYCLES = {
    5074: "Time", 5075: "Requests", 5076: "Schedule", 5077: "Memory", 5078: "IsapiUnhealthy", 5079: "OnDemand",
    5080: "ConfigChange", 5117: "PrivateMemory",
}  # fmt: skip
KINDS: tuple[IncidentKind, ...] = (
    "boot", "failure", "shortage", "requests", "virtual-memory", "private-memory", "administrator", "configuration",
    "unhealthy",
)  # fmt: skip

minutes = st.sampled_from((1, 5, 20, 45, 60, 29 * 60))
pools = st.builds(
    PoolSettings,
    name=st.just("Contoso Shop"),
    always_running=st.booleans(),
    idle_timeout=st.one_of(st.just(0), minutes.map(lambda number: number * 60)),
    suspends=st.booleans(),
    restart_after=st.sampled_from((0, 3600, 29 * 3600)),
    schedule=st.lists(st.integers(0, 86399), max_size=2).map(tuple),
    logged=st.lists(st.sampled_from(list(RECYCLES.values())), unique=True).map(tuple),
    logs_idle_stops=st.booleans(),
    overlaps=st.booleans(),
    managed=st.booleans(),
    appinit=st.booleans(),
    runs=st.booleans(),
    applications=st.sampled_from(((), (SHOP,), (SHOP, App("Default Web Site/cart")), (SHOP, App("api/", 2, True)))),
)
incidents = st.lists(
    st.builds(
        Incident,
        time=st.integers(0, 2 * 86400).map(lambda seconds: BEGIN + timedelta(seconds=seconds)),
        kind=st.sampled_from(KINDS),
        pool=st.sampled_from((None, "Contoso Shop")),
        minutes=st.integers(1, 90),
    ),
    max_size=6,
)
traffic = st.sampled_from(list(TRAFFIC))


def played(pool: PoolSettings, asks: str = "none", *befalls: Incident, days: float = 2, **more: Any) -> History:
    span = Span(BEGIN, BEGIN + timedelta(days=days))
    given: dict[str, Any] = {"seed": 1, "traffic": TRAFFIC[asks], "incidents": befalls} | more
    return simulate("web01", [pool], span, **given).history


def always(idle: int = 20, **more: Any) -> PoolSettings:
    return PoolSettings(name="Contoso Shop", always_running=True, idle_timeout=idle * 60, applications=(SHOP,), **more)


def gaps(errors: list[Error]) -> list[float]:
    return [(later.time - error.time).total_seconds() for error, later in pairwise(errors)]


def test_the_articles_case() -> None:
    """20 minutes idle: worked out by hand for a worker that started, had a request after 5 s and is late by nothing."""
    started = to_ms(BEGIN)
    before = {"Contoso Shop": Worker(started, started + 5000, 20 * 60_000)}
    history = played(always(restart_after=0), days=1, before=before, lateness=0)
    # It looks each minute: the 20th comes 5 s too early, the 21st finds it idle.
    assert history.events[0].event.time == BEGIN + timedelta(minutes=21)
    assert (history.events[0].event.id, history.events[0].event.kind) == (5186, "idle-stop")
    first = history.errors[0]
    assert timedelta(seconds=1) < first.time - history.events[0].event.time < timedelta(seconds=10)
    assert (first.code, first.cause, first.client) == ("0x80070032", "idle", "127.0.0.1")
    # A day has 1440 minutes; each round takes 21 and some seconds.
    assert 66 <= len(history.errors) <= 68
    assert len(history.errors) == len(history.starts) == len(history.logged)


@given(pools, traffic, incidents)
def test_an_idle_error_has_its_reasons(pool: PoolSettings, asks: str, befalls: list[Incident]) -> None:
    """Not on demand, nor suspended, nor with an idle time-out of 0, nor where nothing preloads managed code."""
    history = played(pool, asks, *befalls)
    possible = (
        pool.always_running
        and pool.runs
        and pool.managed
        and pool.appinit
        and any(a.preload for a in pool.applications)
    )
    ours = [error for error in history.errors if error.cause != "client"]
    assert possible or not ours
    if pool.suspends or pool.idle_timeout == 0:
        assert not [error for error in ours if error.cause == "idle"]
        assert not [told for told in history.events if told.event.id in (5186, 5195)]


@given(minutes, st.integers(0, 45_000), st.integers(0, 1000))
def test_the_period_is_the_time_out_and_up_to_two_minutes(idle: int, lateness: int, seed: int) -> None:
    history = played(always(idle, restart_after=0), days=4, lateness=lateness, seed=seed)
    assert len(history.errors) > 2 or idle == 29 * 60
    assert all(idle * 60 <= gap <= idle * 60 + 120 for gap in gaps(list(history.errors)))


def test_twenty_minutes_are_typically_twentyone() -> None:
    measured = gaps(list(played(always(restart_after=0), days=7).errors))
    assert 21 * 60 <= sorted(measured)[len(measured) // 2] < 22 * 60


@given(pools, traffic, incidents)
def test_each_error_of_ours_follows_a_start(pool: PoolSettings, asks: str, befalls: list[Incident]) -> None:
    """Within seconds, of the same cause; and the IIS log has only clients' requests."""
    history = played(pool, asks, *befalls)
    for error in history.errors:
        if error.cause == "client":
            assert any((r.time, r.client, r.page) == (error.time, error.client, error.page) for r in history.requests)
        else:
            assert any(
                timedelta() < error.time - start.time <= timedelta(seconds=10)
                and (start.cause, start.recycle) == (error.cause, error.recycle)
                for start in history.starts
            )
    assert not [request for request in history.requests if request.client == "127.0.0.1" or "Preload" in request.agent]


@given(pools, traffic, incidents)
def test_the_flags_say_what_is_logged(pool: PoolSettings, asks: str, befalls: list[Incident]) -> None:
    """Events that Windows was not told to log are in the truth and not in the log; boots and failures always are."""
    history = played(pool, asks, *befalls)
    for told in history.events:
        number = told.event.id
        if number in RECYCLES:
            assert told.logged == (RECYCLES[number] in pool.logged)
        elif number in (5186, 5195):
            assert told.logged == pool.logs_idle_stops
        else:
            assert told.logged and number in (12, 6005, 5009, 5010, 5011, 5139)
    assert history.logged == tuple(told.event for told in history.events if told.logged)


@given(pools, traffic, incidents)
def test_a_history_is_in_order_and_within_its_span(pool: PoolSettings, asks: str, befalls: list[Incident]) -> None:
    history = played(pool, asks, *befalls)
    for times in (
        [start.time for start in history.starts], [error.time for error in history.errors],
        [told.event.time for told in history.events], [request.time for request in history.requests],
    ):  # fmt: skip
        assert times == sorted(times)
        assert all(time < BEGIN + timedelta(days=2) for time in times)
    # While a server is down it serves nobody, and nothing starts.
    for boot in (incident for incident in befalls if incident.kind == "boot"):
        down = boot.time - timedelta(minutes=boot.minutes)
        later = [other for other in befalls if other.kind == "boot" and down < other.time < boot.time]
        happened = [x.time for x in history.starts] + [x.time for x in history.requests]
        assert later or not [time for time in happened if down < time < boot.time]


def test_traffic_keeps_a_worker_from_being_idle() -> None:
    """A probe each minute: no idle stop after the first requests, and the recycles at 29 hours stay."""
    history = played(always(), "probe", days=4)
    causes = [error.cause for error in history.errors if error.time > BEGIN + timedelta(minutes=30)]
    assert set(causes) == {"recycle"} and len(causes) in (3, 4)
    assert gaps([error for error in history.errors if error.cause == "recycle"])[-1] == pytest.approx(29 * 3600, abs=60)


def test_suspend_leaves_the_recycles() -> None:
    history = played(always(suspends=True), days=8)
    assert {(error.cause, error.recycle) for error in history.errors} == {("recycle", "time")}
    assert len(history.errors) in (6, 7)


def test_on_demand_a_request_starts_the_worker() -> None:
    history = played(replace(always(), always_running=False), "random")
    assert history.errors == ()
    assert {start.cause for start in history.starts} == {"request"}
    stops = [told.event for told in history.events if told.event.id == 5186]
    assert len(stops) in (len(history.starts), len(history.starts) - 1)


@pytest.mark.parametrize("overlaps", [True, False])
@pytest.mark.parametrize(
    ("kind", "number", "cause"),
    [("administrator", 5079, "recycle"), ("configuration", 5080, "recycle"), ("failure", 5011, "failure")],
)
def test_what_befalls_a_pool_ends_in_one_more_error(
    kind: IncidentKind, number: int, cause: str, overlaps: bool
) -> None:
    at = BEGIN + timedelta(hours=5)
    pool = always(0, restart_after=0, overlaps=overlaps, logged=("OnDemand", "ConfigChange"))
    history = played(pool, "none", Incident(time=at, kind=kind, pool=pool.name))
    (error,), (event,) = history.errors, history.logged
    assert (event.id, event.time, event.pool, error.cause) == (number, at, "Contoso Shop", cause)
    assert timedelta(seconds=1) < error.time - at < timedelta(seconds=60)


def test_a_boot_is_told_and_starts_all_pools() -> None:
    at = BEGIN + timedelta(hours=5)
    history = played(always(0, restart_after=0), "none", Incident(time=at, kind="boot"))
    assert [event.id for event in history.logged] == [12, 6005]
    assert {event.pool for event in history.logged} == {None}
    (error,) = history.errors
    assert error.cause == "boot" and timedelta(seconds=10) < error.time - at < timedelta(seconds=60)


def test_a_server_that_is_down_does_nothing() -> None:
    """Clients are not served, and of the start that was about to be made when it went down nothing comes."""
    boot = Incident(time=BEGIN + timedelta(hours=5), kind="boot", minutes=30)
    down = boot.time - timedelta(minutes=30)
    recycle = Incident(time=down - timedelta(milliseconds=500), kind="administrator")
    history = played(always(0, restart_after=0), "probe", boot, recycle, days=0.5)
    served = [request.time for request in history.requests]
    assert len(served) == pytest.approx(12 * 60 - 30, abs=2) and not [
        time for time in served if down < time < boot.time
    ]
    assert [start.cause for start in history.starts] == [error.cause for error in history.errors] == ["boot"]


def test_short_memory_shortens_the_period() -> None:
    """For six hours 20 minutes are cut to 6: those stops are event 5195, before and after they are 5186."""
    short = Incident(time=BEGIN + timedelta(hours=6), kind="shortage", minutes=360, cut=360)
    history = played(always(restart_after=0), "none", short, days=1)
    cut = [told.event.time for told in history.events if told.event.id == 5195]
    assert all(timedelta(hours=6) <= time - BEGIN < timedelta(hours=12) for time in cut)
    assert len(cut) == pytest.approx(6 * 60 / 7, abs=3)
    assert len(history.events) - len(cut) == pytest.approx(18 * 60 / 21, abs=3)


def test_a_schedule_goes_by_the_wall_clock() -> None:
    """03:15 in Berlin is 01:15 UTC in summer and 02:15 in winter; the clock was set back on 25 October 2026."""
    begin = datetime(2026, 10, 23, 12, tzinfo=UTC)
    pool = always(0, restart_after=0, schedule=(3 * 3600 + 15 * 60,))
    span = Span(begin, begin + timedelta(days=4))
    history = simulate("web01", [pool], span, seed=1, zone=ZoneInfo("Europe/Berlin")).history
    assert [told.event.time for told in history.events] == [
        datetime(2026, 10, 24, 1, 15, tzinfo=UTC),
        *(datetime(2026, 10, day, 2, 15, tzinfo=UTC) for day in (25, 26, 27)),
    ]
    assert [error.recycle for error in history.errors] == ["schedule"] * 4


@given(pools, traffic, incidents)
def test_the_same_again_is_the_same(pool: PoolSettings, asks: str, befalls: list[Incident]) -> None:
    assert played(pool, asks, *befalls) == played(pool, asks, *befalls)


def test_another_seed_is_another_history() -> None:
    assert played(always(), "random", seed=1) != played(always(), "random", seed=2)


DIGEST = """
import hashlib
from datetime import UTC, datetime, timedelta
from remediate_lab.clock.simulation import simulate
from remediate_lab.clock.traffic import TRAFFIC
from remediate_lab.clock.world import App, PoolSettings, Span
begin = datetime(2026, 11, 9, tzinfo=UTC)
pool = PoolSettings(name="p", always_running=True, applications=(App("Default Web Site/shop", 1, True),))
every = [simulate("web01", [pool], Span(begin, begin + timedelta(days=3)), seed=7, traffic=t) for t in TRAFFIC.values()]
print(hashlib.sha256(repr(every).encode()).hexdigest())
"""


@pytest.mark.every_ansible
def test_one_seed_is_one_history(environment: Environment) -> None:
    """With each Python, whatever its hashes."""
    begin = datetime(2026, 11, 9, tzinfo=UTC)
    pool = PoolSettings(name="p", always_running=True, applications=(App("Default Web Site/shop", 1, True),))
    span = Span(begin, begin + timedelta(days=3))
    here = repr([simulate("web01", [pool], span, seed=7, traffic=streams) for streams in TRAFFIC.values()])
    said = subprocess.run(
        [environment.bin / "python", "-c", DIGEST], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "12345"},
    )  # fmt: skip
    assert said.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


def test_requests_of_one_moment_are_served_in_their_order() -> None:
    """Bursts ask two applications in the same millisecond now and then."""
    pool = PoolSettings(name="Contoso Shop", applications=(SHOP, App("Default Web Site/cart")))
    requests = played(pool, "bursts", days=20).requests
    times = [request.time for request in requests]
    assert times == sorted(times)
    assert len(times) > len(set(times)), "else the case is not here"
    assert {request.application for request in requests} == {"Default Web Site/shop", "Default Web Site/cart"}
