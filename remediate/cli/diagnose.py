"""remediate diagnose: from logs to the pool that causes the error.

Exit codes: 0 what was read is not this fault; 2 a stream is confirmed or consistent; 3 a stream is undetermined, a file
could not be read whole, or nothing was read that could hold the exception; 1 a file cannot be read; 64 usage.
"""

from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from remediate.cli.exits import Exit, worst
from remediate.cli.options import PATH, check_target, emit, format_option, out_option, screen
from remediate.diagnose.pipeline import Inputs, make_diagnosis
from remediate.diagnose.reasons import unread
from remediate.errors import RemediateError
from remediate.logs import parse_zone
from remediate.report.diagnosis import FORMS, DiagnosisForm, rendered
from remediate.report.text import printable
from remediate.saved import decoded, read_saved
from remediate.times import now
from remediate.values.diagnoses import Diagnosis, Verdict
from remediate.values.findings import Audit
from remediate.values.fleet import Inspection
from remediate.values.logs import Source


def _zone(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """Refuse a text that is not a time zone."""
    try:
        if text is not None:
            parse_zone(text)
    except RemediateError as error:
        raise click.BadParameter(str(error)) from error
    return text


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """``2026-11-25``, ``2026-11-25 14:00`` or RFC 3339. A time without a zone is in UTC."""
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
    metavar="FILE|DIR",
    help="W3C log of a web site, or a folder of logs. May be repeated.",
)
@click.option(
    "--events",
    multiple=True,
    type=click.Path(),
    metavar="FILE|DIR",
    help="Exported Windows events, as XML, JSON or .evtx. May be repeated.",
)
@click.option("--audit", type=PATH, metavar="FILE", help="Audit that `audit --save` wrote.")
@click.option(
    "--time-zone",
    metavar="ZONE",
    callback=_zone,
    help="Time zone of times without a zone, such as UTC, +02:00 or Europe/Berlin.  [default: the zone in the audit]",
)
@click.option(
    "--since", metavar="TIME", callback=_moment, help="Leave out errors before this time, such as the time of a fix."
)
@click.option("--host", metavar="NAME", help="Server of the logs that name no server.")
@format_option(FORMS)
@out_option()
def diagnose(
    logs: tuple[str, ...], iis_logs: tuple[str, ...], events: tuple[str, ...], audit: Path | None,
    time_zone: str | None, since: datetime | None, host: str | None, form: DiagnosisForm, out: Path | None,
) -> Exit:  # fmt: skip
    """Report whether the errors in logs are this fault, which pool causes it, and which fix ends it.

    LOG is an application log, a folder of logs, a pattern, or - for standard input. A log alone shows a period. The IIS
    log, the events and an audit of the server can confirm the fault. With --events, or with an audit that has evidence,
    no LOG is needed.
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
    inputs = Inputs(
        logs=logs, iis_logs=iis_logs, events=events, inspections=inspections, time_zone=time_zone, since=since,
        host=host,
    )  # fmt: skip
    value = make_diagnosis(inputs, now(), lambda line: click.echo(printable(line), err=True))
    if audit is not None:
        read = Source(file=str(audit), kind="audit", lines=saved.count(b"\n"), time_zone="UTC")
        value = replace(value, sources=(*value.sources, read))
    emit(rendered(value, form, screen(out)), out)
    return _exit(value)


def _inspections(audit: Audit) -> tuple[Inspection, ...]:
    return tuple(host for host in audit.hosts if isinstance(host, Inspection))


# The exit code of every other verdict is OK.
_EXITS: dict[Verdict, Exit] = {
    "confirmed": Exit.PENDING, "consistent": Exit.PENDING, "undetermined": Exit.INCOMPLETE,
}  # fmt: skip


def _exit(diagnosis: Diagnosis) -> Exit:
    """Without a stream the exit code is OK only if something was read that could hold an exception."""
    if not diagnosis.streams and unread(diagnosis.sources):
        return Exit.INCOMPLETE
    # An entry with the code alone may be this fault, and so may a part that could not be read.
    unknown = any(source.code_only or source.damage for source in diagnosis.sources)
    open_question = Exit.INCOMPLETE if unknown else Exit.OK
    return worst(open_question, *(_EXITS.get(stream.verdict, Exit.OK) for stream in diagnosis.streams))
