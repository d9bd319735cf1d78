"""Each error and what it came after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.diagnose.attribution import (
    UNEXPLAINED,
    Cause,
    Cover,
    by_chance,
    by_gaps,
    cause_of,
    followed,
    nearest_events,
    rare,
)
from remediate.diagnose.period import Period
from remediate.values.logs import WorkerEvent
from tests.diagnosis.values import at, event


@pytest.mark.parametrize(
    ("before", "kind", "why"),
    [
        ([event(-4)], "idle", "idle-stop"),
        ([event(-59)], "idle", "idle-stop"),
        ([event(-61)], "unexplained", ""),
        ([event(-4, "shortened")], "idle", "shortened"),
        ([event(-4, "recycle", cause="time")], "recycle", "time"),
        ([event(-4, "recycle", cause="configuration"), event(-40)], "recycle", "configuration"),
        ([event(-50, "recycle", cause="time"), event(-5)], "idle", "idle-stop"),
        ([event(-100, "boot", None)], "recycle", "boot"),
        ([event(-200, "boot", None)], "unexplained", ""),
        ([event(-4, "failure")], "recycle", "failure"),
        ([event(1)], "idle", "idle-stop"),
        ([event(10)], "unexplained", ""),
        ([], "unexplained", ""),
    ],
)
def test_the_nearest_event_before_it_tells(before: list[WorkerEvent], kind: str, why: str) -> None:
    (found,) = nearest_events([at(0)], before)
    cause = cause_of(found)
    assert (cause.kind, cause.why) == (kind, why)


def test_without_events_the_time_since_the_last_start_tells() -> None:
    """20 minutes, and up to two more; the first has nothing before it."""
    starts = [at(0), at(1260), at(2590), at(5000), at(6330)]
    found = by_gaps(starts, [UNEXPLAINED] * 5, idle=1200, found=())
    assert [cause.kind for cause in found] == ["unexplained", "idle", "idle", "unexplained", "idle"]


def test_or_since_the_last_request() -> None:
    starts = [at(0), at(5000)]
    found = by_gaps(starts, [UNEXPLAINED] * 2, idle=1200, found=(), last=[None, at(3740)])
    assert [cause.kind for cause in found] == ["unexplained", "idle"]


def test_a_pool_that_is_never_idle_for_too_long_has_no_idle_error() -> None:
    found = by_gaps([at(0), at(1260)], [UNEXPLAINED] * 2, idle=0, found=())
    assert [cause.kind for cause in found] == ["unexplained", "unexplained"]


def test_where_the_time_out_is_not_known_the_period_stands_for_it() -> None:
    """Of two pools in one log, the start before may be the other's."""
    period = Period(seconds=1260, confidence=1, gaps=9, shortest=1240, longest=1290)
    starts = [at(0), at(500), at(1260), at(1770)]
    found = by_gaps(starts, [UNEXPLAINED] * 4, idle=None, found=[period])
    assert [cause.kind for cause in found] == ["unexplained", "unexplained", "idle", "idle"]


def test_a_restart_by_time_is_known_by_its_distance() -> None:
    day = 29 * 3600
    found = by_gaps([at(0), at(day + 7)], [UNEXPLAINED] * 2, idle=1200, found=(), restart=day)
    assert found[1] == Cause("recycle", "time")


def test_events_followed() -> None:
    assert followed([event(0), event(1000), event(2000)], [at(5), at(2059)]) == (2, 3)


def test_how_much_of_the_time_lies_after_an_event() -> None:
    """A minute after each, and where they overlap once."""
    cover = Cover(at(0), at(1000))
    assert by_chance([event(100), event(130), event(900)], cover) == pytest.approx((90 + 60) / 1000)


@given(st.lists(st.floats(0, 1e6), max_size=30), st.floats(1, 1e6))
def test_a_chance_is_a_share(seconds: list[float], length: float) -> None:
    assert 0 <= by_chance([event(second) for second in seconds], Cover(at(0), at(length))) <= 1


@pytest.mark.parametrize(
    ("seen", "of", "chance", "is_rare"),
    [(1, 1, 0.0005, True), (1, 1, 0.05, False), (3, 3, 0.05, True), (10, 200, 0.05, False), (0, 5, 0.0, False)],
)
def test_what_chance_would_hardly_do(seen: int, of: int, chance: float, is_rare: bool) -> None:
    assert rare(seen, of, chance) is is_rare


def test_the_best_of_many_looks_is_less_rare() -> None:
    assert rare(3, 3, 0.05) and not rare(3, 3, 0.05, looks=105)
