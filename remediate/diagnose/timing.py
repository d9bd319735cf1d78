"""Times of errors -> the periods at which they come, and whether they keep a clock. Pure.

A period: a worker is ended when it was idle for its time-out, which IIS notices within two minutes more, and the error
follows. So each error comes a *gap* after an earlier one, and all such gaps lie in one window of two minutes and a
little. The phase drifts, and traffic, recycles and lost lines put other gaps between: only gaps count, never the phase,
and each error is compared with many before it, so that the periods of several pools in one log are found too.

A clock, as jobs and probes keep one: an idle time-out counts from the start before, and each start takes a while, so
its phase drifts without end. A job that keeps its phase may happen to come shortly after each idle stop, for it is its
own request that the idle clock counts from. But then the stops vary by more than the errors do: what follows something
varies at least as much as that.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from math import exp, log
from statistics import linear_regression, median, median_low

from msgspec import Struct

from remediate.causation import unlikely
from remediate.diagnose.thresholds import (
    BURST,
    DEVIATION,
    EXACT,
    GOOD,
    JITTER,
    KEPT,
    LESS,
    NEARLY_ALL,
    OTHERS,
    SHORTEST_IDLE,
    SLACK,
    STARTS,
    STARTS_BEFORE,
    STEP,
    SURE,
    WINDOWS_PER_WIDTH,
    YEARS,
)
from remediate.values.logs import LoggedException, WorkerEvent


def time_of(one: LoggedException) -> datetime | None:
    """Its time, in UTC where it has a zone; None where there is none that means something."""
    return None if one.time is None else sound(one.time)


def sound(time: datetime) -> datetime | None:
    """The time, in UTC where it has a zone; None where it means nothing."""
    if time.year not in YEARS:
        return None
    return time if time.tzinfo is None else time.astimezone(UTC)


def sorted_times(occurrences: Iterable[LoggedException]) -> tuple[datetime, ...]:
    return tuple(sorted(time for one in occurrences if (time := time_of(one)) is not None))


class Period(Struct, frozen=True, kw_only=True):
    """A gap that comes again and again, in seconds: its median, and the ``shortest`` and ``longest`` of those seen.

    Of ten and more, a tenth is left out at either end: a gap of another cause may be as long by chance.

    ``confidence`` is 0 to 1: one less (an upper bound of) the chance that as many errors at random times, as often,
    show so many equal gaps anywhere. It is about the clock alone: a scheduled task has a period too.
    """

    seconds: float
    confidence: float
    gaps: int
    shortest: float
    longest: float

    def fits(self, idle: float) -> bool:
        """Whether an idle time-out of so many seconds gives such gaps: itself and 0 to 2 minutes more."""
        return idle - SLACK <= self.shortest and self.longest <= idle + JITTER + SLACK


def starts(times: Iterable[datetime], apart: float = BURST) -> tuple[datetime, ...]:
    """The times in order, one for each burst: its first."""
    found: list[datetime] = []
    for time in sorted(times):
        if not found or (time - found[-1]).total_seconds() > apart:
            found.append(time)
    return tuple(found)


def periods(times: Iterable[datetime], *, jitter: float = JITTER, slack: float = SLACK) -> tuple[Period, ...]:
    """The periods in these times (all with a zone, or all without), the surest first; at most three.

    The second is looked for among the errors that the first leaves unexplained, and so on: several pools in one log.
    """
    apart = BURST * jitter / JITTER
    moments = starts(times, apart)[-STARTS:]
    if len(moments) < 3:
        return ()
    seconds = [(moment - moments[0]).total_seconds() for moment in moments]
    width = jitter + slack
    gaps = _gaps(seconds)
    coincidence_rate = _coincidence_rate(seconds, width, apart)
    found: list[Period] = []
    left = set(range(1, len(seconds)))
    while left and len(found) < 3:
        usable = [(gap, late) for gap, late in gaps if late in left and not _multiple(gap, found, width)]
        best = _best(usable, len(left), coincidence_rate, width)
        if best is None or (found and best[0].confidence < SURE):
            break
        found.append(best[0])
        left -= best[1]
    return tuple(found)


def idle_period(times: Sequence[datetime], idle_gaps: Sequence[float | None]) -> Period | None:
    """The same from the time since the last request or error before each of the (sorted) times, where it is known."""
    known = [(gap, n) for n, gap in enumerate(idle_gaps) if gap is not None]
    long = sorted((gap, n) for gap, n in known if gap >= SHORTEST_IDLE)
    if len(times) < 3 or not long:
        return None
    seconds = [(time - times[0]).total_seconds() for time in times]
    best = _best(long, len(known), _coincidence_rate(seconds, JITTER + SLACK, BURST), JITTER + SLACK)
    return None if best is None else best[0]


def period_of(times: Iterable[datetime], idle: float) -> Period | None:
    """The gaps that an idle time-out of so many seconds would give, if there are any."""
    moments = starts(times)[-STARTS:]
    if len(moments) < 3:
        return None
    seconds = [(moment - moments[0]).total_seconds() for moment in moments]
    fitting = [(gap, late) for gap, late in _gaps(seconds) if idle - SLACK <= gap <= idle + JITTER + SLACK]
    if not fitting:
        return None
    lengths, explained = sorted(gap for gap, _ in fitting), {late for _, late in fitting}
    coincidence_rate = _coincidence_rate(seconds, JITTER + 2 * SLACK, BURST)
    return Period(
        seconds=median(lengths), confidence=1 - exp(-unlikely(len(explained), len(seconds) - 1, coincidence_rate)),
        gaps=len(explained), shortest=lengths[len(lengths) // 10], longest=lengths[-1 - len(lengths) // 10],
    )  # fmt: skip


def _gaps(seconds: Sequence[float]) -> list[tuple[float, int]]:
    """Each gap between an error and one of those before it, with the place of the later one; sorted."""
    return sorted(
        (seconds[late] - seconds[early], late)
        for late in range(1, len(seconds))
        for early in range(max(0, late - STARTS_BEFORE), late)
    )


def _coincidence_rate(seconds: Sequence[float], width: float, apart: float) -> float:
    """The chance that a random moment has an error within a window of this width, where errors are as dense as here.

    By the mean gap or the median one, whichever is the shorter: errors may come by day alone. No gap is as short as
    ``apart``: those were taken for one start.
    """
    adjacent = [late - early for early, late in pairwise(seconds)]
    return 1 - exp(-width / (min(median(adjacent), seconds[-1] / len(adjacent)) - apart))


def _best(
    gaps: Sequence[tuple[float, int]], of: int, coincidence_rate: float, width: float
) -> tuple[Period, set[int]] | None:
    """The window of gaps that is the least likely by chance, and the errors that it explains.

    Where errors are missing, twice the period is nearly as good as the period, and of two pools a multiple of both may
    be better than either: the shortest of the good ones is taken.
    """
    windows = [(weight, window) for weight, window in _windows(gaps, of, coincidence_rate, width) if weight > 0]
    if not windows:
        return None
    most = max(weight for weight, _ in windows)
    good = max(GOOD * most, min(most, -log(1 - SURE)))
    shortest = gaps[next(window for weight, window in windows if weight >= good).start][0]
    weight, window = max(
        (item for item in windows if gaps[item[1].start][0] <= shortest + width), key=lambda item: item[0]
    )
    lengths = [gap for gap, _ in gaps[window]]
    period = Period(
        seconds=median(lengths), confidence=1 - exp(-weight), gaps=len({late for _, late in gaps[window]}),
        shortest=lengths[len(lengths) // 10], longest=lengths[-1 - len(lengths) // 10],
    )  # fmt: skip
    return period, {late for _, late in gaps[window]}


def _windows(
    gaps: Sequence[tuple[float, int]], of: int, coincidence_rate: float, width: float
) -> Iterator[tuple[float, slice]]:
    """Each window that ends at a gap, with its weight; the shortest gaps first."""
    inside: Counter[int] = Counter()
    # There are far more windows than numbers of errors in one.
    weight = cache(lambda seen: unlikely(seen, of, coincidence_rate))
    first = 0
    for last, (gap, late) in enumerate(gaps):
        inside[late] += 1
        while gaps[first][0] < gap - width:
            gone = gaps[first][1]
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            first += 1
        windows = max(1.0, WINDOWS_PER_WIDTH * gap / width)
        yield weight(len(inside)) - log(windows), slice(first, last + 1)


def _multiple(gap: float, known: Sequence[Period], width: float) -> bool:
    """Whether the gap is a period that is known, or several of it: the jitter adds up."""
    for period in known:
        times = round(gap / period.seconds)
        if times and abs(gap - times * period.seconds) <= times * width / 2:
            return True
    return False


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
