"""The period of errors: found within its tolerance whatever lies between them, and not found where there is none."""

from datetime import datetime, timedelta
from itertools import accumulate
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.diagnose.thresholds import SURE
from remediate.diagnose.timing import periods, starts
from remediate_lab.chance import Chance
from tests.diagnosis.values import BEGIN, at


def idle(timeout: float, count: int, seed: int, begin: float = 0.0) -> list[float]:
    """Errors of a pool that nobody asks: each comes its time-out and 0 to 2 minutes after the one before."""
    chance = Chance(seed)
    return [begin + n for n in accumulate(timeout + 120 * chance.share() for _ in range(count))]


def times(seconds: list[float]) -> list[datetime]:
    return [at(second) for second in seconds]


minutes = st.integers(5, 60)
seeds = st.integers(0, 10_000)


@given(minutes, st.integers(8, 120), seeds)
def test_a_quiet_pool_s_period_is_its_time_out_and_up_to_two_minutes(timeout: int, count: int, seed: int) -> None:
    first = periods(times(idle(timeout * 60, count, seed)))[0]
    assert timeout * 60 <= first.seconds <= timeout * 60 + 120
    assert first.confidence > SURE and first.gaps == count - 1
    assert first.fits(timeout * 60) and not first.fits(timeout * 60 + 180) and not first.fits(timeout * 60 - 300)


@given(minutes, st.integers(8, 60), seeds)
def test_errors_of_several_applications_at_one_start_are_one(timeout: int, count: int, seed: int) -> None:
    once = idle(timeout * 60, count, seed)
    burst = [second + more for second in once for more in (0, 3, 11)]
    assert periods(times(burst)) == periods(times(once))
    assert len(starts(times(burst))) == count


@given(minutes, seeds)
def test_a_third_of_the_errors_may_be_missing(timeout: int, seed: int) -> None:
    """Not twice the period, which fits as many."""
    every = idle(timeout * 60, 90, seed)
    chance = Chance(seed, "kept")
    kept = [second for second in every if chance.share() > 0.33]
    assert periods(times(kept))[0].fits(timeout * 60)


@given(st.sampled_from([10, 20, 30]), seeds)
def test_traffic_makes_gaps_longer_and_leaves_the_period(timeout: int, seed: int) -> None:
    """A request now and then sets the clock back: the gap is then any length over the time-out."""
    chance = Chance(seed)
    gaps = [timeout * 60 + 120 * chance.share() + (7200 * chance.share() if n % 3 else 0) for n in range(90)]
    assert periods(times([*accumulate(gaps)]))[0].fits(timeout * 60)


@given(seeds)
def test_of_two_pools_in_one_log_both_are_found(seed: int) -> None:
    mixed = sorted(idle(1200, 100, seed) + idle(2700, 45, seed + 1, begin=500))
    found = periods(times(mixed))
    assert found[0].fits(1200) and len(found) > 1
    assert found[1].fits(2700), [period.seconds for period in found]


@given(minutes, st.integers(5, 40), seeds, st.floats(0.1, 50), st.integers(-(10**6), 10**6))
def test_scale_and_shift_change_nothing_else(timeout: int, count: int, seed: int, scale: float, shift: int) -> None:
    seconds = idle(timeout * 60, count, seed)
    plain = periods(times(seconds))[0]
    scaled = periods(
        [BEGIN + timedelta(seconds=second * scale + shift) for second in seconds], jitter=120 * scale, slack=15 * scale
    )[0]
    assert scaled.seconds == pytest.approx(plain.seconds * scale, rel=1e-4)
    assert scaled.confidence == pytest.approx(plain.confidence, abs=1e-3)


def test_random_times_seldom_show_one() -> None:
    """What the confidence says: at SURE, fewer than one in twenty such logs."""
    chance = Chance("random times")
    logs = [
        [*accumulate(-mean * log(1 - chance.share()) for _ in range(60))] for mean in (60, 600, 3000) for _ in range(60)
    ]
    sure = [log for log in logs if (found := periods(times(log))) and found[0].confidence >= SURE]
    assert len(sure) < len(logs) / 20


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_are_none(count: int) -> None:
    assert periods(times([n * 1260.0 for n in range(count)])) == ()


def test_two_gaps_are_not_enough_to_be_sure() -> None:
    (found,) = periods(times([0, 1260, 2530]))
    assert found.gaps == 2 and found.confidence < SURE


def test_all_at_one_moment_is_no_period() -> None:
    assert periods(times([5.0] * 100)) == ()
