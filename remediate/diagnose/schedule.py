"""Whether errors keep a clock, as jobs and probes do. Pure.

An idle time-out counts from the start before, and each start takes a while: so the phase drifts, without end. A job
that keeps its phase may happen to come shortly after each idle stop, for it is its own request that the idle clock
counts from. But then the stops vary by more than the errors do: what follows something varies at least as much as that.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import linear_regression, median, median_low

from msgspec import Struct

from remediate.diagnose.period import Period
from remediate.diagnose.thresholds import DEVIATION, EXACT, KEPT, LESS, NEARLY_ALL, OTHERS, SLACK, STEP
from remediate.values.logs import WorkerEvent


def by_the_clock(times: Sequence[datetime], period: Period) -> bool:
    """Whether the errors keep to the minutes of a wall clock, in steps of five."""
    whole = round(period.seconds / STEP) * STEP
    if period.gaps < KEPT or not whole or abs(period.seconds - whole) > SLACK / 2:
        return False
    seconds = [(time - times[0]).total_seconds() for time in times]
    # The middle one's phase, so that one error that is none of them decides nothing.
    phases = sorted((second + whole / 2) % whole - whole / 2 for second in seconds)
    middle = median_low(phases)
    kept = sum(abs((phase - middle + whole / 2) % whole - whole / 2) <= SLACK / 2 for phase in phases)
    return kept >= NEARLY_ALL * len(phases)


class Clock(Struct, frozen=True):
    """The clock that fits some times best: how far each is from it, and what is usual, in seconds."""

    strays: tuple[float, ...]
    usual: float

    def keeps(self, chosen: Sequence[int]) -> bool:
        """Whether nearly all of those keep to it."""
        near = sum(self.strays[n] <= 3 * self.usual + 2 for n in chosen)
        return near >= NEARLY_ALL * len(chosen)


def keeps_own_clock(times: Sequence[datetime], events: Sequence[WorkerEvent | None], found: Sequence[Period]) -> bool:
    """Whether the errors that come after events do not follow them, but keep a clock of their own.

    They do if they vary by less than the time since the event; or if others keep the same clock with no event before.
    """
    after = [n for n, event in enumerate(events) if event is not None]
    if len(after) < KEPT:
        return False
    delays = [(time - event.time).total_seconds() for time, event in zip(times, events, strict=True) if event]
    middle = median(delays)
    loose = DEVIATION * median(abs(delay - middle) for delay in delays)
    others = len(times) - len(after)
    for period in found:
        clock = _clock(times, period.seconds) if period.gaps >= KEPT else None
        if clock is None or not clock.keeps(after):
            continue
        if clock.usual < LESS * loose or (clock.usual < EXACT and others > OTHERS * len(times)):
            return True
    return False


def _clock(times: Sequence[datetime], period: float) -> Clock | None:
    """The one of about that period that fits best; None where too few fit."""
    seconds = [(time - times[0]).total_seconds() for time in times]
    turns = [0]
    for early, late in pairwise(seconds):
        turns.append(turns[-1] + round((late - early) / period))
    chosen = list(range(len(times)))
    clock: Clock | None = None
    # Those that are far off are left out, and the others fitted again.
    for _ in range(3):
        if len({turns[n] for n in chosen}) < KEPT:
            return clock
        slope, intercept = linear_regression([turns[n] for n in chosen], [seconds[n] for n in chosen])
        strays = tuple(abs(second - intercept - slope * turn) for turn, second in zip(turns, seconds, strict=True))
        usual = DEVIATION * median(strays[n] for n in chosen)
        clock = Clock(strays, usual)
        chosen = [n for n in chosen if strays[n] <= 3 * usual + 1e-6]
    return clock
