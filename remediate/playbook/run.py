"""Runs a plan with ansible-playbook, and follows the record that the callback plugin writes. Its only user."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.iis.inspection import one_line
from remediate.model import HostResult, Inventory, RemediateError, Run
from remediate.playbook.record import RECORD, fold_events, read_events, read_run

LOG = "ansible-playbook.log"


@dataclass(frozen=True)
class Settings:
    """What goes to ansible-playbook beside the plan. Nothing in it is secret: arguments can be seen by others."""

    inventory: Inventory
    check: bool
    forks: int
    batches: Sequence[str] = ()
    max_failures: str | None = None

    def arguments(self) -> list[str]:
        pairs: list[tuple[str, str]] = [("-i", source) for source in self.inventory.sources]
        pairs += [("--vault-id", vault) for vault in self.inventory.vault_ids]
        pairs.append(("--forks", str(self.forks)))
        if self.inventory.limit:
            # The first play runs on localhost, and must not be lost to the pattern.
            pairs.append(("--limit", f"{self.inventory.limit},localhost"))
        if self.batches:
            pairs.append(("-e", f'{{"remediate_batches": [{", ".join(_json_batch(b) for b in self.batches)}]}}'))
        if self.max_failures:
            pairs.append(("-e", f'{{"remediate_max_failures": "{self.max_failures}"}}'))
        flags = ["--check", "--diff"] if self.check else ["--diff"]
        return [
            *flags,
            *(["--ask-vault-pass"] if self.inventory.ask_vault else []),
            *(part for pair in pairs for part in pair),
        ]


def _json_batch(text: str) -> str:
    return text if text.isdigit() else f'"{text}"'


def run_plan(folder: Path, name: str, run_dir: Path, settings: Settings, progress: Callable[[HostResult], None]) -> Run:
    """Run the plan; ``progress`` is told of each host as its answer is recorded. Returns the run, from its record.

    ``name`` is the run's, of letters, digits and dashes: the backup on each server has it too.

    Ansible's own exit code and output are not read: the record has what happened. KeyboardInterrupt passes through,
    after ansible-playbook, which the terminal interrupts too, has ended.
    """
    try:
        run_dir.mkdir(parents=True, mode=0o700)
        log = (run_dir / LOG).open("wb")
    except OSError as error:
        raise RemediateError(f"{run_dir}: cannot be made: {error.strerror}; choose another with --run-dir") from error
    # By this interpreter: the ansible-core that read the inventory also runs the playbook.
    ansible = [sys.executable, "-m", "ansible", "playbook"]
    command = [*ansible, *settings.arguments(), str(folder / "playbook.yml")]
    environment = os.environ | {
        "REMEDIATE_RUN_DIR": str(run_dir.resolve()), "REMEDIATE_RUN": name,
        "ANSIBLE_RETRY_FILES_ENABLED": "0", "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }  # fmt: skip
    with log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment) as process:
        try:
            told: set[str] = set()
            while process.poll() is None:
                time.sleep(0.1)
                _tell(run_dir, told, progress)
            _tell(run_dir, told, progress)
        except KeyboardInterrupt:
            process.wait()
            raise
    if not _begun(run_dir) and process.returncode != 0:
        raise RemediateError(
            f"ansible-playbook ended with {process.returncode} before the first host: {last_words(run_dir / LOG)}"
        )
    return read_run(run_dir)


def _begun(run_dir: Path) -> bool:
    """Whether the record says that any host was begun."""
    return (run_dir / RECORD).exists() and any(e.get("event") == "start" for e in read_events(run_dir / RECORD))


def _tell(run_dir: Path, told: set[str], progress: Callable[[HostResult], None]) -> None:
    if not (run_dir / RECORD).exists():
        return
    events: list[dict[str, Any]] = read_events(run_dir / RECORD)
    answered = {e["host"] for e in events if e.get("event") == "host"} - told
    if answered:
        told |= answered
        for host in fold_events(events).hosts:
            if host.host in answered:
                progress(host)


def last_words(log: Path) -> str:
    """The line of Ansible's log that tells most, for an error in one line; the log itself stays."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or line.startswith(("fatal:", "remediate:"))]
    words = (errors or lines or ["it printed nothing"])[-1 if not errors else 0]
    return f"{one_line(words)} (all of it: {log})"
