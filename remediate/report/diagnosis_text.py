"""A diagnosis as a person reads it: the streams, then each with its symptoms, reasons, fix and timeline."""

from collections import Counter

from remediate.diagnose.reasons import minutes, moment, unread
from remediate.iis.codes import FAULT
from remediate.logs import KEPT
from remediate.report.text import count, printable, table
from remediate.report.timeline import BLOCKS, timeline_text
from remediate.values.diagnoses import Diagnosis, Remedy, Stream, SymptomState
from remediate.values.logs import Source

WIDTH = 100
STATES: dict[SymptomState, str] = {"seen": "seen", "contradicted": "CONTRADICTED", "not-checkable": "not checkable"}
REMEDIES: dict[Remedy, str] = {
    "idle-timeout": "idle-timeout (processModel.idleTimeout 00:00:00)",
    "on-demand": "on-demand (startMode OnDemand)",
    "log-filter": "log-filter (`remediate log-filter`)",
}
_HEAD = ("host", "application", "pool", "code", "errors", "first", "last", "period", "verdict")


def diagnosis_text(diagnosis: Diagnosis, width: int = WIDTH, glyphs: str = BLOCKS, *, colour: bool = False) -> str:
    """``width`` bounds the timelines; texts are not folded."""
    parts = []
    if diagnosis.streams:
        parts.append(table(_HEAD, [_row(stream) for stream in diagnosis.streams]))
    parts += [_section(stream, width, glyphs, colour=colour) for stream in diagnosis.streams]
    last = (*map(source_line, diagnosis.sources), what_to_log(diagnosis), sums(diagnosis))
    parts.append("".join(f"{printable(line)}\n" for line in last if line))
    return "\n".join(parts)


def _row(stream: Stream) -> tuple[str, ...]:
    return (
        stream.host or "-", stream.application or "-", stream.pool or "-", stream.code, str(stream.count),
        "-" if stream.first is None else moment(stream.first), "-" if stream.last is None else moment(stream.last),
        "-" if stream.period_seconds is None else minutes(stream.period_seconds), stream.verdict,
    )  # fmt: skip


def title(stream: Stream) -> str:
    """What the stream is of, for a heading."""
    names = [
        f"pool {stream.pool}" if stream.pool else "",
        stream.application or "",
        f"on {stream.host}" if stream.host else "",
    ]
    return f"{stream.code}, {', '.join(name for name in names if name) or 'of an application that is not named'}"


def attributed(stream: Stream) -> str:
    """How many errors came after what."""
    sums = stream.attribution
    causes = ", ".join(f"{cause} {number}" for cause, number in stream.recycle_causes.items())
    recycles = f"{sums.recycle} after recycles or starts" + (f" ({causes})" if causes else "")
    inferred = f"; {sums.by_gap} of them by their gaps alone" if sums.by_gap else ""
    return f"{sums.idle} after idle stops, {recycles}, {sums.unexplained} unexplained{inferred}"


def rhythm(stream: Stream) -> str:
    """The period and how sure it is; empty where none was found."""
    if stream.period_seconds is None:
        return ""
    return f"{minutes(stream.period_seconds)}, confidence {stream.period_confidence:.2f}"


def fix(stream: Stream) -> str:
    if stream.fixes:
        return " or ".join(REMEDIES[name] for name in stream.fixes)
    if stream.verdict == "undetermined":
        return "none yet: it is not known whether this is the fault that `remediate` fixes"
    return "none: this is not the fault that `remediate` fixes"


def next_step(stream: Stream) -> str:
    """The command that comes next; empty where `remediate` has none. No name of a log is in it: it will be pasted."""
    plannable = [name for name in stream.fixes if name != "log-filter"]
    if stream.verdict == "undetermined":
        return (
            "collect what is named above and diagnose again, or ask the server: remediate audit -i INVENTORY --evidence"
        )
    if stream.verdict == "consistent":
        return "make more checkable, as said above, or ask the server: remediate audit -i INVENTORY --evidence"
    if stream.verdict == "confirmed" and plannable:
        return f"remediate plan -i INVENTORY --fix {plannable[0]} --out PLAN (nothing is changed before you apply it)"
    return ""


def _section(stream: Stream, width: int, glyphs: str, *, colour: bool) -> str:
    lines = [f"{title(stream)}: {stream.verdict}"]
    lines += [f"  - {reason}" for reason in stream.reasons]
    lines += [f"  {STATES[s.state]:<13}  {name:<14}  {s.text}" for name, s in stream.symptoms.items()]
    found = rhythm(stream)
    lines += [f"  period: {found}"] if found else []
    lines += [f"  errors: {attributed(stream)}", f"  fix: {fix(stream)}"]
    following = next_step(stream)
    lines += [f"  next: {following}"] if following else []
    drawn = timeline_text(stream, width - 2, glyphs, colour=colour)
    return "".join(f"{line}\n" for line in (*map(printable, lines), *(f"  {line}" for line in drawn)))


def source_line(source: Source) -> str:
    zone = f"time zone {source.time_zone}" + (" (by the audit)" if source.time_zone_from == "audit" else "")
    parts = [source.kind, count(source.lines, "line"), f"{source.unparsed} not understood"]
    parts += [f"NOT READ WHOLE: {source.damage}"] if source.damage else []
    parts += (
        [f"{source.untimed} without a time that was recognised (several may count as one)"] if source.untimed else []
    )
    parts += [f"{source.ambiguous} at a time that the server's clock showed twice or never"] if source.ambiguous else []
    parts += [f"{source.left_out} left out (more than {KEPT:,} of one kind)"] if source.left_out else []
    parts += [_code_only(source.code_only)] if source.code_only else []
    return f"{source.file}: {', '.join((*parts, zone))}"


def _code_only(number: int) -> str:
    entries = "1 entry names" if number == 1 else f"{number} entries name"
    return f"{entries} {FAULT} without the exception's type or stack"


def what_to_log(diagnosis: Diagnosis) -> str:
    """What makes entries count that name the fault's code alone; empty where there are none."""
    number = sum(source.code_only for source in diagnosis.sources)
    if not number:
        return ""
    return (
        f"{_code_only(number)}: log the exception itself, with its stack, and not its message alone "
        "(in a layout: %exception, ${exception:format=ToString}, {Exception})"
    )


def sums(diagnosis: Diagnosis) -> str:
    verdicts = Counter(stream.verdict for stream in diagnosis.streams)
    told = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
    if not diagnosis.streams:
        why = unread(diagnosis.sources)
        told = f"no exception of this kind is in what was read{f'; {why}' if why else ''}"
    return f"{count(len(diagnosis.streams), 'stream')}{': ' if told else ''}{told}"
