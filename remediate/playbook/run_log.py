"""What ansible-playbook prints in a run: kept beside the record, and held open as long as it lives."""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO

from remediate.iis.inspection import one_line
from remediate.playbook.proof_file import private

LOG = "ansible-playbook.log"


def open_log(run_dir: Path) -> IO[bytes]:
    """A new one. Whoever inherits it holds the lock too: it says whether a run without a record may still begin."""
    log = open(run_dir / LOG, "wb", opener=private)  # noqa: SIM115  # the caller closes it
    with suppress(OSError):  # a file system without locks
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return log


def is_open(run_dir: Path) -> bool:
    """Whether its ansible-playbook still lives."""
    try:
        with (run_dir / LOG).open("rb") as log:
            fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def last_words(log: Path) -> str:
    """The line of Ansible's log that says most, for an error in one line."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or line.startswith(("fatal:", "remediate:"))]
    words = (errors or lines or [_nothing(log)])[-1 if not errors else 0]
    return one_line(words.removeprefix("remediate: "))


def _nothing(log: Path) -> str:
    """Why nothing is in it."""
    try:
        with log.open("ab", buffering=0) as file:
            file.write(b"\n")
    except OSError as error:
        return f"{log}: cannot be written: {error.strerror}"
    return "it printed nothing"
