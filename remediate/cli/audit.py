"""remediate audit: find the pools that cause the error. Nothing is written on a server."""

from pathlib import Path

import click

from remediate.audit.pipeline import audit_files, is_incomplete
from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit, worst
from remediate.cli.inventory import audit_inventory, with_sources
from remediate.cli.options import (
    EVIDENCE_TIMEOUT,
    FILE,
    PATH,
    TIMEOUT,
    amount,
    check_target,
    emit,
    format_option,
    inventory_options,
    out_option,
    pace_options,
    rules_option,
)
from remediate.cli.verbosity import is_quiet
from remediate.fleet.script import MOST_DAYS
from remediate.iis.schema import IIS_VERSIONS, Version
from remediate.report.text import audit_text, printable, report_line
from remediate.saved import encode
from remediate.values.findings import Audit
from remediate.values.fleet import Failed, Inventory

# Days of event logs that --evidence reads where --days is not given.
_DAYS = 7


@click.command()
@inventory_options()
@pace_options(evidence=True)
@rules_option()
@click.option(
    "--config",
    "configs",
    multiple=True,
    type=PATH,
    metavar="FILE|DIR",
    help="Read applicationHost.config files, or all of those below a folder, instead of servers. May be repeated.",
)
@click.argument("more", nargs=-1, metavar="", type=PATH)
@click.option(
    "--iis-version",
    type=OneOf(list(IIS_VERSIONS)),
    default="10.0",
    show_default=True,
    help="Version of IIS that the files of --config are from.",
)
@click.option("--evidence", is_flag=True, help="Read the servers' event logs too, and report what they show.")
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), metavar="N", help=f"Days of event logs to read.  [default: {_DAYS}]"
)
@click.option(
    "--max-missing",
    metavar="N|P%",
    callback=amount,
    default="0",
    show_default=True,
    help="Do not exit with 3 while at most this many hosts could not be inspected.",
)
@format_option(["table", "json"])
@out_option()
@click.option(
    "--save",
    type=FILE,
    metavar="FILE",
    help="Save the audit as JSON, for `plan --from` and `diagnose --audit`.",
)
def audit(
    inventory: Inventory, forks: int, timeout: float | None, rules: frozenset[str], configs: tuple[Path, ...],
    more: tuple[Path, ...], iis_version: str, evidence: bool, days: int | None, max_missing: str, form: str,
    out: Path | None, save: Path | None,
) -> Exit:  # fmt: skip
    """Find the pools that cause the error, on every server of the inventory.

    With --config, search applicationHost.config files instead. No server and no network is needed.

    With --evidence, grade the findings by the event logs. A finding is `likely` when worker processes were stopped
    at the idle time-out again and again. It is `confirmed` when the exception itself was logged right after an idle
    stop, a recycle or a boot.
    """
    if more and not configs:
        raise click.UsageError(f"unexpected argument {str(more[0])!r}: give files with --config")
    if configs and inventory != Inventory(sources=()):
        raise click.UsageError("--config cannot be used with -i, or with another option for an inventory")
    if days is not None and not evidence:
        raise click.UsageError("--days needs --evidence")
    if configs and evidence:
        raise click.UsageError("--evidence cannot be used with --config: files have no event logs")
    for target in (save, out):
        check_target(target)
    if configs:
        value = _of_files((*configs, *more), IIS_VERSIONS[iis_version], rules, shown=form == "table" and out is None)
    else:
        patience = timeout or (EVIDENCE_TIMEOUT if evidence else TIMEOUT)
        chosen = with_sources(inventory, " or --config FILE|DIR")
        value = audit_inventory(chosen, forks, patience, rules, (days or _DAYS) if evidence else 0)
    if save is not None:
        emit(encode(value), save)
    emit(encode(value) if form == "json" else audit_text(value).encode(), out)
    return worst(
        Exit.INCOMPLETE if is_incomplete(value, max_missing) else Exit.OK,
        Exit.PENDING if value.summary.findings else Exit.OK,
    )


def _of_files(paths: tuple[Path, ...], version: Version, rules: frozenset[str], shown: bool) -> Audit:
    """The audit of files; if the report is not ``shown`` on a screen, standard error names the files that failed."""
    value = audit_files(paths, version, rules, lambda line: click.echo(printable(line), err=True))
    for report in value.hosts:
        if isinstance(report, Failed) and not shown and not is_quiet():
            click.echo(report_line(report), err=True)
    return value
