"""What logs, events and an audit tell -> streams with their verdicts. Pure but for the requests, which stream by.

prepare(...) -> cases, with a watch for each that IIS's log can be held against
watch(requests, ...)                               (only where there is such a log)
conclude(cases, index) -> streams
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from remediate.diagnose.grouping import Case, prepare, split
from remediate.diagnose.material import covers, of_evidence, once
from remediate.diagnose.observations import add_up, facts_of
from remediate.diagnose.server_index import ServerIndex, server_index
from remediate.diagnose.symptoms import symptoms
from remediate.diagnose.thresholds import MARKS, REPORTED
from remediate.diagnose.verdict import judge
from remediate.iis.codes import FAULT
from remediate.values.diagnoses import Mark, Stream
from remediate.values.fleet import Inspection
from remediate.values.logs import Source

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


def _marks(case: Case) -> tuple[Mark, ...]:
    """The errors, and the events from an hour before the first to an hour after the last."""
    times = case.group.times
    if not times:
        return ()
    around = timedelta(hours=1)
    marks = [Mark(time, "error") for time in times]
    marks += [Mark(e.time, e.kind) for e in case.events if times[0] - around <= e.time <= times[-1] + around]
    return tuple(sorted(marks, key=lambda mark: (mark.time, mark.kind)))
