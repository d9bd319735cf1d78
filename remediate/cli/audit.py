"""remediate audit: look at a fleet, change nothing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from remediate.audit.rules import find
from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit, worst
from remediate.cli.inventory import read_fleet, with_sources
from remediate.cli.options import (
    EVIDENCE_TIMEOUT,
    TIMEOUT,
    check_amount,
    check_target,
    emit,
    inventory_options,
    now,
    pace_options,
    rules_option,
)
from remediate.cli.progress import follow
from remediate.cli.verbosity import is_quiet
from remediate.fleet.offline import read_configs
from remediate.fleet.runner import inspect_all
from remediate.fleet.script import MOST_DAYS
from remediate.iis.schema import IIS_VERSIONS, Version
from remediate.report.text import audit_text, printable, report_line
from remediate.saved import encode
from remediate.values.findings import Audit, AuditSummary
from remediate.values.fleet import Failed, HostReport, Inspection, Inventory, Unreachable


@click.command()
@inventory_options()
@pace_options(evidence=True)
@rules_option()
@click.option(
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="applicationHost.config files, or folders.",
)
@click.argument("more", nargs=-1, metavar="", type=click.Path(path_type=Path))
@click.option("--iis-version", type=OneOf(list(IIS_VERSIONS)), default="10.0", help="Of --config files: 10.0.")
@click.option("--evidence", is_flag=True, help="Also read the servers' event logs: what happened, not only what can.")
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), metavar="N", help="How far back with --evidence: 7 unless given."
)
@click.option(
    "--max-missing", metavar="N|P%", default="0", show_default=True, help="So many may be missing without exit 3."
)
@click.option("--format", "form", type=OneOf(["table", "json"]), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report there.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Also keep the audit, for `plan --from`.")
def audit(
    inventory: Inventory, forks: int, timeout: float | None, rules: frozenset[str], configs: tuple[Path, ...],
    more: tuple[Path, ...], iis_version: str, evidence: bool, days: int | None, max_missing: str, form: str,
    out: Path | None, save: Path | None,
) -> Exit:  # fmt: skip
    """Find the pools that cause the error, on every server of the inventory.

    With --config FILE|DIR...: in applicationHost.config files at hand, with no server and no network.

    With --evidence the event logs tell which of them have it: worker processes that were stopped when idle, one after
    the other, make a finding `likely`, and the very exception right after one makes it `confirmed`.
    """
    check_amount(max_missing, "--max-missing")
    if more and not configs:
        raise click.UsageError(f"unexpected {str(more[0])!r}: files go with --config")
    if configs and inventory != Inventory(sources=()):
        raise click.UsageError("give either -i INVENTORY and what goes with it, or --config FILE|DIR")
    if days is not None and not evidence:
        raise click.UsageError("--days goes with --evidence")
    if configs and evidence:
        raise click.UsageError("--evidence is read from servers: files have none")
    for target in (save, out):
        check_target(target)
    if configs:
        started = now()
        shown = form == "table" and out is None
        value = assemble(_read_files((*configs, *more), IIS_VERSIONS[iis_version], shown), started, rules)
    else:
        chosen = with_sources(inventory, " or --config FILE|DIR")
        patience = timeout or (EVIDENCE_TIMEOUT if evidence else TIMEOUT)
        value = make_audit(chosen, forks, patience, rules, (days or 7) if evidence else 0)
    if save is not None:
        emit(encode(value), save)
    emit(encode(value) if form == "json" else audit_text(value).encode(), out)
    missing = value.summary.unreachable + value.summary.failed
    number = int(max_missing.removesuffix("%"))
    allowed = value.summary.hosts * number // 100 if max_missing.endswith("%") else number
    return worst(
        # So many may be missing, but never all: of a fleet that nobody looked at, nothing is known.
        Exit.INCOMPLETE if missing > allowed or value.summary.inspected == 0 else Exit.OK,
        Exit.PENDING if value.summary.findings else Exit.OK,
    )


def _read_files(paths: Sequence[Path], version: Version, shown: bool) -> tuple[HostReport, ...]:
    """The reports on configuration files; standard error shows what was passed over, and the broken ones where the
    report is not ``shown``."""
    reports = read_configs(paths, version, lambda line: click.echo(printable(line), err=True))
    for report in reports:
        if isinstance(report, Failed) and not shown and not is_quiet():
            click.echo(report_line(report), err=True)
    return reports


def make_audit(
    inventory: Inventory, forks: int, timeout: float, rules: frozenset[str], evidence_days: int = 0
) -> Audit:
    """Inspect every host of the inventory; standard error tells how far it is."""
    started = now()
    fleet = read_fleet(inventory)
    with follow("inspecting", len(fleet.targets)) as tell:
        hosts = inspect_all(
            fleet, forks, timeout, lambda report: tell(report_line(report), _trouble(report)), evidence_days,
        )  # fmt: skip
    return assemble(hosts, started, rules)


def _trouble(report: HostReport) -> bool:
    return isinstance(report, Unreachable | Failed) or (isinstance(report, Inspection) and report.warning is not None)


def assemble(hosts: tuple[HostReport, ...], started: str, rules: frozenset[str] = frozenset()) -> Audit:
    """Reports -> Audit, with findings and sums."""
    findings = find(hosts, rules)
    status = Counter(type(host).__name__ for host in hosts)
    level = Counter(finding.level for finding in findings)
    summary = AuditSummary(
        hosts=len(hosts),
        inspected=status["Inspection"],
        unreachable=status["Unreachable"],
        failed=status["Failed"],
        skipped=status["Skipped"],
        pools=sum(len(host.pools) for host in hosts if isinstance(host, Inspection)),
        findings=level["finding"],
        notes=level["note"],
    )
    return Audit(started_at=started, finished_at=now(), hosts=hosts, findings=findings, summary=summary)
