"""What logs, events and an audit tell -> streams with their verdicts. Pure but for the requests, which stream by.

prepare(...) -> Cases, with a watch for each stream that IIS's log can be held against
watch(requests, ...)                               (only where there is such a log)
conclude(cases) -> Stream...
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from remediate.diagnose.attribution import (
    Cover,
    add_up,
    by_chance,
    by_gaps,
    cause_of,
    followed,
    nearest_events,
)
from remediate.diagnose.estate import Estate
from remediate.diagnose.facts import EventCheck, Facts, Followed
from remediate.diagnose.gather import Group, gather
from remediate.diagnose.iis_log import LineWatch
from remediate.diagnose.period import BURST, by_the_clock, periods, starts
from remediate.diagnose.symptoms import symptoms
from remediate.diagnose.verdict import judge
from remediate.evidence import Occurrence, WorkerEvent
from remediate.model import Mark, Stream, fold

# The default of periodicRestart.time: a period to know where the pool's settings are not known.
_RESTART = 29 * 3600
# The latest are kept for the timeline.
_MARKS = 2000
# Below, a period is not told: it is as good as none.
_TOLD = 0.5


class Case(Struct, kw_only=True):
    """One group, what of the events is its pool's or the server's, and its watch over IIS's log."""

    group: Group
    starts: tuple[datetime, ...]
    sizes: tuple[int, ...]
    events: tuple[WorkerEvent, ...] = ()
    cover: Cover | None = None
    watch: LineWatch | None = None


def prepare(
    occurrences: Iterable[Occurrence], events: Iterable[WorkerEvent], covers: Mapping[str | None, Cover],
    estate: Estate, iis_log: bool,
) -> list[Case]:  # fmt: skip
    """``covers``: what the events of each host (by its name in the estate) reach over; ``iis_log``: one is given."""
    by_host: dict[str | None, list[WorkerEvent]] = defaultdict(list)
    for event in events:
        by_host[estate.host(event.host)].append(event)
    cases = []
    for group in gather(occurrences, by_host, covers, estate):
        moments = starts(group.times)
        zoned = bool(moments) and moments[0].tzinfo is not None
        own = [e for e in by_host.get(group.host, ()) if zoned and _concerns(e, group.pool)]
        cases.append(Case(
            group=group, starts=moments, sizes=_sizes(moments, group.times), events=tuple(own),
            cover=covers.get(group.host) if zoned else None,
            watch=LineWatch(moments, group.host, group.pool) if zoned and iis_log else None,
        ))  # fmt: skip
    return cases


def _concerns(event: WorkerEvent, pool: str | None) -> bool:
    """An event of the server concerns all pools; where the pool is not known, so may any."""
    return event.pool is None or pool is None or fold(event.pool) == fold(pool)


def _sizes(moments: Sequence[datetime], times: Sequence[datetime]) -> tuple[int, ...]:
    """How many errors belong to each start."""
    edges = [bisect_left(times, moment) for moment in moments] + [len(times)]
    return tuple(end - begin for begin, end in pairwise(edges))


def conclude(cases: Iterable[Case], estate: Estate) -> tuple[Stream, ...]:
    return tuple(_stream(case, estate) for case in cases)


def _stream(case: Case, estate: Estate) -> Stream:
    facts = facts_of(case, estate)
    group, found, marks = case.group, symptoms(facts), _marks(case)
    judgement = judge(facts, found)
    sizes = case.sizes
    attribution, recycles = add_up(facts.causes, sizes)
    untimed = facts.count - sum(sizes)
    period = facts.period if facts.period and facts.period.confidence >= _TOLD else None
    return Stream(
        host=group.host, application=group.application, pool=group.pool, code=group.code, count=facts.count,
        first=group.times[0] if group.times else None, last=group.times[-1] if group.times else None,
        period_seconds=None if period is None else round(period.seconds, 1),
        period_confidence=0.0 if period is None else round(period.confidence, 3),
        verdict=judgement.verdict,
        attribution=replace(attribution, unexplained=attribution.unexplained + untimed),
        recycle_causes=recycles, symptoms=found, reasons=judgement.reasons, fixes=judgement.fixes,
        marks=marks[-_MARKS:], marks_left_out=max(0, len(marks) - _MARKS),
    )  # fmt: skip


def facts_of(case: Case, estate: Estate) -> Facts:
    group, moments = case.group, case.starts
    settings = estate.settings(group.host, group.pool)
    server = estate.server(group.host)
    lines = case.watch.result() if case.watch is not None else None
    nearest = nearest_events(moments, case.events) if case.events else (None,) * len(moments)
    found = periods(moments)
    causes = by_gaps(
        moments,
        [cause_of(event) for event in nearest],
        idle=_idle(case, None if settings is None else settings.idle),
        found=found,
        last=None if lines is None else lines.last,
        restart=_RESTART if settings is None else settings.restart,
    )
    at_risk = () if server is None or group.pool else tuple(p for p in server.pools.values() if p.always_running)
    return Facts(
        host=group.host, application=group.application, pool=group.pool, code=group.code,
        count=len(group.occurrences), framed=group.framed, entity_read=group.entity_read,
        local=sum(one.local is True for one in group.occurrences),
        remote=sum(one.local is False for one in group.occurrences),
        preload=sum(one.preload is True for one in group.occurrences),
        zoned=not moments or moments[0].tzinfo is not None,
        starts=moments, causes=causes, periods=found,
        by_the_clock=bool(found) and by_the_clock(moments, found[0]),
        settings=settings, audited=server is not None, candidates=at_risk,
        events=_check(case, nearest), lines=lines,
    )  # fmt: skip


def _idle(case: Case, idle: int | None) -> int | None:
    """The idle time-out that gaps may be explained by: none where idle stops are logged, for one would be there."""
    return 0 if any(event.kind == "idle-stop" for event in case.events) else idle


def _check(case: Case, nearest: Sequence[WorkerEvent | None]) -> EventCheck | None:
    cover = case.cover
    if cover is None:
        return None
    judged = [(time, event) for time, event in zip(case.starts, nearest, strict=True) if cover.holds(time)]
    matched = [event for _, event in judged if event is not None]
    stops = [e for e in case.events if e.kind in ("idle-stop", "shortened")]
    others = [e for e in case.events if e.kind not in ("idle-stop", "shortened")]
    return EventCheck(
        cover=cover, covered=len(judged), matched=len(matched),
        stops=sum(event.kind in ("idle-stop", "shortened") for event in matched),
        chance=by_chance(case.events, cover),
        idles=_followed(stops, case), recycles=_followed(others, case),
        shortened=sum(event.kind == "shortened" for event in stops),
    )  # fmt: skip


def _followed(events: Sequence[WorkerEvent], case: Case) -> Followed:
    """Of the pool's events between the first and the last error: an application may have logged for a while only."""
    if case.group.pool is None or not case.group.times:
        return Followed()
    times = case.group.times
    between = [event for event in events if times[0] - timedelta(seconds=BURST) <= event.time <= times[-1]]
    return Followed(*followed(between, times))


def _marks(case: Case) -> tuple[Mark, ...]:
    """The errors, and the events from an hour before the first to an hour after the last."""
    times = case.group.times
    if not times:
        return ()
    around = timedelta(hours=1)
    marks = [Mark(time, "error") for time in times]
    marks += [Mark(e.time, e.kind) for e in case.events if times[0] - around <= e.time <= times[-1] + around]
    return tuple(sorted(marks, key=lambda mark: (mark.time, mark.kind)))
