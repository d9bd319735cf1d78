"""remediate audit: look at a fleet, change nothing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from remediate.cli.exits import Exit, worst
from remediate.cli.options import check_amount, emit, inventory_options, now, pace_options, rules_option
from remediate.cli.progress import follow
from remediate.diagnose.rules import find
from remediate.iis.schema import IIS_VERSIONS, Version
from remediate.inspect.fleet import inspect_all
from remediate.inspect.inventory import read_inventory
from remediate.inspect.offline import read_configs
from remediate.inspect.script import MOST_DAYS
from remediate.model import Audit, AuditSummary, Failed, HostReport, Inspection, Inventory, Unreachable, encode
from remediate.report.text import audit_text, printable, report_line


@click.command()
@inventory_options(required=False)
@pace_options()
@rules_option()
@click.option(
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="applicationHost.config files, or folders.",
)
@click.argument("more", nargs=-1, metavar="", type=click.Path(path_type=Path))
@click.option("--iis-version", type=click.Choice(list(IIS_VERSIONS)), default="10.0", help="Of --config files: 10.0.")
@click.option("--evidence", is_flag=True, help="Also read the servers' event logs: what happened, not only what can.")
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), metavar="N", help="How far back with --evidence: 7 unless given."
)
@click.option(
    "--max-missing", metavar="N|P%", default="0", show_default=True, help="So many may be missing without exit 3."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report there.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Also keep the audit, for `plan --from`.")
def audit(
    inventory: Inventory, forks: int, timeout: float, rules: frozenset[str], configs: tuple[Path, ...],
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
    if bool(inventory.sources) == bool(configs):
        raise click.UsageError("give either -i INVENTORY or --config FILE|DIR")
    if days is not None and not evidence:
        raise click.UsageError("--days goes with --evidence")
    if configs and evidence:
        raise click.UsageError("--evidence is read from servers: files have none")
    if configs:
        started = now()
        value = assemble(_read_files((*configs, *more), IIS_VERSIONS[iis_version]), started, rules)
    else:
        value = make_audit(inventory, forks, timeout, rules, (days or 7) if evidence else 0)
    if save is not None:
        emit(encode(value), save)
    emit(encode(value) if form == "json" else audit_text(value).encode(), out)
    missing = value.summary.unreachable + value.summary.failed
    number = int(max_missing.removesuffix("%"))
    allowed = value.summary.hosts * number // 100 if max_missing.endswith("%") else number
    return worst(
        Exit.INCOMPLETE if missing > allowed else Exit.OK,
        Exit.PENDING if value.summary.findings else Exit.OK,
    )


def _read_files(paths: Sequence[Path], version: Version) -> tuple[HostReport, ...]:
    """The reports on configuration files; standard error shows the broken ones, and what was passed over."""
    reports = read_configs(paths, version, lambda line: click.echo(printable(line), err=True))
    for report in reports:
        if isinstance(report, Failed):
            click.echo(report_line(report), err=True)
    return reports


def make_audit(
    inventory: Inventory, forks: int, timeout: float, rules: frozenset[str], evidence_days: int = 0
) -> Audit:
    """Inspect every host of the inventory; standard error tells how far it is."""
    started = now()
    fleet = read_inventory(inventory)
    with follow("inspecting", len(fleet.targets)) as tell:
        hosts = inspect_all(
            fleet, forks, timeout, lambda report: tell(report_line(report), isinstance(report, Unreachable | Failed)),
            evidence_days,
        )  # fmt: skip
    return assemble(hosts, started, rules)


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
