"""remediate diagnose: from logs to the pool that causes the error.

Exit codes: 0 what was read is not this fault; 2 a stream is confirmed or consistent; 3 a stream is undetermined, a file
could not be read whole, or nothing was read in which the exception could stand; 1 a file cannot be read; 64 usage.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path

import click
from msgspec.structs import replace

from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit, worst
from remediate.cli.options import check_target, emit, now, screen
from remediate.diagnose.cases import Case, prepare
from remediate.diagnose.diagnosis import conclude, unread
from remediate.diagnose.estate import Estate, estate
from remediate.diagnose.iis_log import Line, watch
from remediate.diagnose.material import Told, covers, joined, of_evidence, once
from remediate.diagnose.reading import (
    LogFile,
    LogReading,
    Passed,
    Zone,
    ZoneOf,
    find_files,
    in_utc,
    is_naive,
    notes,
    parse_zone,
    read_events,
    read_given,
    read_log,
    read_requests,
    site_log,
)
from remediate.diagnose.words import GIVE_ZONE
from remediate.evidence import Occurrence, Source
from remediate.model import Audit, Diagnosis, Inspection, RemediateError, Verdict
from remediate.report.diagnosis import FORMS, DiagnosisForm, rendered
from remediate.report.text import printable
from remediate.saved import decoded, read_saved


def _zone(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """Refuse what is no zone."""
    try:
        if text is not None:
            parse_zone(text)
    except RemediateError as error:
        raise click.BadParameter(str(error)) from error
    return text


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """``2026-11-25``, ``2026-11-25 14:00`` or RFC 3339; UTC where no zone is said."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: write 2026-11-25, or 2026-11-25T14:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@click.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path())
@click.option(
    "--iis-log",
    "iis_logs",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="W3C logs of web sites, or a folder; repeatable.",
)
@click.option(
    "--events",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Windows events: XML, JSON or .evtx; repeatable.",
)
@click.option("--audit", type=click.Path(path_type=Path), metavar="FILE", help="What `audit --save` wrote.")
@click.option(
    "--time-zone",
    metavar="ZONE",
    callback=_zone,
    help="Time zone of logs whose times have none: UTC, +02:00, Europe/Berlin; else that of the audit.",
)
@click.option("--since", metavar="TIME", callback=_moment, help="Only errors from then on: since a fix, for instance.")
@click.option("--host", metavar="NAME", help="The server of logs that name none.")
@click.option("--format", "form", type=OneOf(FORMS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report there.")
def diagnose(
    logs: tuple[str, ...], iis_logs: tuple[str, ...], events: tuple[str, ...], audit: Path | None,
    time_zone: str | None, since: datetime | None, host: str | None, form: DiagnosisForm, out: Path | None,
) -> Exit:  # fmt: skip
    """Tell whether the errors in logs are this fault, of which pool, and what ends them.

    LOG: application logs of any usual shape, folders, patterns, or - for standard input. A log alone gives a period;
    the IIS log, the events and an audit of the server make more checkable, and two of them can confirm it. With an
    audit that has evidence, or with events, no LOG is needed.
    """
    if not (logs or events or audit):
        raise click.UsageError("give a LOG, --events, or --audit with an audit that has evidence")
    if sum("-" in given for given in (logs, iis_logs, events)) > 1:
        raise click.UsageError("standard input can be read only once; give a file for the others")
    check_target(out)
    saved = b"" if audit is None else read_saved(audit)
    inspections = () if audit is None else _inspections(decoded(saved, audit, Audit))
    if audit is not None and not logs and not events and not any(one.evidence for one in inspections):
        raise click.UsageError(f"{audit} has no evidence (`remediate audit --evidence`): give a LOG or --events too")
    value = _diagnosis(logs, iis_logs, events, inspections, time_zone, since, host)
    if audit is not None:
        read = Source(file=str(audit), kind="audit", lines=saved.count(b"\n"), time_zone="UTC")
        value = replace(value, sources=(*value.sources, read))
    emit(rendered(value, form, screen(out)), out)
    return _exit(value)


# Those of the others are OK.
_EXITS: dict[Verdict, Exit] = {
    "confirmed": Exit.PENDING, "consistent": Exit.PENDING, "undetermined": Exit.INCOMPLETE,
}  # fmt: skip


def _exit(diagnosis: Diagnosis) -> Exit:
    """That nothing was found is OK only where something was read in which it could stand."""
    if not diagnosis.streams and unread(diagnosis.sources):
        return Exit.INCOMPLETE
    # An entry with the code alone may be this fault, and so may what could not be read: that is no answer.
    unknown = any(source.code_only or source.damage for source in diagnosis.sources)
    open_question = Exit.INCOMPLETE if unknown else Exit.OK
    return worst(open_question, *(_EXITS.get(stream.verdict, Exit.OK) for stream in diagnosis.streams))


def _inspections(audit: Audit) -> tuple[Inspection, ...]:
    return tuple(host for host in audit.hosts if isinstance(host, Inspection))


def _diagnosis(
    logs: Sequence[str], iis_logs: Sequence[str], events: Sequence[str], inspections: Sequence[Inspection],
    time_zone: str | None, since: datetime | None, host: str | None,
) -> Diagnosis:  # fmt: skip
    readings, collected, w3c = _read(logs, iis_logs, events)
    evidence = [of_evidence(one.host, one.evidence) for one in inspections if one.evidence is not None]
    parts: list[LogReading | Told] = [*readings, *collected, *evidence]
    names = [error.host for part in parts for error in part.occurrences if error.host]
    names += [event.host for part in parts for event in part.events if event.host]
    known = estate(inspections, host, names)
    zone_of = _zones(known, time_zone)
    readings, collected = ([in_utc(reading, zone_of) for reading in some] for some in (readings, collected))
    for reading in (*readings, *collected):
        if any(is_naive(event.time) for event in reading.events):
            raise RemediateError(f"{reading.source.file}: its events' times have no zone: {GIVE_ZONE}")
    errors = joined(
        [one for reading in readings for one in reading.occurrences],
        [*(one for reading in collected for one in reading.occurrences), *(e for p in evidence for e in p.occurrences)],
    )
    if since is not None:
        errors = tuple(one for one in errors if _is_since(one, since))
    told = [event for reading in (*readings, *collected) for event in reading.events]
    happened = once([*told, *(event for part in evidence for event in part.events)], known)
    reach = covers(happened, [part.begins for part in evidence], known)
    cases = prepare(errors, happened, reach, known, iis_log=bool(w3c))
    sources = [reading.source for reading in (*readings, *collected)] + _watched(w3c, cases, known)
    return Diagnosis(created_at=now(), sources=tuple(sources), streams=conclude(cases, known))


def _zones(known: Estate, given: str | None) -> ZoneOf:
    """The zone of a server's wall clock: the one that was given, or else the one that the audit has of that server."""
    if given is not None:
        option = Zone(given, parse_zone(given), "option")
        return lambda _name: option

    @cache
    def of_audit(name: str | None) -> Zone | None:
        server = known.server(name)
        if server is None or server.zone is None:
            if server is not None and server.zone_warning is not None:
                click.echo(printable(f"remediate: warning: {server.name}: {server.zone_warning}"), err=True)
            return None
        return Zone(server.zone.key, server.zone, "audit")

    return of_audit


def _read(
    logs: Sequence[str], iis_logs: Sequence[str], events: Sequence[str]
) -> tuple[list[LogReading], list[LogReading], list[LogFile]]:
    """The logs, the events, and the web sites' logs, which are read later. What is passed over is shown on stderr."""
    passed: list[Passed] = []
    read = read_given(find_files(logs), lambda file: (file, read_log(file)), passed)
    w3c = read_given(find_files(iis_logs), site_log, passed)
    collected = read_given(find_files(events), read_events, passed)
    for note in notes(passed):
        click.echo(printable(note), err=True)
    if logs and not read:
        raise RemediateError("no log that can be read is among the LOGs; name the files")
    if events and not collected:
        raise RemediateError("no export of Windows events is among what --events names; name the files")
    if iis_logs and not w3c:
        raise RemediateError("no W3C log of a web site among what --iis-log names; give the folders W3SVCn")
    # An IIS log among the logs is what it is.
    for file, reading in read:
        if reading.source.kind == "w3c":
            if file.once:
                raise RemediateError(f"{file.name}: an IIS log; give it with --iis-log, since a pipe is read only once")
            w3c.append(file)
    return [reading for _, reading in read if reading.source.kind != "w3c"], collected, w3c


def _is_since(error: Occurrence, since: datetime) -> bool:
    """An error without a time may be of any: it is kept."""
    if error.time is None:
        return True
    if error.time.tzinfo is None:
        raise RemediateError(f"{error.source}: its time zone is not known, and --since needs it: {GIVE_ZONE}")
    return error.time >= since


def _watched(w3c: Sequence[LogFile], cases: Sequence[Case], known: Estate) -> list[Source]:
    """Goes through IIS's logs once, for all cases."""
    watches = [case.watch for case in cases if case.watch is not None]
    # IIS keeps each site's log in a folder of the site's name, W3SVC2, and by default names it nowhere else.
    # Long logs have few hosts and few paths.
    host, serving, logging = lru_cache(64)(known.host), lru_cache(4096)(known.serving), lru_cache(64)(known.logging)
    sources: list[Source] = []
    for file in w3c:
        log = read_requests(file)
        folder = file.paths[0].absolute().parent.name if file.paths else None
        lines = (
            Line(one, name := host(one.host), serving(name, site := one.site or folder, one.path), logging(name, site))
            for one in log
        )
        watch(lines, watches)
        assert log.source is not None
        for one in watches:
            one.end_file(whole=log.source.damage is None)
        sources.append(log.source)
    return sources
