"""What a person reads: values in, text out. Whatever could steer a terminal is spelled out: names come from servers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec
from rich.cells import cell_len

from remediate.fleet.relayed import in_words
from remediate.report.folding import by_text, who, with_names
from remediate.values.findings import Audit, Finding
from remediate.values.fleet import HostReport, Inspection, status_of
from remediate.values.plans import Change, Plan, Recycle
from remediate.values.runs import HostProof, HostResult, Run, RunChange

_RECYCLE: dict[Recycle, str] = {
    "now": "recycles the pool now",
    "deferred": "takes effect when the worker next starts",
    "none": "no recycle: the pool is stopped",
    "unknown": "may recycle the pool (not documented)",
}


# A row of findings goes on in the next line where its reasons are longer.
_REASONS = 240


def printable(text: str) -> str:
    """The same text where it is harmless; control and format characters as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def count(number: int, noun: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def text_of(value: Audit | Plan | Run) -> str:
    if isinstance(value, Audit):
        return audit_text(value)
    return plan_text(value) if isinstance(value, Plan) else run_text(value)


def report_line(report: HostReport) -> str:
    """One inspected host, for progress."""
    if isinstance(report, Inspection):
        warning = f"; warning: {report.warning}" if report.warning else ""
        windows = f", Windows {report.windows_version}" if report.windows_version else ""
        found = report.detail or count(len(report.pools), "pool")
        return printable(f"{report.host}: inspected, {found}{windows}{warning}")
    return printable(f"{report.host}: {status_of(report)}: {report.detail}")


def result_line(result: HostResult) -> str:
    """One applied host, for progress."""
    return printable(f"{result.host}: {result.status}" + (f": {in_words(result.detail)}" if result.detail else ""))


def audit_text(audit: Audit) -> str:
    summary = audit.summary
    parts = []
    if audit.findings:
        rows = [row for finding in audit.findings for row in _finding_rows(finding)]
        parts.append(table(("host", "pool", "rule", "level", "grade", "reasons"), rows))
    missing = [h for h in audit.hosts if not isinstance(h, Inspection)]
    if missing:
        groups = by_text(missing, lambda h: (status_of(h), h.detail))
        folded = [([h.host for h in hosts], status, detail) for (status, detail), hosts in groups]
        rows_ = [(who(names), status, with_names(detail, names)) for names, status, detail in folded]
        parts.append(table(("host", "status", "detail"), rows_))
    parts.append(
        f"{count(summary.hosts, 'host')}: {summary.inspected} inspected, {summary.unreachable} unreachable, "
        f"{summary.failed} failed, {summary.skipped} skipped; "
        f"{count(summary.pools, 'pool')}, {count(summary.findings, 'finding')}, {count(summary.notes, 'note')}\n"
    )
    return "\n".join(parts)


def _finding_rows(finding: Finding) -> Iterator[tuple[str, ...]]:
    """One row; more for the reasons of an audit with evidence, which would make it several screens wide."""
    cells: tuple[str, ...] = (finding.host, finding.pool, finding.rule, finding.level, finding.grade)
    line = ""
    for reason in (*finding.reasons, *(f"but {doubt.text}" for doubt in finding.doubts)):
        if line and len(line) + len(reason) > _REASONS:
            yield (*cells, f"{line};")
            cells, line = ("",) * len(cells), ""
        line += f"; {reason}" if line else reason
    yield (*cells, line)


def plan_text(plan: Plan) -> str:
    """The diff that a person reviews: by host and pool, old -> new, where the old value came from, recycles, sums."""
    lines = []
    for host, of_host in groupby(plan.changes, key=lambda c: c.host):
        changes = list(of_host)
        also = f", also {', '.join(changes[0].also)}" if changes[0].also else ""
        sums = f"{count(len(changes), 'change')}, recycles: {_recycles(changes)}"
        lines.append(printable(f"{host} ({changes[0].machine}{also}): {sums}"))
        for (scope, pool), of_pool in groupby(changes, key=lambda c: (c.scope, c.pool)):
            lines.append(f"  {printable(pool)}" if scope == "pool" else "  the defaults of all pools")
            for change in of_pool:
                lines += _change_lines(change)
    for undecided in plan.undecided:
        lines.append(printable(f"undecided: {undecided.host}: {undecided.pool}: {undecided.reason}"))
    for (status, detail), of_detail in by_text(plan.not_inspected, lambda h: (h.status, h.detail)):
        names = [one.host for one in of_detail]
        lines.append(printable(f"not inspected: {who(names)}: {status}: {with_names(detail, names)}"))
    lines.append(
        f"{count(len(plan.changes), 'change')} on {count(len({c.host for c in plan.changes}), 'host')}, "
        f"{len(plan.undecided)} undecided; recycles: {_recycles(plan.changes)}"
    )
    return "\n".join(lines) + "\n"


def _recycles(changes: Sequence[Change]) -> str:
    """So many of each kind; ``none`` where no worker is touched."""
    kinds = Counter(change.recycle for change in changes)
    return ", ".join(f"{kinds[kind]} {kind}" for kind in _RECYCLE if kinds[kind]) or "none"


def _change_lines(change: Change) -> list[str]:
    new = change.set if change.set is not None else f"{change.inherits} (inherited)"
    applications = f": {', '.join(change.applications)}" if change.applications else ""
    lines = [
        f"    {change.attribute}: {change.expect} -> {new}",
        f"      the old value is from: {change.expect_source}; {_RECYCLE[change.recycle]}{applications}",
    ]
    if change.scope == "defaults":
        names = f": {', '.join(change.inherited_by)}" if change.inherited_by else ""
        lines.append(f"      inherited by {count(len(change.inherited_by), 'pool')}{names}")
    return [printable(line) for line in (*lines, f"      {change.reason}")]


def proof_line(proof: HostProof) -> str:
    """One host that was read again, for progress."""
    if proof.broken:
        return printable(f"{proof.host}: not proven: {'; '.join(proof.broken)}")
    return printable(f"{proof.host}: verified by a second read: {count(proof.verified, 'change')}")


def run_text(run: Run, folder: Path | None = None, kept: bool = True) -> str:
    """What a run did, host by host, and the sums. ``folder`` is shown as that of its record.

    A run whose record is not ``kept`` has no name: nothing could be done with it.
    """
    lines = [printable(f"{f'run {run.run}' if kept else 'dry run'}, begun {run.started_at}")]
    # Hosts without a change of their own are folded by what is said of them.
    for _, hosts in by_text(run.hosts, lambda h: (h.host,) if h.changes or not h.detail else ("", h.status, h.detail)):
        names = [host.host for host in hosts]
        detail = with_names(hosts[0].detail or "", names)
        lines.append(result_line(msgspec.structs.replace(hosts[0], host=who(names), detail=detail or None)))
        lines += [f"  {printable(_what(change))}: {_outcome(change, run.check)}" for change in hosts[0].changes]
    for proof in run.proof.hosts if run.proof else ():
        lines += [printable(f"not proven: {proof.host}: {line}") for line in proof.broken]
    lines.append(_run_sums(run))
    if folder is not None:
        lines.append(printable(f"record: {folder}"))
    return "\n".join(lines) + "\n"


def _run_sums(run: Run) -> str:
    """``dry run, nothing was written: 3 pending``; ``81 changed, 81 verified by a second read``."""
    status = Counter(host.status for host in run.hosts)
    parts = [f"{number} {name}" for name, number in sorted(status.items())]
    ends = []
    if not run.finished_at:
        ends.append("it is still running" if run.running else "the record ends before the run did")
    if run.proof is not None:
        holding = sum(not host.broken for host in run.proof.hosts)
        parts.append(f"{holding} verified by a second read")
        parts += [f"{number} NOT"] if (number := len(run.proof.hosts) - holding) else []
        ends += [] if run.proof.finished_at else ["the second read ends before all were read"]
    wrote = any(host.backup or any(change.written for change in host.changes) for host in run.hosts)
    dry = "dry run: " if wrote else "dry run, nothing was written: "
    return (dry if run.check else "") + "; ".join([", ".join(parts), *ends])


def _what(change: Change) -> str:
    return change.pool if change.scope == "pool" else "the defaults of all pools"


def _outcome(change: RunChange, check: bool) -> str:
    new = change.set if change.set is not None else f"{change.inherits} (inherited)"
    found = change.found if change.found is not None else change.expect
    step = printable(f"{change.attribute}: {found} -> {new}")
    if change.written and check:
        return f"{step}: the server reports that it wrote this"
    if change.written:
        return f"{step}, written" + (" and verified" if change.verified else ", NOT verified")
    if change.verified:
        return printable(f"{change.attribute} is {new} already")
    if change.written is None:
        return f"{step}: not known whether it was written"
    return f"{step}" + ("" if check else ": not written")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that are as wide as what stands in them. Nothing is cut or folded: the same on a screen and in a pipe."""
    lines = [head, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(_columns, column)) for column in zip(*lines, strict=True)]
    return "".join(f"{_padded(line, widths)}\n" for line in lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return "  ".join(cell + " " * (width - _columns(cell)) for cell, width in pairs).rstrip()


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes; letters of some scripts take two."""
    return len(text) if text.isascii() else cell_len(text)
