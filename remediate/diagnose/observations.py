"""A case -> all that is observed of it, as numbers: what the symptoms and the verdict are made from. Pure.

What each error came after is one of them: an idle stop, a recycle or start, or nothing that is known. The event that
explains it (causation.py) decides, where the events reach. Else the time since the pool last began anew or was asked
for something does: its idle time-out and zero to two minutes. Where idle stops are logged, a time alone proves nothing:
the event would be there.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from remediate.causation import EXPLANATIONS, IDLE_STOPS, Cover, chance_of_explanation, confirms, followed
from remediate.diagnose.grouping import Case
from remediate.diagnose.iis_log import LineCheck
from remediate.diagnose.server_index import PoolSettings, Server, ServerIndex
from remediate.diagnose.thresholds import BURST, DEFAULT_RESTART, JITTER, LONGEST_IDLE, SLACK, SURE
from remediate.diagnose.timing import Period, by_the_clock, idle_period, period_of, periods
from remediate.iis.codes import FAULT
from remediate.values.diagnoses import Attribution
from remediate.values.logs import StackState, Streaming, WorkerEvent


class Cause(Struct, frozen=True):
    """``why``: the event's kind, the recycle's cause, or ``gap``; ``event`` is None where the time alone shows it."""

    kind: Literal["idle", "recycle", "unexplained"]
    why: str = ""
    event: WorkerEvent | None = None


UNEXPLAINED = Cause("unexplained")


class Followed(Struct, frozen=True):
    """``seen`` of ``of`` events of one kind explain an error of the stream."""

    seen: int = 0
    of: int = 0


class EventCheck(Struct, frozen=True, kw_only=True):
    """The stream against a server's events: ``explained`` of the ``covered`` starts have an event that explains them.

    ``confirming`` of these are evidence of the fault (causation.py). ``stops`` came after an idle stop, ``failures``
    after a failure of the worker, the others after a recycle or boot. ``chance`` is how often a random moment would be
    explained. ``idles`` and ``recycles`` look from the events' side, and only where the pool is known.
    """

    cover: Cover
    covered: int = 0
    explained: int = 0
    confirming: int = 0
    stops: int = 0
    failures: int = 0
    chance: float = 0.0
    idles: Followed = Followed()
    recycles: Followed = Followed()
    shortened: int = 0


class Observations(Struct, frozen=True, kw_only=True):
    """One stream. ``starts`` are its bursts' first times, ``causes`` what each came after.

    ``framed`` is whether RaiseCommunicationError and ExplicitFlush stand in its stacks, ``entity_read`` whether
    ReadEntityCoreSync does; ``stack`` whether they could be there; ``streaming`` what its frames say of the response.
    ``local`` and ``remote`` count the errors whose request is known to be from the server
    itself or from elsewhere, ``preload`` those with the user agent of Application Initialization. ``zoned``: its times
    have a zone. ``audited``: an audit has the server, and ``servers`` is how many it has; where the pool is not
    known, ``candidates`` are its pools with the fault's settings. ``events`` and ``lines`` are None where there were
    none to check. ``apart``: the stream is a part of so many starts of its application, split by what they came
    after. ``by_the_clock``, ``own_clock``: see timing.py.
    """

    host: str | None = None
    application: str | None = None
    pool: str | None = None
    code: str = FAULT
    count: int = 1
    framed: bool = True
    entity_read: bool = False
    stack: StackState = "whole"
    streaming: Streaming | None = None
    local: int = 0
    remote: int = 0
    preload: int = 0
    zoned: bool = True
    starts: tuple[datetime, ...] = ()
    causes: tuple[Cause, ...] = ()
    periods: tuple[Period, ...] = ()
    by_the_clock: bool = False
    own_clock: bool = False
    settings: PoolSettings | None = None
    audited: bool = False
    servers: int = 0
    candidates: tuple[PoolSettings, ...] = ()
    events: EventCheck | None = None
    lines: LineCheck | None = None
    apart: int | None = None

    @property
    def idle(self) -> int | None:
        """The pool's idle time-out in seconds; 0: never; None: not known."""
        return None if self.settings is None else self.settings.idle

    @property
    def has_own_marks(self) -> bool:
        """Whether a request of the stream is shown to be IIS's own."""
        return self.local + self.preload > 0

    @property
    def period(self) -> Period | None:
        """The surest."""
        return self.periods[0] if self.periods else None


def observe(case: Case, index: ServerIndex) -> Observations:
    """All that is counted of one case."""
    group = case.group
    settings, server = index.settings(group.host, group.pool), index.server(group.host)
    found = _periods(case, None if settings is None else settings.idle)
    schedule = bool(found) and by_the_clock(case.starts, found[0])
    return Observations(
        host=group.host, application=group.application, pool=group.pool, code=group.code,
        count=len(group.occurrences), framed=group.framed, entity_read=group.entity_read,
        stack=group.stack, streaming=group.streaming,
        local=sum(one.local is True for one in group.occurrences),
        remote=sum(one.local is False for one in group.occurrences),
        preload=sum(one.preload is True for one in group.occurrences),
        zoned=not case.starts or case.starts[0].tzinfo is not None,
        starts=case.starts, causes=_causes(case, settings, () if schedule else found), periods=found,
        by_the_clock=schedule,
        settings=settings, audited=server is not None, servers=len(index.servers),
        candidates=_candidates(server) if group.pool is None else (),
        events=_check(case), lines=case.lines, apart=case.apart, own_clock=case.own_clock,
    )  # fmt: skip


def _causes(case: Case, settings: PoolSettings | None, found: Sequence[Period]) -> tuple[Cause, ...]:
    """What each start came after, by its event or by the time before it."""
    return by_gaps(
        case.starts,
        [cause_of(event) for event in case.nearest],
        idle=_idle(case, None if settings is None else settings.idle),
        found=found,
        last=None if case.lines is None else case.lines.last,
        restart=DEFAULT_RESTART if settings is None else settings.restart,
    )


def _candidates(server: Server | None) -> tuple[PoolSettings, ...]:
    """The pools with the fault's settings, where the errors' pool is not known."""
    return () if server is None else tuple(pool for pool in server.pools.values() if pool.always_running)


def _periods(case: Case, idle: int | None) -> tuple[Period, ...]:
    """That of the pool's idle time-out, if the errors show it; else whatever they show.

    By the gaps between the errors; where requests hide it and IIS's log has them, by the time since the last one.
    """
    fitting = period_of(case.starts, idle) if idle else None
    if fitting is not None and fitting.confidence >= SURE:
        return (fitting,)
    found = periods(case.starts)
    if case.lines is not None and not (found and found[0].confidence >= SURE):
        quiet = idle_period(case.starts, idle_gaps(case.starts, case.lines.last))
        if quiet is not None and quiet.confidence >= SURE:
            return (quiet, *found)
    return found


def _idle(case: Case, idle: int | None) -> int | None:
    """The idle time-out that gaps may be explained by: none where idle stops are logged, for one would be there."""
    logged = case.group.pool is not None and any(event.kind in IDLE_STOPS for event in case.events)
    return 0 if logged else idle


def _check(case: Case) -> EventCheck | None:
    cover = case.cover
    if cover is None:
        return None
    judged = [(time, event) for time, event in zip(case.starts, case.nearest, strict=True) if cover.holds(time)]
    kinds = Counter(event.kind for _, event in judged if event is not None)
    stops = [e for e in case.events if e.kind in IDLE_STOPS]
    # A failure may leave no worker that could log an error: that none follows speaks against nothing.
    recycles = [e for e in case.events if e.kind in ("recycle", "boot")]
    return EventCheck(
        cover=cover, covered=len(judged), explained=kinds.total(),
        confirming=sum(confirms(event, time) for time, event in judged),
        stops=sum(kinds[kind] for kind in IDLE_STOPS), failures=kinds["failure"],
        chance=chance_of_explanation(case.events, cover),
        idles=_followed(stops, case), recycles=_followed(recycles, case),
        shortened=sum(event.kind == "shortened" for event in stops),
    )  # fmt: skip


def _followed(events: Sequence[WorkerEvent], case: Case) -> Followed:
    """Of the pool's events between the first and the last error: an application may have logged for a while only."""
    if case.group.pool is None or not case.group.times or case.apart:
        return Followed()
    times = case.group.times
    between = [event for event in events if times[0] - timedelta(seconds=BURST) <= event.time <= times[-1]]
    return Followed(*followed(between, times))


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
    """The same causes; and of the starts that had none, those that the time before them explains.

    ``idle``: the pool's idle time-out in seconds, 0 for never; None where it is not known: then the periods that were
    found stand for it. ``last``: the last request before each. ``restart``: after so many seconds it is recycled.
    """
    found_causes = []
    spans = _idle_spans(idle, found)
    ages = idle_gaps(starts, None)
    for time, cause, gap, age in zip(starts, causes, idle_gaps(starts, last), ages, strict=True):
        if cause != UNEXPLAINED:
            found_causes.append(cause)
        elif any(gap is not None and low <= gap <= high for low, high in spans) or (
            idle is None and any(_any_within(starts, time, *span) for span in spans)
        ):
            found_causes.append(Cause("idle", "gap"))
        elif restart and age is not None and 0 <= age - restart + SLACK <= EXPLANATIONS["recycle"].explains + 2 * SLACK:
            found_causes.append(Cause("recycle", "time"))
        else:
            found_causes.append(UNEXPLAINED)
    return tuple(found_causes)


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
