"""Errors against IIS's own log."""

from hypothesis import example, given
from hypothesis import strategies as st

from remediate.diagnose.iis_log import LineWatch
from tests.diagnosis.values import at, request

NOBODY: frozenset[str] = frozenset()


def test_a_line_at_the_error_s_time_is_seen_and_none_is_seen_too() -> None:
    watch = LineWatch([at(1000.4), at(5000)], None, None)
    for second in (0, 1001, 4000, 9000):
        watch.take(request(second), NOBODY)
    result = watch.result()
    assert result.at == (True, False) and result.matched == 1 and result.checked == 2
    assert result.last == (at(0), at(4000)) and result.chance == 0


def test_an_error_that_the_log_does_not_reach_is_not_checked() -> None:
    watch = LineWatch([at(0), at(500), at(2000)], None, None)
    for second in (400, 600):
        watch.take(request(second), NOBODY)
    assert watch.result().at == (None, False, None)


def test_a_log_with_no_lines_checks_nothing() -> None:
    result = LineWatch([at(0)], None, None).result()
    assert result.at == (None,) and result.last == (None,) and result.checked == 0


def test_another_pool_s_requests_do_not_count() -> None:
    watch = LineWatch([at(1000)], None, "Shop")
    for second, pools in ((0, {"shop"}), (990, {"api"}), (1000, {"api"}), (1500, {"api"})):
        watch.take(request(second), frozenset(pools))
    assert watch.result().at == (False,) and watch.result().last == (at(0),)


def test_a_request_that_several_pools_may_have_answered_is_a_line_and_resets_no_clock() -> None:
    watch = LineWatch([at(1000)], None, "Shop")
    for second, pools in ((0, {"shop"}), (500, {"shop", "api"}), (1000, {"shop", "api"})):
        watch.take(request(second), frozenset(pools))
    assert watch.result().at == (True,) and watch.result().last == (at(0),)


def test_a_busy_log_says_so() -> None:
    watch = LineWatch([at(5000), at(9000)], None, None)
    for second in range(0, 20000, 3):
        watch.take(request(second), NOBODY)
    assert watch.result().chance > 0.9


def test_a_probe_that_asks_at_the_same_second_of_each_minute_says_so() -> None:
    """Its line stands at an error of a recycle at 3:00:00, and at every other minute as well."""
    watch = LineWatch([at(3600), at(7200)], None, None)
    for second in range(0, 10000, 60):
        watch.take(request(second), NOBODY)
    assert watch.result().at == (True, True) and watch.result().chance == 1


# Exactly 2 s after the line, which sums of seconds with fractions miss.
@example(errors=[2.0, 1.099609375], lines=[0])
@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20), st.lists(st.integers(0, 100_000), max_size=60))
def test_it_is_what_a_look_at_all_pairs_would_say(errors: list[float], lines: list[int]) -> None:
    times = sorted(at(second) for second in errors)
    watch = LineWatch(times, None, None)
    for second in lines:
        watch.take(request(second), NOBODY)
    answered = [at(second) for second in lines]
    for time, found, last in zip(times, watch.result().at, watch.result().last, strict=True):
        away = [(line - time).total_seconds() for line in answered]
        if found is not None:
            assert found == any(-2 <= gap <= 4 for gap in away)
        assert last == max((line for line, gap in zip(answered, away, strict=True) if gap < -2), default=None)
