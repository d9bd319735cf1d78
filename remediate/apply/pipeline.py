"""A plan and the hosts that were selected -> a run: write, then read the hosts again as a proof.

What is shown meanwhile is the watcher's part. Interrupted at any point, the record and the proof hold what is known.
"""

import dataclasses
import secrets
import tempfile
from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from remediate.apply.selection import Selection
from remediate.fleet.inventory import Fleet
from remediate.fleet.runner import inspect_all
from remediate.fleet.stop import ask_to_stop
from remediate.playbook.proof import prove
from remediate.playbook.proof_file import keep_proof
from remediate.playbook.record import RECORD, read_run
from remediate.playbook.run import Settings, open_run, run_plan
from remediate.playbook.run_log import LOG, last_words
from remediate.times import now
from remediate.values.fleet import HostReport
from remediate.values.runs import HostProof, HostResult, Proof, Run

# So many seconds an interrupted run asks its servers to stop; whoever interrupted it waits.
_STOP_SECONDS = 10.0


class Watcher(Protocol):
    """What a person is shown of a run, as it goes on."""

    def recorded(self, folder: Path) -> AbstractContextManager[None]:
        """The record is kept in this folder. Left with an exception when the run is interrupted or fails."""

    def applying(self, hosts: int) -> AbstractContextManager[Callable[[HostResult], None]]:
        """So many hosts are begun; call what this gives with each result."""

    def proving(self, hosts: int) -> AbstractContextManager[Callable[[HostProof], None]]:
        """So many hosts are read again; call what this gives with each proof."""

    def ended_early(self, words: str) -> None:
        """ansible-playbook ended before the run did; its own words."""

    def stopping(self, asked: Set[str], others: Set[str]) -> None:
        """Interrupted: the hosts that were asked to end before their next commit, and those that may go on writing."""

    def interrupted(self, run: Run) -> None:
        """Interrupted while hosts were read again: the run, with its proof as far as it came."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """``folder`` is the plan's. ``check`` is a dry run. ``timeout`` are seconds for each host that is read again.

    ``run_dir`` is the new folder for the record. None: below the plan's; of a dry run no record is kept then.
    """

    folder: Path
    fleet: Fleet
    selection: Selection
    run_dir: Path | None
    check: bool
    forks: int
    timeout: float
    batches: tuple[str, ...]
    max_failures: str


class Outcome(msgspec.Struct, frozen=True):
    """``folder`` has the record, None where none is kept. ``lost`` says why the proof is not kept, or is empty."""

    run: Run
    folder: Path | None
    lost: str


def apply_plan(job: Job, watcher: Watcher) -> Outcome:
    """Run the plan on the selected hosts and prove what was written; a dry run (``check``) writes nothing.

    RemediateError where the run cannot begin, KeyboardInterrupt when it was interrupted.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    lost = ""
    with _folder(job, name) as folder:
        log = open_run(folder)
        kept = folder if job.run_dir or not job.check else None
        with nullcontext() if kept is None else watcher.recorded(kept):
            settings = Settings(
                job.fleet.sources, job.selection.begun, job.check, job.forks, job.fleet.given, job.batches,
                job.max_failures,
            )  # fmt: skip
            with (
                nullcontext() if job.check else _stopping(folder, name, job.selection, watcher),
                watcher.applying(len(settings.hosts)) as progress,
            ):
                run = run_plan(job.folder, name, folder, log, settings, progress)
            if run.finished_at is None:
                watcher.ended_early(last_words(folder / LOG))
            if not job.check:
                run, lost = _prove(run, folder, job, watcher)
    return Outcome(_selected(run, job.selection), kept, lost)


@contextmanager
def _folder(job: Job, name: str) -> Iterator[Path]:
    """Where the record is written; that of a dry run is removed unless a folder was named for it."""
    if job.run_dir is not None:
        yield job.run_dir
    elif not job.check:
        yield job.folder / "runs" / name
    else:
        with tempfile.TemporaryDirectory(prefix="remediate-") as scratch:
            yield Path(scratch) / name


@contextmanager
def _stopping(folder: Path, name: str, selection: Selection, watcher: Watcher) -> Iterator[None]:
    """When the run is interrupted, ask the servers that have not answered to end before their next commit."""
    try:
        yield
    except KeyboardInterrupt:
        if (folder / RECORD).exists():
            silent = {host.host for host in read_run(folder).hosts if host.status == "unknown"}
            asked = ask_to_stop(name, (target for target in selection.targets if target.host in silent), _STOP_SECONDS)
            watcher.stopping(asked, silent - asked)
        raise


def _prove(run: Run, folder: Path, job: Job, watcher: Watcher) -> tuple[Run, str]:
    """Read the hosts that are done again, as an audit does: the run with its proof, which is kept beside the record.

    Where the proof cannot be kept, the reason is given too.
    """
    results = {host.host: host for host in run.hosts if host.status in ("changed", "unchanged")}
    targets = tuple(target for target in job.selection.targets if target.host in results)
    if not targets:
        return run, ""
    proofs: list[HostProof] = []
    lost: list[str] = []
    started = now()
    try:
        with keep_proof(folder, lost.append) as keep, watcher.proving(len(targets)) as progress:

            def take(report: HostReport) -> None:
                proof = prove(results[report.host], report)
                proofs.append(proof)
                keep(proof)
                progress(proof)

            inspect_all(dataclasses.replace(job.fleet, targets=targets), job.forks, job.timeout, take)
    except KeyboardInterrupt:
        watcher.interrupted(_selected(read_run(folder), job.selection))
        raise
    read = read_run(folder)
    if not lost:
        return read, ""
    proof = Proof(started_at=started, finished_at=now(), hosts=tuple(sorted(proofs, key=lambda one: one.host)))
    return msgspec.structs.replace(read, proof=proof), lost[0]


def _selected(run: Run, selection: Selection) -> Run:
    """The run without the hosts that ``--limit`` leaves out, and with the reason why others were not begun."""
    hosts = tuple(selection.left_out.get(host.host, host) for host in run.hosts if host.host in selection.names)
    return msgspec.structs.replace(run, hosts=hosts)
