"""The rules of what explains an error 0x80070032 and what confirms the fault, for the audit and the diagnosis. Pure.

An event of the pool, or a start of Windows, explains an error that comes soon after it. The error is also evidence of
the fault if IIS starts a worker after the event and sends it a request of its own. A failure of a worker explains an
error and confirms nothing: a failure disturbs clients too, so its own cause is to be ruled out first.

`is_pattern` decides what confirms by events. docs/adr/0009 and 0029 have the reasons. Whether a request is the server's
own is decided where addresses are read, and ``LoggedException.local`` has the result.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import log

from msgspec import Struct

from remediate.values.logs import WorkerEvent, WorkerEventKind


class Explanation(Struct, frozen=True):
    """One kind of event, named ``what``. ``explains`` is the time in seconds after the event within which the event
    explains an error. ``confirms`` is the time within which the error is evidence of the fault. None: it never is."""

    what: str
    explains: int
    confirms: int | None


# A minute is enough for the start of the worker and of the application. Windows logs its own start long before IIS
# serves, so a boot explains an error for longer. But clients come back after a boot too.
EXPLANATIONS: dict[WorkerEventKind, Explanation] = {
    "idle-stop": Explanation("an idle stop", 60, 60),
    "shortened": Explanation("an idle stop", 60, 60),
    "recycle": Explanation("a recycle", 60, 60),
    "boot": Explanation("a boot", 180, 60),
    "failure": Explanation("a failure of the worker", 60, None),
}
IDLE_STOPS: frozenset[WorkerEventKind] = frozenset({"idle-stop", "shortened"})
# Seconds. Some logs cut times off to whole seconds, so an error in the second of the event is stamped up to one second
# before the event. An error that is stamped a whole second before the event came first.
TOLERANCE = 1
# At least this part of the errors must follow an event, so that one error's cause is the cause of all.
MOST = 0.8
# A result that chance gives less often than once in this many times is not attributed to chance.
RARE = 1000
# At least this many errors are a pattern. One error after one recycle is not, since a recycle disturbs clients too.
PATTERN = 2


def words(kind: WorkerEventKind) -> str:
    """``within 60 s after a recycle``."""
    row = EXPLANATIONS[kind]
    return f"within {row.explains} s after {row.what}"


def confirming_words() -> str:
    """The times and events that make an error evidence: ``within 60 s after an idle stop, a recycle or a boot``."""
    whats: dict[int, list[str]] = {}
    for row in EXPLANATIONS.values():
        if row.confirms is not None and row.what not in whats.setdefault(row.confirms, []):
            whats[row.confirms].append(row.what)
    return " or ".join(f"within {within} s after {any_of(what)}" for within, what in whats.items())


def any_of(names: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def confirms(event: WorkerEvent | None, time: datetime) -> bool:
    """Whether the error at that time is evidence of the fault by the event that explains it."""
    within = None if event is None else EXPLANATIONS[event.kind].confirms
    return event is not None and within is not None and (time - event.time).total_seconds() <= within


def is_pattern(confirming: int, covered: int, chance: float, *, marks: bool) -> bool:
    """Whether errors at starts confirm the fault: nearly all are evidence, they are two or have the marks of the
    server's own request, and chance is improbable.

    ``confirming`` of the ``covered`` starts with errors are evidence. ``chance`` is the probability, 0 to 1, that an
    error at a random time would be.
    """
    return confirming >= MOST * covered and (confirming >= PATTERN or marks) and rare(confirming, covered, chance)


class Cover(Struct, frozen=True):
    """The period that a server's events cover. An error outside is not judged by them."""

    since: datetime
    until: datetime

    def holds(self, time: datetime) -> bool:
        longest = max(row.explains for row in EXPLANATIONS.values())
        return self.since - timedelta(seconds=TOLERANCE) < time <= self.until + timedelta(seconds=longest)


def explained(times: Sequence[datetime], events: Iterable[WorkerEvent]) -> tuple[WorkerEvent | None, ...]:
    """For each time the last event that explains it, where a failure precedes all others. None: no event does."""
    by_kind: dict[WorkerEventKind, list[WorkerEvent]] = {}
    for event in sorted(events, key=lambda event: event.time):
        by_kind.setdefault(event.kind, []).append(event)
    moments = {kind: [event.time for event in some] for kind, some in by_kind.items()}
    return tuple(_explanation(time, by_kind, moments) for time in times)


def _explanation(
    time: datetime,
    events: Mapping[WorkerEventKind, Sequence[WorkerEvent]],
    moments: Mapping[WorkerEventKind, Sequence[datetime]],
) -> WorkerEvent | None:
    found = []
    for kind, some in events.items():
        place = bisect_left(moments[kind], time + timedelta(seconds=TOLERANCE)) - 1
        if place >= 0 and (time - some[place].time).total_seconds() <= EXPLANATIONS[kind].explains:
            found.append(some[place])
    return max(found, key=lambda event: (EXPLANATIONS[event.kind].confirms is None, event.time), default=None)


def followed(events: Iterable[WorkerEvent], times: Sequence[datetime]) -> tuple[int, int]:
    """The number of the events that explain at least one of the (sorted) times, and the number of events."""
    hits = total = 0
    for event in events:
        total += 1
        low = bisect_right(times, event.time - timedelta(seconds=TOLERANCE))
        high = bisect_right(times, event.time + timedelta(seconds=EXPLANATIONS[event.kind].explains))
        hits += high > low
    return hits, total


def chance_of_explanation(events: Iterable[WorkerEvent], cover: Cover) -> float:
    """The part of the covered time, 0 to 1, in which one of the events would explain an error."""
    whole = max((cover.until - cover.since).total_seconds(), 1.0)
    spans = sorted(
        (event.time - timedelta(seconds=TOLERANCE), event.time + timedelta(seconds=EXPLANATIONS[event.kind].explains))
        for event in events
    )
    reached, end = 0.0, cover.since
    for begin, until in spans:
        begin, until = max(begin, end), min(until, cover.until)
        if until > begin:
            reached += (until - begin).total_seconds()
            end = until
    return min(1.0, reached / whole)


def rare(seen: int, of: int, chance: float, trials: int = 1) -> bool:
    """Whether chance is an improbable cause of ``seen`` hits in ``of`` tries, each with the probability ``chance``.

    ``trials`` is the number of alternatives of which this is the best.
    """
    return of > 0 and seen > 0 and (chance <= 0 or unlikely(seen, of, chance) > log(RARE * trials))


def unlikely(seen: int, of: int, chance: float) -> float:
    """The negative logarithm of Chernoff's bound on the probability of ``seen`` hits in ``of`` tries by chance."""
    share = seen / of
    if share <= chance:
        return 0.0
    rest = (1 - share) * log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return of * (share * log(share / chance) + rest)
