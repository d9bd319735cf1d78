"""One writer at a time for a configuration, made in Python: the same two files as IisLock.psm1, and the same words.

The lock is .NET's on Linux (FileShare.None is flock), so both engines keep each other out.
"""

import asyncio
import fcntl
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from remediate_lab.emulated.iis import failure

_LOCK = "remediate.lock"
_RUN = "remediate.run"
_MOST = 1024
_LINE = re.compile(
    r"([A-Za-z0-9-]{1,80}) ([A-Za-z0-9._-]{1,255}) ([0-9]{1,10}) "
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)(?: (undoes|ended-by) ([A-Za-z0-9-]{1,80}))?\r?\n"
)
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True)
class Last:
    """The run that was here last."""

    run: str
    machine: str
    process: str
    since: str
    how: str = ""
    other: str = ""

    def ended(self, name: str) -> bool:
        return self.how == "ended-by" and self.run == name

    def write(self, folder: Path) -> None:
        words = (self.run, self.machine, self.process, self.since, *((self.how, self.other) if self.how else ()))
        (folder / _RUN).write_text(" ".join(words) + "\n", encoding="ascii")


@dataclass(frozen=True)
class Run:
    """Who writes: the module's options."""

    name: str
    undoes: str
    machine: str
    wait: float


@dataclass(frozen=True)
class Lock:
    """``refused`` is a text where the lock is not held; ``late``: because of a run that comes after this one."""

    folder: Path
    name: str
    refused: str = ""
    late: bool = False

    async def turn(self, seconds: float) -> str:
        """The pause before a commit; the name of the run that ended this one meanwhile, or an empty text."""
        until = time.monotonic() + seconds
        while True:
            last = _read(self.folder)
            if last is not None and last.ended(self.name):
                return last.other
            if time.monotonic() >= until:
                return ""
            await asyncio.sleep(0.05)


@asynccontextmanager
async def entered(windows: Path, folder: Path, run: Run) -> AsyncIterator[Lock]:
    """Hold the lock meanwhile, or say why it is not held."""
    began = time.monotonic()
    descriptor = None
    refused = ""
    try:
        while descriptor is None and not refused:
            last = _read(folder)
            wait = 10 * run.wait if last is not None and last.run == run.name else run.wait
            try:
                if last is not None and last.run == run.undoes and last.how != "ended-by":
                    replace(last, how="ended-by", other=run.name).write(folder)
                descriptor = _taken(folder / _LOCK)
            except BlockingIOError as error:
                if time.monotonic() >= began + wait:
                    refused = (
                        f"nothing was written: after {wait:g} s another run still writes on this server "
                        f"({_shown(last)}). Wait for its end, then apply this again. ({error})"
                    )
                await asyncio.sleep(0.05)
            except OSError as error:
                why = failure(windows, error)
                refused = f"nothing was written: the lock of this server cannot be taken ({folder / _LOCK}): {why}"
        yield Lock(folder, run.name, refused) if refused else _held(windows, folder, run)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _taken(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _held(windows: Path, folder: Path, run: Run) -> Lock:
    """With the lock: leave the name, unless another came before."""
    last = _read(folder)
    if last is not None and _late(folder, last, run):
        said = (
            f"a run that was begun later, or that ended this one, has been on this server ({_shown(last)}). Nothing "
            "was written: look what is wanted now, then apply again. (The time in a name is by the clock where it was "
            "begun; it counts for an hour.)"
        )
        return Lock(folder, run.name, said, late=True)
    machine = re.sub(r"[^A-Za-z0-9._-]", "-", run.machine)
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    how = ("undoes", run.undoes) if run.undoes else ("", "")
    try:
        Last(run.name, machine, str(os.getpid()), since, *how).write(folder)
    except OSError as error:
        where, why = folder / _RUN, failure(windows, error)
        said = f"nothing was written: this run cannot leave its name on this server ({where}): {why}"
        return Lock(folder, run.name, said)
    return Lock(folder, run.name)


def _late(folder: Path, last: Last, run: Run) -> bool:
    if last.run == run.undoes:
        return False
    if last.ended(run.name) or (last.how == "undoes" and last.other == run.name):
        return True
    if not _TIME.match(last.run) or not _TIME.match(run.name):
        return False
    return last.run[:16] > run.name[:16] and time.time() < (folder / _RUN).stat().st_mtime + 3600


def _read(folder: Path) -> Last | None:
    """The run that was here last; None where the file says nothing that is to be believed."""
    try:
        with (folder / _RUN).open("rb") as file:
            text = file.read(_MOST).decode("ascii", errors="replace")
    except OSError:
        return None
    match = _LINE.fullmatch(text)
    return Last(*(group or "" for group in match.groups())) if match else None


def stop(folder: Path, run: str) -> bool:
    """What the script stop.ps1 does: ask that run to end; whether it was here last."""
    last = _read(folder)
    if last is None or last.run != run:
        return False
    replace(last, how="ended-by", other=run).write(folder)
    return True


def _shown(last: Last | None) -> str:
    if last is None:
        return "it left no name"
    return f"{last.run}, process {last.process} on {last.machine}, since {last.since}"
