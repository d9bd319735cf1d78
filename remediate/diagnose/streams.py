"""Errors and events of all sources -> streams of errors with their verdicts. Pure but for the IIS logs, which pass by.

`streams_of` is the one way, for `diagnose` with files and for an audit's evidence alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec.structs import replace

from remediate.causation import Cover
from remediate.diagnose.grouping import Case, cases, split
from remediate.diagnose.iis_log import LineWatch
from remediate.diagnose.merging import covers, each_event_once, hosts_of, of_evidence
from remediate.diagnose.observations import add_up, observe
from remediate.diagnose.server_index import ServerIndex, server_index
from remediate.diagnose.symptoms import symptoms
from remediate.diagnose.thresholds import MARKS, REPORTED
from remediate.diagnose.verdict import judge
from remediate.iis.codes import FAULT
from remediate.values.diagnoses import Mark, Stream
from remediate.values.fleet import Inspection
from remediate.values.logs import LoggedException, WorkerEvent


def streams_of(
    errors: Iterable[LoggedException], events: Iterable[WorkerEvent], asked: Iterable[Mapping[str, Cover]],
    index: ServerIndex, pass_iis_logs: Callable[[Sequence[LineWatch]], object] | None = None,
) -> tuple[Stream, ...]:  # fmt: skip
    """Each error is there once; an event may be there several times. ``asked`` is as in HostEvidence.

    ``pass_iis_logs`` hands the lines of IIS's logs to the watches that it is called with; None where there is no log.
    """
    happened = each_event_once(events, index)
    found = cases(errors, happened, covers(happened, asked, index), index, iis_log=pass_iis_logs is not None)
    if pass_iis_logs is not None:
        pass_iis_logs([case.watch for case in found if case.watch is not None])
    return tuple(_stream(part, index) for case in found for part in split(case))


def of_evidence_alone(inspections: Iterable[Inspection]) -> tuple[Stream, ...]:
    """The streams of the fault in what `audit --evidence` collected, as `diagnose --audit` of it has them.

    Most servers have no such error, and nothing is done for them.
    """
    inspections = [one for one in inspections if one.evidence and any(e.code == FAULT for e in one.evidence.errors)]
    parts = [of_evidence(one.host, one.evidence) for one in inspections if one.evidence is not None]
    parts = [replace(part, occurrences=tuple(e for e in part.occurrences if e.code == FAULT)) for part in parts]
    return streams_of(
        [error for part in parts for error in part.occurrences],
        [event for part in parts for event in part.events],
        [part.asked for part in parts],
        server_index(inspections, None, hosts_of(parts)),
    )


def _stream(case: Case, index: ServerIndex) -> Stream:
    observed = observe(case, index)
    group, found, marks = case.group, symptoms(observed), _marks(case)
    judgement = judge(observed, found)
    sizes = case.sizes
    attribution, recycles = add_up(observed.causes, sizes)
    untimed = observed.count - sum(sizes)
    period = observed.period if observed.period and observed.period.confidence >= REPORTED else None
    return Stream(
        host=group.host, application=group.application, pool=group.pool, code=group.code, count=observed.count,
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
