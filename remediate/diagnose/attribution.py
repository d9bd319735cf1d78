"""Each error -> what it came after: an idle stop, a recycle or start, or nothing that is known. Pure.

By the event that explains it (causation.py), where the events reach. Else by the time since the pool last began anew or
was asked for something: its idle time-out and zero to two minutes. Where idle stops are logged, a time alone proves
nothing: the event would be there.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from remediate.causation import EXPLANATIONS, IDLE_STOPS
from remediate.diagnose.thresholds import JITTER, LONGEST_IDLE, SLACK, SURE
from remediate.diagnose.timing import Period
from remediate.values.diagnoses import Attribution
from remediate.values.logs import WorkerEvent


class Cause(Struct, frozen=True):
    """``why``: the event's kind, the recycle's cause, or ``gap``; ``event`` is None where the time alone tells."""

    kind: Literal["idle", "recycle", "unexplained"]
    why: str = ""
    event: WorkerEvent | None = None


UNEXPLAINED = Cause("unexplained")


def cause_of(event: WorkerEvent | None) -> Cause:
    if event is None:
        return UNEXPLAINED
    if event.kind in IDLE_STOPS:
        return Cause("idle", event.kind, event)
    return Cause("recycle", event.cause or event.kind, event)


def by_gaps(
    starts: Sequence[datetime], causes: Sequence[Cause], *, idle: int | None, found: Sequence[Period],
    last: Sequence[datetime | None] | None = None, restart: int = 0,
) -> tuple[Cause, ...]:  # fmt: skip
    """The same causes; and of the starts that had none, those that the time before them tells.

    ``idle``: the pool's idle time-out in seconds, 0 for never; None where it is not known: then the periods that were
    found stand for it. ``last``: the last request before each. ``restart``: after so many seconds it is recycled.
    """
    told = []
    spans = _idle_spans(idle, found)
    ages = idle_gaps(starts, None)
    for time, cause, rest, age in zip(starts, causes, idle_gaps(starts, last), ages, strict=True):
        if cause != UNEXPLAINED:
            told.append(cause)
        elif any(rest is not None and low <= rest <= high for low, high in spans) or (
            idle is None and any(_any_within(starts, time, *span) for span in spans)
        ):
            told.append(Cause("idle", "gap"))
        elif restart and age is not None and 0 <= age - restart + SLACK <= EXPLANATIONS["recycle"].explains + 2 * SLACK:
            told.append(Cause("recycle", "time"))
        else:
            told.append(UNEXPLAINED)
    return tuple(told)


def idle_gaps(starts: Sequence[datetime], last: Sequence[datetime | None] | None) -> tuple[float | None, ...]:
    """The seconds before each start since the start before it, or since the last request if that is later."""
    found: list[float | None] = []
    for index, time in enumerate(starts):
        before = starts[index - 1] if index else None
        asked = last[index] if last else None
        begun = max((moment for moment in (before, asked) if moment is not None), default=None)
        found.append(None if begun is None else (time - begun).total_seconds())
    return tuple(found)


def _idle_spans(idle: int | None, found: Iterable[Period]) -> list[tuple[float, float]]:
    """From and to how many seconds without a request the error can come."""
    if idle is not None:
        return [(idle - SLACK, idle + JITTER + SLACK)] if idle else []
    return [
        (period.shortest - SLACK, period.longest + SLACK)
        for period in found
        if period.confidence >= SURE and period.seconds <= LONGEST_IDLE
    ]


def _any_within(starts: Sequence[datetime], time: datetime, low: float, high: float) -> bool:
    """Whether any of the starts lies so long before: where pools are mixed, others lie between."""
    first = bisect_left(starts, time - timedelta(seconds=high))
    return bisect_right(starts, time - timedelta(seconds=low)) > first


def add_up(causes: Iterable[Cause], sizes: Iterable[int]) -> tuple[Attribution, dict[str, int]]:
    """The errors by kind, and those of recycles and starts by their cause; ``sizes``: the errors of each start."""
    kinds: Counter[str] = Counter()
    recycles: Counter[str] = Counter()
    inferred = 0
    for cause, size in zip(causes, sizes, strict=True):
        kinds[cause.kind] += size
        inferred += size if cause != UNEXPLAINED and cause.event is None else 0
        if cause.kind == "recycle":
            recycles[cause.why] += size
    return Attribution(kinds["idle"], kinds["recycle"], kinds["unexplained"], inferred), dict(sorted(recycles.items()))
