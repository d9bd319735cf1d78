"""What explains an error 0x80070032, and what confirms the fault. Audit and diagnosis ask here, and nowhere else. Pure.

An event of the pool, or a start of Windows, explains an error that comes soon after it. The error is also evidence of
the fault where the event is one after which IIS starts a worker and sends it a request of its own. A failure of a
worker explains an error and confirms nothing: what ends a worker disturbs its clients too, so it is to be ruled out
first.

`is_pattern` is what confirms by events: docs/adr/0009 and 0029 have the reasons. Whether a request is the server's own
is decided where addresses are read, and stands in ``LoggedException.local``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import log

from msgspec import Struct

from remediate.values.logs import WorkerEvent, WorkerEventKind


class Explanation(Struct, frozen=True):
    """One kind of event. ``explains``: seconds after it within which it explains an error. ``confirms``: seconds after
    it within which the error is evidence of the fault; None where it never is."""

    what: str
    explains: int
    confirms: int | None


# A minute for the start of the worker and the application's own is the fault's description. Windows logs its start long
# before IIS serves, so a boot explains an error for longer; but clients come back after a boot too.
EXPLANATIONS: dict[WorkerEventKind, Explanation] = {
    "idle-stop": Explanation("an idle stop", 60, 60),
    "shortened": Explanation("an idle stop", 60, 60),
    "recycle": Explanation("a recycle", 60, 60),
    "boot": Explanation("a boot", 180, 60),
    "failure": Explanation("a failure of the worker", 60, None),
}
IDLE_STOPS: frozenset[WorkerEventKind] = frozenset({"idle-stop", "shortened"})
# Seconds. Some logs have whole seconds, cut off: an error of the event's own second is stamped up to one second before
# the event. An error that is stamped a whole second before it came first.
TOLERANCE = 1
# At least this part of the errors has to follow an event, so that the cause of one is the cause of all.
MOST = 0.8
# What would come about by chance less often than once in so many times is not taken for chance.
RARE = 1000
# So many errors are a pattern: one error after one recycle is none, since a recycle disturbs clients too.
PATTERN = 2


def words(kind: WorkerEventKind) -> str:
    """``within 60 s after a recycle``."""
    row = EXPLANATIONS[kind]
    return f"within {row.explains} s after {row.what}"


def confirming_words() -> str:
    """All that is evidence of the fault: ``within 60 s after an idle stop, a recycle or a boot``."""
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
    """Whether errors at starts confirm the fault: nearly all are evidence of it, they are two or have the request's own
    marks, and chance would hardly bring them there.

    ``confirming`` of the ``covered`` starts with errors are evidence; ``chance`` is how often a random moment would be.
    """
    return confirming >= MOST * covered and (confirming >= PATTERN or marks) and rare(confirming, covered, chance)


class Cover(Struct, frozen=True):
    """The time that a server's events reach over; an error outside is not judged by them."""

    since: datetime
    until: datetime

    def holds(self, time: datetime) -> bool:
        longest = max(row.explains for row in EXPLANATIONS.values())
        return self.since - timedelta(seconds=TOLERANCE) < time <= self.until + timedelta(seconds=longest)


def explained(times: Sequence[datetime], events: Iterable[WorkerEvent]) -> tuple[WorkerEvent | None, ...]:
    """For each time the last event that explains it, a failure before all others; None where there is none."""
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
    """How many of the events explain one of the (sorted) times, and how many events there are."""
    hits = total = 0
    for event in events:
        total += 1
        low = bisect_right(times, event.time - timedelta(seconds=TOLERANCE))
        high = bisect_right(times, event.time + timedelta(seconds=EXPLANATIONS[event.kind].explains))
        hits += high > low
    return hits, total


def chance_of_explanation(events: Iterable[WorkerEvent], cover: Cover) -> float:
    """The part of the covered time in which an error would be explained by one of the events, 0 to 1."""
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
    """Whether so many of so many would hardly come about by chance, where the best of so many trials was taken."""
    return of > 0 and seen > 0 and (chance <= 0 or unlikely(seen, of, chance) > log(RARE * trials))


def unlikely(seen: int, of: int, chance: float) -> float:
    """How unlikely it is to see so many of so many by chance: less the logarithm of Chernoff's bound."""
    share = seen / of
    if share <= chance:
        return 0.0
    rest = (1 - share) * log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return of * (share * log(share / chance) + rest)
