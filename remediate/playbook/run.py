"""Runs a plan with ansible-playbook, and follows the record that the callback plugin writes. Its only user."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from remediate.errors import RemediateError
from remediate.playbook.handover import Given
from remediate.playbook.interruption import interruption
from remediate.playbook.process import start_playbook
from remediate.playbook.record import RECORD, Growing, Known, read_run
from remediate.playbook.run_log import LOG, last_words, open_log
from remediate.values.runs import HostResult, Run


@dataclass(frozen=True)
class Settings:
    """What goes to ansible-playbook beside the plan.

    ``sources`` are the inventories, ``hosts`` the names to run on, resolved already: patterns are not put together.
    """

    sources: Sequence[str]
    hosts: Sequence[str]
    check: bool
    forks: int
    given: Given
    batches: Sequence[str] = ()
    max_failures: str = "5%"

    def arguments(self) -> list[str]:
        """All but the hosts."""
        pairs: list[tuple[str, str]] = [("--forks", str(self.forks))]
        if self.batches:
            pairs.append(("-e", f'{{"remediate_batches": [{", ".join(_json_batch(b) for b in self.batches)}]}}'))
        # Always given: no fact that a server sends, and nothing of the user's, comes before the last extra variable.
        pairs.append(("-e", f'{{"remediate_max_failures": "{self.max_failures}", "ansible_become": false}}'))
        flags = ["--diff", *(["--check"] if self.check else []), *(f"--inventory={source}" for source in self.sources)]
        return [*flags, *(part for pair in pairs for part in pair)]


def _json_batch(text: str) -> str:
    return text if text.isdigit() else f'"{text}"'


def open_run(run_dir: Path) -> IO[bytes]:
    """Make the folder of a run; its log, for ``run_plan``. RemediateError where the folder exists already."""
    try:
        run_dir.mkdir(parents=True, mode=0o700)
        return open_log(run_dir)
    except FileExistsError as error:
        raise RemediateError(f"{run_dir}: exists already; name a new folder with --run-dir") from error
    except OSError as error:
        what = f"cannot be made: {error.strerror}; name another folder with --run-dir"
        raise RemediateError(f"{run_dir}: {what}") from error


def run_plan(
    folder: Path, name: str, run_dir: Path, log: IO[bytes], settings: Settings, progress: Callable[[HostResult], None]
) -> Run:
    """Run the plan; ``progress`` is called with each host as its answer is recorded. Returns the run, from its record.

    ``name`` is the run's, of letters, digits and dashes: the backup on each server has it too. ``run_dir`` and ``log``
    are those of ``open_run``; the log is closed when ansible-playbook has ended.

    Ansible's own exit code and output are not read: the record has what happened. A signal to us interrupts
    ansible-playbook at once; KeyboardInterrupt is raised when it has ended.
    """
    followed = _Followed(run_dir / RECORD, progress)
    with log, interruption() as stop, start_playbook(
        # The plan's own checks run on localhost.
        folder / "playbook.yml", [*settings.hosts, "localhost"], settings.given, log, arguments=settings.arguments(),
        environment={"REMEDIATE_RUN_DIR": str(run_dir.resolve()), "REMEDIATE_RUN": name},
    ) as process:  # fmt: skip
        while process.poll() is None:
            time.sleep(0.1)
            stop.pass_on(process)
            followed.look()
        followed.look()
    if stop.came:
        raise KeyboardInterrupt
    if not followed.begun and process.returncode != 0:
        raise RemediateError(
            f"ansible-playbook ended with {process.returncode} before the first host: {last_words(run_dir / LOG)}"
        )
    return read_run(run_dir)


class _Followed:
    """A record that grows: ``progress`` is called with each host once, as its answer is recorded."""

    def __init__(self, record: Path, progress: Callable[[HostResult], None]) -> None:
        self._growing, self._progress = Growing(record), progress
        self._known: Known | None = None
        self.begun = False  # any host

    def look(self) -> None:
        if not self._growing.path.exists():
            return
        for event in self._growing.new():
            if self._known is None:
                self._known = Known(event)
                continue
            self.begun = self.begun or event.get("event") == "start"
            result = self._known.add(event)
            if result is not None:
                self._progress(result)
