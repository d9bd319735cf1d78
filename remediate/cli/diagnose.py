"""remediate diagnose: from logs to the pool that causes the error.

Exit codes: 0 nothing of this fault was found; 2 a stream is confirmed or consistent; 1 a file cannot be read; 64 usage.
"""

from collections.abc import Sequence
from datetime import tzinfo
from itertools import chain
from pathlib import Path

import click
from msgspec.structs import replace

from remediate.cli.exits import Exit
from remediate.cli.options import emit, now, screen
from remediate.diagnose.cases import Case, prepare
from remediate.diagnose.diagnosis import conclude
from remediate.diagnose.estate import Estate, estate
from remediate.diagnose.iis_log import watch
from remediate.diagnose.material import covers, joined, of_evidence, once
from remediate.diagnose.reading import (
    LogFile,
    LogReading,
    find_files,
    guess_zone,
    in_zone,
    parse_zone,
    read_log,
    read_requests,
)
from remediate.evidence import Source, WorkerEvent
from remediate.model import Audit, Diagnosis, Inspection, RemediateError
from remediate.report.diagnosis import FORMS, DiagnosisForm, rendered
from remediate.saved import load


@click.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...")
@click.option("--iis-log", "iis_logs", multiple=True, metavar="FILE", help="IIS's own log (W3C); repeatable.")
@click.option("--events", multiple=True, metavar="FILE", help="Windows events, XML or JSON; repeatable.")
@click.option("--audit", type=click.Path(path_type=Path), metavar="FILE", help="What `audit --save` wrote.")
@click.option("--time-zone", metavar="ZONE", help="Of logs whose times have none: UTC, +02:00, Europe/Berlin.")
@click.option("--host", metavar="NAME", help="The server of logs that name none.")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report there.")
def diagnose(
    logs: tuple[str, ...], iis_logs: tuple[str, ...], events: tuple[str, ...], audit: Path | None,
    time_zone: str | None, host: str | None, form: DiagnosisForm, out: Path | None,
) -> Exit:  # fmt: skip
    """Tell whether the errors in logs are this fault, of which pool, and what ends them.

    LOG: application logs of any usual shape, folders, patterns, or - for standard input. A log alone gives a period;
    the IIS log, the events and an audit of the server make more checkable, and two of them can confirm it. With an
    audit that has evidence, or with events, no LOG is needed.
    """
    if not (logs or events or audit):
        raise click.UsageError("give a LOG, --events, or --audit with an audit that has evidence")
    inspections = () if audit is None else _inspections(audit)
    if audit is not None and not logs and not events and not any(one.evidence for one in inspections):
        raise click.UsageError(f"{audit} has no evidence (`remediate audit --evidence`): give a LOG or --events too")
    value = _diagnosis(logs, iis_logs, events, audit, inspections, time_zone, host)
    emit(rendered(value, form, screen(out)), out)
    ours = any(stream.verdict in ("confirmed", "consistent") for stream in value.streams)
    return Exit.PENDING if ours else Exit.OK


def _inspections(audit: Path) -> tuple[Inspection, ...]:
    return tuple(host for host in load(audit, Audit).hosts if isinstance(host, Inspection))


def _diagnosis(
    logs: Sequence[str], iis_logs: Sequence[str], events: Sequence[str], audit: Path | None,
    inspections: Sequence[Inspection], time_zone: str | None, host: str | None,
) -> Diagnosis:  # fmt: skip
    zone = None if time_zone is None else parse_zone(time_zone)
    read = [(file, read_log(file)) for file in find_files(logs)]
    # An IIS log among the logs is what it is.
    w3c = (*find_files(iis_logs), *(file for file, reading in read if reading.source.kind == "w3c"))
    readings = [reading for _, reading in read if reading.source.kind != "w3c"]
    collected = [read_log(file) for file in find_files(events)]
    evidence = [of_evidence(one.host, one.evidence) for one in inspections if one.evidence is not None]
    found_events = [event for part in (*readings, *collected, *evidence) for event in part.events]
    readings = _zoned(readings, zone, found_events, w3c)
    errors = joined(
        [one for reading in readings for one in reading.occurrences],
        [one for part in (*collected, *evidence) for one in part.occurrences],
    )
    known = estate(inspections, host, [one.host for one in (*errors, *found_events) if one.host])
    found_events = once(found_events, known)
    reach = covers(found_events, [part.begins for part in evidence], known)
    cases = prepare(errors, found_events, reach, known, iis_log=bool(w3c))
    sources = [reading.source for reading in (*readings, *collected)] + _watched(w3c, cases, known)
    if audit is not None:
        sources.append(Source(file=str(audit), kind="audit", lines=audit.read_bytes().count(b"\n"), time_zone="UTC"))
    return Diagnosis(created_at=now(), sources=tuple(sources), streams=conclude(cases, known))


def _zoned(
    readings: Sequence[LogReading], zone: tzinfo | None, events: Sequence[WorkerEvent], w3c: Sequence[LogFile]
) -> list[LogReading]:
    """The readings with times in UTC, by the zone that was given or can be inferred; else as they are."""
    naive = [r for r in readings if any(o.time is not None and o.time.tzinfo is None for o in r.occurrences)]
    if not naive:
        return list(readings)
    name, by = None if zone is None else str(zone), None
    if zone is None:
        requests = chain.from_iterable(read_requests(file) for file in w3c)
        guess = guess_zone([one for r in naive for one in r.occurrences], events=events, requests=requests)
        if guess is None:
            return list(readings)
        zone, name, by = guess.zone, guess.name, guess.by
    return [
        replace(
            r, occurrences=in_zone(r.occurrences, zone), source=replace(r.source, time_zone=name, guessed=by)
        ) if r in naive else r
        for r in readings
    ]  # fmt: skip


def _watched(w3c: Sequence[LogFile], cases: Sequence[Case], known: Estate) -> list[Source]:
    """Goes through IIS's logs once, for all cases."""
    watches = [case.watch for case in cases if case.watch is not None]
    sources = []
    for file in w3c:
        log = read_requests(file)
        watch(((one, known.host(one.host), known.serving(known.host(one.host), one.path)) for one in log), watches)
        if log.source.kind != "w3c" and log.source.lines:
            raise RemediateError(f"{file.name}: is no IIS log in W3C format; give application logs without --iis-log")
        sources.append(log.source)
    return sources
