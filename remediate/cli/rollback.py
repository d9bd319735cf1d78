"""remediate rollback: write the plan that undoes a run."""

from pathlib import Path

import click

from remediate.cli.options import PATH, emit, plan_folder_option
from remediate.errors import RemediateError
from remediate.plan.planner import make_rollback
from remediate.playbook.directory import write_plan
from remediate.playbook.record import read_run
from remediate.report.folding import by_text, who, with_names
from remediate.report.text import plan_text, printable
from remediate.times import now


@click.command()
@click.argument("run", metavar="RUN", type=PATH)
@plan_folder_option()
def rollback(run: Path, out: Path) -> None:
    """Write the plan that undoes RUN (PLAN/runs/RUN), for `remediate apply`.

    Nothing is written on a server.
    """
    found = read_run(run)
    if found.check:
        raise RemediateError(f"{run}: was a dry run; there is nothing to undo")
    if found.running:
        raise RemediateError(f"{run}: is still running and may write more: wait for its end, or end it, then undo it")
    made = write_plan(make_rollback(found, now()), out)
    emit(plan_text(made).encode(), None)
    click.echo(printable(f"written: {out}"), err=True)
    silent = [host for host in found.hosts if any(change.written is None for change in host.changes)]
    for (status, detail), hosts in by_text(silent, lambda host: (host.status, host.detail or "")):
        names = [host.host for host in hosts]
        click.echo(printable(f"{who(names)}: {status}: {with_names(detail, names)}"), err=True)
    if silent:
        click.echo("this plan asks a server that still writes to end before its next commit", err=True)
