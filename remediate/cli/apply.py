"""remediate apply: run a plan. The only command that writes on a server."""

import dataclasses
import secrets
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from remediate.cli.exits import Exit, worst
from remediate.cli.inventory import read_fleet, with_sources
from remediate.cli.options import check_amount, emit, inventory_options, now, pace_options
from remediate.cli.progress import follow
from remediate.errors import RemediateError
from remediate.fleet.inventory import Fleet, Target
from remediate.fleet.limit import asked_for
from remediate.fleet.runner import inspect_all
from remediate.fleet.stop import ask_to_stop
from remediate.iis.attributes import FIXES
from remediate.playbook.directory import check_digest, check_path, read_plan
from remediate.playbook.proof import prove
from remediate.playbook.proof_file import keep_proof
from remediate.playbook.record import RECORD, read_run
from remediate.playbook.run import Settings, run_plan
from remediate.playbook.run_log import LOG, last_words
from remediate.report.folding import who, with_names
from remediate.report.text import count, plan_text, printable, proof_line, result_line, run_text
from remediate.values.fleet import Failed, HostReport, Inventory, Skipped
from remediate.values.plans import Plan
from remediate.values.runs import HostProof, HostResult, Proof, Run

# So long an interrupted run asks its servers to stop; whoever interrupted it waits.
_STOP_SECONDS = 10.0


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@inventory_options()
@click.option("-C", "--check", is_flag=True, help="Only tell what would be written.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--batches", metavar="N|P%,...", help="Hosts in each batch; the default is 1,10%,100%.")
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
    check_path(folder)
    plan = read_plan(folder)
    foreign = check_digest(folder, plan)
    if foreign:
        what = f"no part of the plan, and not loaded by Ansible: {printable(', '.join(foreign))}"
        click.echo(f"remediate: {printable(str(folder))}: {what}", err=True)
    planned = {change.host for change in plan.changes}
    if not planned:
        click.echo("nothing to apply: the plan has no changes", err=True)
        return Exit.OK
    fleet = read_fleet(with_sources(inventory))
    missing = asked_for(inventory.limit, planned - fleet.names)
    if missing:
        what = f"not in the inventory: {', '.join(sorted(missing))}; nothing was done"
        click.echo(f"remediate: {what}. Give the plan's inventory, or make a new plan.", err=True)
        return Exit.INCOMPLETE
    targets = tuple(target for target in fleet.targets if target.host in planned)
    if not targets:
        raise RemediateError(f"no planned host matches {inventory.limit!r}")
    unfit = _unfit(targets, max_failures)
    if unfit is None:
        return Exit.INCOMPLETE
    unfit |= _vetoed(plan, targets)
    if len(unfit) == len(targets):
        click.echo("remediate: nothing was done", err=True)
        return worst(*(Exit.STALE if host.status == "stale" else Exit.INCOMPLETE for host in unfit.values()))
    if not check and not yes:
        _confirm(plan, targets)
    names = {target.host for target in targets}
    settings = Settings(fleet.sources, sorted(names - unfit.keys()), check, forks, fleet.given, steps, max_failures)
    lost = ""
    # A dry run's record is of no later use.
    with tempfile.TemporaryDirectory(prefix="remediate-") as scratch:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        target = run_dir or (Path(scratch) if check else folder / "runs") / name
        kept = target if run_dir or not check else None
        if not check:
            click.echo(f"record: {printable(str(target))}", err=True)
        with _named(kept), _stopping(kept if not check else None, name, targets):
            with follow("trying" if check else "applying", len(settings.hosts)) as tell:
                run = run_plan(folder, name, target, settings, lambda host: tell(result_line(host), _trouble(host)))
            if run.finished_at is None:
                click.echo(f"remediate: ansible-playbook ended early: {last_words(target / LOG)}", err=True)
            if not check:
                run, lost = _prove(run, dataclasses.replace(fleet, targets=targets), forks, timeout, target, unfit)
    run = _only(run, names, unfit)
    # The record of a run was named at its beginning.
    emit(run_text(run, kept if check else None).encode(), None)
    if lost:
        raise RemediateError(f"{lost}: what the second read found is shown here alone")
    return _exit(run)


@contextmanager
def _stopping(run_dir: Path | None, name: str, targets: tuple[Target, ...]) -> Iterator[None]:
    """When the run is interrupted, ask the servers that have not answered to end before their next commit."""
    try:
        yield
    except KeyboardInterrupt:
        if run_dir is not None and (run_dir / RECORD).exists():
            silent = {host.host for host in read_run(run_dir).hosts if host.status == "unknown"}
            asked = ask_to_stop(name, (target for target in targets if target.host in silent), _STOP_SECONDS)
            for hosts, what in ((asked, "asked to end before its next commit"), (silent - asked, "may go on writing")):
                if hosts:
                    names = sorted(hosts)
                    click.echo(f"remediate: {printable(with_names(f'{who(names)}: {what}', names))}", err=True)
        raise


@contextmanager
def _named(run_dir: Path | None) -> Iterator[None]:
    """Whatever interrupts a run, say where to look for what is known of it."""
    try:
        yield
    except BaseException:
        if run_dir is not None and (run_dir / RECORD).exists() and (run_dir / RECORD).stat().st_size:
            shown = printable(shlex.quote(str(run_dir)))
            click.echo(f"remediate: what is known of this run: remediate show {shown}", err=True)
        raise


def _unfit(targets: Sequence[Target], max_failures: str) -> dict[str, HostResult] | None:
    """The hosts that no run can reach, by their variables. They count as failed: None where they are too many.

    Ansible is not started for them: it would fail there too, and quote in its log what it could not read.
    """
    unfit = {
        target.host: HostResult(host=target.host, status="failed", detail=target.detail)
        for target in targets
        if isinstance(target, Failed | Skipped)
    }
    for host in unfit.values():
        click.echo(result_line(host), err=True)
    number = int(max_failures.removesuffix("%"))
    allowed = len(targets) * number // 100 if max_failures.endswith("%") else number
    if len(unfit) > allowed or len(unfit) == len(targets):
        what = f"{count(len(unfit), 'host')} of {len(targets)} cannot be reached with these variables"
        click.echo(f"remediate: {what}, and --max-failures is {max_failures}: nothing was done", err=True)
        return None
    return unfit


def _vetoed(plan: Plan, targets: Sequence[Target]) -> dict[str, HostResult]:
    """The hosts whose remediate_fix says otherwise by now: they are not begun. An undo is not asked for a fix."""
    vetoed: dict[str, HostResult] = {}
    for target in targets if plan.undoes is None else ():
        word = None if isinstance(target, Failed | Skipped) else target.vars.get("remediate_fix")
        made = {
            fix for fix in FIXES for c in plan.changes if c.host == target.host and c.attribute == FIXES[fix].attribute
        }
        if word is not None and word not in made:
            detail = f"remediate_fix is {word!r} here by now, and the plan is for {', '.join(made)}: make a new plan"
            vetoed[target.host] = HostResult(host=target.host, status="stale", detail=detail)
            click.echo(result_line(vetoed[target.host]), err=True)
    return vetoed


def _only(run: Run, names: Set[str], unfit: Mapping[str, HostResult]) -> Run:
    """The run without the hosts that --limit leaves out, and with the reason why it did not begin others."""
    hosts = tuple(unfit.get(host.host, host) for host in run.hosts if host.host in names)
    return msgspec.structs.replace(run, hosts=hosts)


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


def _prove(
    run: Run, fleet: Fleet, forks: int, timeout: float, run_dir: Path, unfit: Mapping[str, HostResult]
) -> tuple[Run, str]:
    """Read the hosts that are done again, as an audit does; the run with its proof, which is kept beside the record.

    Where it cannot be kept, the reason is given too. When that is interrupted, what is known by then is still reported.
    """
    names = {target.host for target in fleet.targets}
    done = {host.host: host for host in run.hosts if host.status in ("changed", "unchanged") and host.host in names}
    targets = tuple(target for target in fleet.targets if target.host in done)
    if not targets:
        return run, ""
    proofs: list[HostProof] = []
    lost: list[str] = []
    started = now()
    try:
        with keep_proof(run_dir, lost.append) as keep, follow("reading again", len(targets)) as tell:

            def take(report: HostReport) -> None:
                proof = prove(done[report.host], report)
                proofs.append(proof)
                keep(proof)
                tell(proof_line(proof), bool(proof.broken))

            inspect_all(dataclasses.replace(fleet, targets=targets), forks, timeout, take)
    except KeyboardInterrupt:
        emit(run_text(_only(read_run(run_dir), names, unfit)).encode(), None)
        raise
    read = read_run(run_dir)
    if not lost:
        return read, ""
    proof = Proof(started_at=started, finished_at=now(), hosts=tuple(sorted(proofs, key=lambda one: one.host)))
    return msgspec.structs.replace(read, proof=proof), lost[0]


def _exit(run: Run) -> Exit:
    status = {host.status for host in run.hosts}
    unproven = run.proof is not None and any(host.broken for host in run.proof.hosts)
    return worst(
        Exit.INCOMPLETE if unproven or status & {"failed", "unreachable", "unknown", "not-reached"} else Exit.OK,
        Exit.STALE if "stale" in status else Exit.OK,
        Exit.PENDING if "pending" in status else Exit.OK,
    )
