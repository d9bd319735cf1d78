"""Runs a plan with ansible-playbook, and follows the record that the callback plugin writes. Its only user."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from remediate.iis.inspection import one_line
from remediate.model import HostResult, Inventory, RemediateError, Run
from remediate.playbook.record import RECORD, Growing, Known, read_run

LOG = "ansible-playbook.log"


@dataclass(frozen=True)
class Settings:
    """What goes to ansible-playbook beside the plan.

    ``hosts`` are the names to run on, resolved already: patterns are not put together. ``secrets`` are the vaults'
    labels and passwords; they go through pipes, since arguments can be seen by others.
    """

    inventory: Inventory
    hosts: Sequence[str]
    check: bool
    forks: int
    secrets: Sequence[tuple[str, bytes]] = field(default=(), repr=False)
    batches: Sequence[str] = ()
    max_failures: str = "5%"

    def arguments(self, limit: Path) -> list[str]:
        """``limit`` is the file that will hold the hosts."""
        pairs: list[tuple[str, str]] = [("-i", source) for source in self.inventory.sources]
        pairs += [("--forks", str(self.forks)), ("--limit", f"@{limit}")]
        if self.batches:
            pairs.append(("-e", f'{{"remediate_batches": [{", ".join(_json_batch(b) for b in self.batches)}]}}'))
        # Always given: no fact that a server sends comes before an extra variable.
        pairs.append(("-e", f'{{"remediate_max_failures": "{self.max_failures}"}}'))
        return ["--diff", *(["--check"] if self.check else []), *(part for pair in pairs for part in pair)]


@contextmanager
def vault_pipes(secrets: Sequence[tuple[str, bytes]]) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """The vaults' passwords for one ansible-playbook: variables for its environment, and descriptors to hand to it.

    They were asked for, or fetched by a script, when the inventory was read. Now they go through pipes: no argument and
    no file holds them, and nobody is asked again. ``secrets`` are labels and passwords.
    """
    if not secrets:
        yield {}, ()
        return
    pipes = []
    try:
        for label, secret in secrets:
            reading, writing = os.pipe()
            pipes.append((label, reading))
            os.set_blocking(writing, False)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(secret)
        identities = ",".join(f"{label}@/dev/fd/{reading}" for label, reading in pipes)
        yield {"ANSIBLE_VAULT_IDENTITY_LIST": identities, "ANSIBLE_ASK_VAULT_PASS": "0"}, tuple(fd for _, fd in pipes)
    except BlockingIOError as error:
        raise RemediateError("a vault's password is longer than a pipe holds (64 KiB)") from error
    finally:
        for _, reading in pipes:
            os.close(reading)


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
        limit = run_dir / "limit.txt"
        # The plan's own checks run on localhost.
        limit.write_text("".join(f"{host}\n" for host in (*settings.hosts, "localhost")), encoding="utf-8")
    except OSError as error:
        raise RemediateError(f"{run_dir}: cannot be made: {error.strerror}; choose another with --run-dir") from error
    # By this interpreter: the ansible-core that read the inventory also runs the playbook. With -P, since without it
    # Python would import modules from the folder that one stands in.
    ansible = [sys.executable, "-P", "-m", "ansible", "playbook"]
    command = [*ansible, *settings.arguments(limit.resolve()), str(folder / "playbook.yml")]
    environment = os.environ | {
        "REMEDIATE_RUN_DIR": str(run_dir.resolve()), "REMEDIATE_RUN": name,
        "ANSIBLE_RETRY_FILES_ENABLED": "0", "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_INJECT_FACT_VARS": "0",
    }  # fmt: skip
    followed = _Followed(run_dir / RECORD, progress)
    with log, _started(command, log, environment, settings.secrets) as process:
        try:
            while process.poll() is None:
                time.sleep(0.1)
                followed.look()
            followed.look()
        except KeyboardInterrupt:
            # A terminal interrupts ansible-playbook too; SIGTERM and SIGHUP came to us alone.
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                process.wait()
            raise
    if not followed.begun and process.returncode != 0:
        raise RemediateError(
            f"ansible-playbook ended with {process.returncode} before the first host: {last_words(run_dir / LOG)}"
        )
    return read_run(run_dir)


def _started(
    command: list[str], log: IO[bytes], environment: dict[str, str], secrets: Sequence[tuple[str, bytes]]
) -> "subprocess.Popen[bytes]":
    with vault_pipes(secrets) as (variables, descriptors):
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment | variables, pass_fds=descriptors
        )


class _Followed:
    """A record that grows: ``progress`` is told of each host once, as its answer is recorded."""

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


def last_words(log: Path) -> str:
    """The line of Ansible's log that tells most, for an error in one line."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or line.startswith(("fatal:", "remediate:"))]
    words = (errors or lines or ["it printed nothing"])[-1 if not errors else 0]
    return one_line(words)
