"""What an error came after, where no event tells."""

from remediate.diagnose.observations import UNEXPLAINED, Cause, by_gaps
from remediate.diagnose.timing import Period
from tests.diagnosis.values import at


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
