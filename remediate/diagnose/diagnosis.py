"""What logs, events and an audit tell -> streams with their verdicts. Pure but for the requests, which stream by.

prepare(...) -> cases, with a watch for each that IIS's log can be held against
watch(requests, ...)                               (only where there is such a log)
conclude(cases, index) -> streams
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from remediate.causation import IDLE_STOPS, chance_of_explanation, confirms, followed
from remediate.diagnose.attribution import Cause, add_up, by_gaps, cause_of, idle_gaps
from remediate.diagnose.facts import EventCheck, Facts, Followed
from remediate.diagnose.grouping import Case, prepare, split
from remediate.diagnose.material import covers, of_evidence, once
from remediate.diagnose.server_index import PoolSettings, Server, ServerIndex, server_index
from remediate.diagnose.symptoms import symptoms
from remediate.diagnose.thresholds import BURST, DEFAULT_RESTART, MARKS, REPORTED, SURE
from remediate.diagnose.timing import Period, by_the_clock, idle_period, period_of, periods
from remediate.diagnose.verdict import judge
from remediate.iis.codes import FAULT
from remediate.values.diagnoses import Mark, Stream
from remediate.values.fleet import Inspection
from remediate.values.logs import Source, WorkerEvent

# Sources that hold no exception at all, or those alone that no application caught.
_NO_LOGS = ("w3c", "audit", "events")


def unread(sources: Iterable[Source]) -> str | None:
    """Why it means nothing that no exception was found; None where it does: logs were read, and understood."""
    logs = [source for source in sources if not source.kind.startswith(_NO_LOGS)]
    missed = sum(source.unparsed for source in logs)
    if not any(source.lines for source in logs):
        return "no line of an application's log is in it, where those that an application catches are: give a LOG"
    lost = sum(source.damage is not None for source in logs)
    if lost:
        return f"{lost} of the logs could not be read whole"
    return f"{missed} entries of the logs that may hold one were not understood" if missed else None


def conclude(cases: Iterable[Case], index: ServerIndex) -> tuple[Stream, ...]:
    return tuple(_stream(part, index) for case in cases for part in split(case))


def of_evidence_alone(inspections: Sequence[Inspection]) -> tuple[Stream, ...]:
    """The streams of the fault in what `audit --evidence` collected, as `diagnose --audit` of it has them.

    Most servers have no such error, and nothing is done for them.
    """
    inspections = [one for one in inspections if one.evidence and any(e.code == FAULT for e in one.evidence.errors)]
    parts = [of_evidence(one.host, one.evidence) for one in inspections if one.evidence is not None]
    errors = [error for part in parts for error in part.occurrences if error.code == FAULT]
    events = [event for part in parts for event in part.events]
    known = server_index(inspections, None, [*(e.host for e in errors if e.host), *(e.host for e in events if e.host)])
    happened = once(events, known)
    reach = covers(happened, [part.begins for part in parts], known)
    return conclude(prepare(errors, happened, reach, known, iis_log=False), known)


def _stream(case: Case, index: ServerIndex) -> Stream:
    facts = facts_of(case, index)
    group, found, marks = case.group, symptoms(facts), _marks(case)
    judgement = judge(facts, found)
    sizes = case.sizes
    attribution, recycles = add_up(facts.causes, sizes)
    untimed = facts.count - sum(sizes)
    period = facts.period if facts.period and facts.period.confidence >= REPORTED else None
    return Stream(
        host=group.host, application=group.application, pool=group.pool, code=group.code, count=facts.count,
        first=group.times[0] if group.times else None, last=group.times[-1] if group.times else None,
        period_seconds=None if period is None else round(period.seconds, 1),
        period_confidence=0.0 if period is None else round(period.confidence, 3),
        verdict=judgement.verdict,
        attribution=replace(attribution, unexplained=attribution.unexplained + untimed),
        recycle_causes=recycles, symptoms=found, reasons=judgement.reasons, fixes=judgement.fixes,
        marks=marks[-MARKS:], marks_left_out=max(0, len(marks) - MARKS),
    )  # fmt: skip


def facts_of(case: Case, index: ServerIndex) -> Facts:
    """All that is counted of one case."""
    group = case.group
    settings, server = index.settings(group.host, group.pool), index.server(group.host)
    found = _periods(case, None if settings is None else settings.idle)
    schedule = bool(found) and by_the_clock(case.starts, found[0])
    return Facts(
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

    By the gaps between the errors; where requests hide it and IIS's log tells them, by the time since the last one.
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


def _marks(case: Case) -> tuple[Mark, ...]:
    """The errors, and the events from an hour before the first to an hour after the last."""
    times = case.group.times
    if not times:
        return ()
    around = timedelta(hours=1)
    marks = [Mark(time, "error") for time in times]
    marks += [Mark(e.time, e.kind) for e in case.events if times[0] - around <= e.time <= times[-1] + around]
    return tuple(sorted(marks, key=lambda mark: (mark.time, mark.kind)))
