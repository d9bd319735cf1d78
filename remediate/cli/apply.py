"""remediate apply: run a plan. The only command that writes on a server."""

import dataclasses
import secrets
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from remediate.cli.exits import Exit, worst
from remediate.cli.options import check_amount, emit, inventory_options, pace_options
from remediate.cli.progress import follow
from remediate.inspect.fleet import inspect_all
from remediate.inspect.inventory import Fleet, Target, read_inventory
from remediate.model import HostResult, Inventory, Plan, RemediateError, Run
from remediate.playbook.directory import check_digest, read_plan
from remediate.playbook.proof import broken
from remediate.playbook.run import LOG, Settings, last_words, run_plan
from remediate.report.text import plan_text, result_line, run_text


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@inventory_options(required=True)
@click.option("--check", is_flag=True, help="Only tell what would be written.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--batches", metavar="1,10%,100%", help="Hosts in each batch, in numbers or percent.")
@click.option("--max-failures", metavar="N|P%", default="5%", help="More failed hosts end it (5%; none in batch 1).")
@pace_options()
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where the record goes; the default is DIR/runs/...")
def apply(
    folder: Path, inventory: Inventory, check: bool, yes: bool, batches: str | None, max_failures: str,
    forks: int, timeout: float, run_dir: Path | None,
) -> Exit:  # fmt: skip
    """Apply the plan in DIR, in batches; refuse whatever changed since; prove it afterwards."""
    steps = tuple(batches.split(",")) if batches else ()
    for step in steps:
        check_amount(step, "--batches", least=1)
    check_amount(max_failures, "--max-failures")
    if not folder.is_dir():
        raise RemediateError(f"{folder}: is not a folder; give the one that `remediate plan --out` wrote")
    plan = read_plan(folder)
    check_digest(folder, plan)
    planned = {change.host for change in plan.changes}
    if not planned:
        click.echo("nothing to apply: the plan has no changes", err=True)
        return Exit.OK
    fleet = read_inventory(inventory)
    missing = planned - fleet.names
    if missing:
        what = f"not in the inventory: {', '.join(sorted(missing))}; nothing was done"
        click.echo(f"remediate: {what}. Give the plan's inventory, or make a new plan.", err=True)
        return Exit.INCOMPLETE
    targets = tuple(target for target in fleet.targets if target.host in planned)
    if not targets:
        raise RemediateError(f"no planned host matches {inventory.limit!r}")
    if not check and not yes:
        _confirm(plan, targets)
    names = {target.host for target in targets}
    settings = Settings(inventory, sorted(names), check, forks, fleet.secrets, steps, max_failures)
    # A dry run's record is of no later use.
    with tempfile.TemporaryDirectory(prefix="remediate-") as scratch:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        target = run_dir or (Path(scratch) if check else folder / "runs") / name
        if not check:
            click.echo(f"record: {target}", err=True)
        try:
            with follow("trying" if check else "applying", len(targets)) as tell:
                run = run_plan(folder, name, target, settings, lambda host: tell(result_line(host), _trouble(host)))
        except KeyboardInterrupt:
            click.echo(f"remediate: interrupted; what is known of it: remediate show {target}", err=True)
            raise
        if run.finished_at is None:
            click.echo(f"remediate: ansible-playbook ended early: {last_words(target / LOG)}", err=True)
    run = msgspec.structs.replace(run, hosts=tuple(host for host in run.hosts if host.host in names))
    unproven = () if check else _prove(run, fleet, forks, timeout)
    emit(run_text(run, unproven, None if check and run_dir is None else target).encode(), None)
    return _exit(run, bool(unproven))


def _trouble(host: HostResult) -> bool:
    return host.status not in ("changed", "unchanged", "pending")


def _confirm(plan: Plan, targets: tuple[Target, ...]) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: give --yes, or --check for a dry run")
    names = {target.host for target in targets}
    chosen = tuple(change for change in plan.changes if change.host in names)
    click.echo(plan_text(msgspec.structs.replace(plan, changes=chosen, undecided=(), not_inspected=())), err=True)
    if not click.confirm("Write this now?", err=True):
        raise click.Abort("not confirmed")


def _prove(run: Run, fleet: Fleet, forks: int, timeout: float) -> tuple[str, ...]:
    """Look again at the hosts that are done, as an audit does, and say where a change does not hold."""
    done = {host.host for host in run.hosts if host.status in ("changed", "unchanged")}
    targets = tuple(target for target in fleet.targets if target.host in done)
    reports = inspect_all(dataclasses.replace(fleet, targets=targets), forks, timeout, lambda _report: None)
    return broken(run, reports)


def _exit(run: Run, unproven: bool) -> Exit:
    status = {host.status for host in run.hosts}
    return worst(
        Exit.INCOMPLETE if unproven or status & {"failed", "unreachable", "unknown", "not-reached"} else Exit.OK,
        Exit.STALE if "stale" in status else Exit.OK,
        Exit.PENDING if "pending" in status else Exit.OK,
    )
