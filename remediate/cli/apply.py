"""remediate apply: run a plan. The only command that writes on a server."""

import shlex
import sys
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from remediate.apply.pipeline import Job, apply_plan
from remediate.apply.selection import Selection, check_selection, select
from remediate.cli.exits import Exit, worst
from remediate.cli.inventory import read_fleet, with_sources
from remediate.cli.options import PATH, amount, amounts, emit, inventory_options, pace_options
from remediate.cli.progress import follow
from remediate.errors import RemediateError
from remediate.playbook.directory import open_plan
from remediate.playbook.record import RECORD
from remediate.report.folding import who, with_names
from remediate.report.text import plan_text, printable, proof_line, result_line, run_text
from remediate.values.fleet import Inventory
from remediate.values.plans import Plan
from remediate.values.runs import HostProof, HostResult, Run


@click.command()
@click.argument("folder", metavar="DIR", type=PATH)
@inventory_options()
@click.option("-C", "--check", is_flag=True, help="Show what would be written, and write nothing (dry run).")
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
@click.option(
    "--batches",
    metavar="N|P%,...",
    callback=amounts,
    help="Hosts in each batch. The last size is repeated.  [default: 1,10%,100%]",
)
@click.option(
    "--max-failures",
    metavar="N|P%",
    default="5%",
    show_default=True,
    callback=amount,
    help="Stop before the next batch when more than this many hosts failed. A failed host in batch 1 always stops.",
)
@pace_options()
@click.option(
    "--run-dir",
    type=PATH,
    metavar="DIR",
    help="New folder for the record of the run.  [default: DIR/runs/TIME-ID]",
)
def apply(
    folder: Path, inventory: Inventory, check: bool, yes: bool, batches: tuple[str, ...], max_failures: str,
    forks: int, timeout: float, run_dir: Path | None,
) -> Exit:  # fmt: skip
    """Apply the plan in DIR, batch by batch, and read the servers again to verify it.

    A server on which anything changed since the plan is refused. Nothing is written on it.
    """
    plan, foreign = open_plan(folder)
    if foreign:
        what = f"not part of the plan, and not loaded by Ansible: {printable(', '.join(foreign))}"
        click.echo(f"remediate: {printable(str(folder))}: {what}", err=True)
    if not plan.changes:
        click.echo("nothing to apply: the plan has no changes", err=True)
        return Exit.OK
    fleet = read_fleet(with_sources(inventory))
    selection = select(plan, fleet, inventory.limit)
    for host in selection.left_out.values():
        click.echo(result_line(host), err=True)
    check_selection(selection, max_failures)
    if not check and not yes:
        _confirm(plan, selection)
    job = Job(
        folder=folder, fleet=fleet, selection=selection, run_dir=run_dir, check=check, forks=forks, timeout=timeout,
        batches=batches, max_failures=max_failures,
    )  # fmt: skip
    outcome = apply_plan(job, _Shown(check))
    # The folder of a run's record was shown at its beginning.
    text = run_text(outcome.run, outcome.folder if check else None, kept=outcome.folder is not None)
    emit(text.encode(), None)
    if outcome.lost:
        raise RemediateError(f"{outcome.lost}: the result of the second read is shown here and not saved")
    return _exit(outcome.run)


def _confirm(plan: Plan, selection: Selection) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: give --yes, or --check for a dry run")
    chosen = tuple(change for change in plan.changes if change.host in selection.names)
    click.echo(plan_text(msgspec.structs.replace(plan, changes=chosen, undecided=(), not_inspected=())), err=True)
    if not click.confirm("Write this now?", err=True):
        raise click.Abort("not confirmed")


class _Shown:
    """The run on standard error; see ``Watcher``."""

    def __init__(self, check: bool) -> None:
        self._check = check

    @contextmanager
    def recorded(self, folder: Path) -> Iterator[None]:
        if not self._check:
            click.echo(f"record: {printable(str(folder))}", err=True)
        try:
            yield
        except BaseException:
            record = folder / RECORD
            if record.exists() and record.stat().st_size:
                shown = printable(shlex.quote(str(folder)))
                click.echo(f"remediate: to see what is known of this run: remediate show {shown}", err=True)
            raise

    @contextmanager
    def applying(self, hosts: int) -> Iterator[Callable[[HostResult], None]]:
        with follow("trying" if self._check else "applying", hosts) as done:
            yield lambda host: done(result_line(host), host.status not in ("changed", "unchanged", "pending"))

    @contextmanager
    def proving(self, hosts: int) -> Iterator[Callable[[HostProof], None]]:
        with follow("reading again", hosts) as done:
            yield lambda proof: done(proof_line(proof), bool(proof.broken))

    def ended_early(self, words: str) -> None:
        click.echo(f"remediate: ansible-playbook ended early: {words}", err=True)

    def stopping(self, asked: Set[str], others: Set[str]) -> None:
        for hosts, what in ((asked, "asked to end before its next commit"), (others, "may go on writing")):
            if hosts:
                names = sorted(hosts)
                click.echo(f"remediate: {printable(with_names(f'{who(names)}: {what}', names))}", err=True)

    def interrupted(self, run: Run) -> None:
        emit(run_text(run).encode(), None)


def _exit(run: Run) -> Exit:
    status = {host.status for host in run.hosts}
    unproven = run.proof is not None and any(host.broken for host in run.proof.hosts)
    return worst(
        Exit.INCOMPLETE if unproven or status & {"failed", "unreachable", "unknown", "not-reached"} else Exit.OK,
        Exit.STALE if "stale" in status else Exit.OK,
        Exit.PENDING if "pending" in status else Exit.OK,
    )
