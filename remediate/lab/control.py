"""The lab's life: up, down, status.

`up` starts one process in a session of its own, which holds a lock on ``lab.lock`` and hands it to every child. While
anything of the lab lives, the lock is held; so `down` knows whether there is something to end, after a crash too, and
never signals a process that merely has an old number.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from remediate.lab.servers import make_servers, new_password, write_inventory
from remediate.model import RemediateError

_LOCK = "lab.lock"
_SETTINGS = "lab.json"
_READY = "ready"
_LOG = "lab.log"
USER = "lab-admin"


@dataclass(frozen=True)
class Settings:
    """What the lab's process needs to know; its file is the owner's alone, since the password is in it."""

    engine: str
    auth: str
    port: int
    password: str
    servers: dict[str, str]  # name -> address

    @classmethod
    def read(cls, state: Path) -> "Settings":
        return cls(**json.loads((state / _SETTINGS).read_text(encoding="utf-8")))

    def write(self, state: Path) -> None:
        path = state / _SETTINGS
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.__dict__), encoding="utf-8")


def up(state: Path, servers: int, engine: str, auth: str, port: int) -> Path:
    """Make the servers, start the process, wait until it listens; the inventory's path. All undone on failure."""
    if state.exists() and any(state.iterdir()):
        raise RemediateError(
            f"{state}: is there already and not empty; end that lab with `remediate lab down --state {state}`"
        )
    state.mkdir(parents=True, exist_ok=True)
    # First of all: `down` removes no folder without it.
    (state / _LOCK).touch(mode=0o600)
    try:
        made = make_servers(state, servers, _free_network(port, servers))
        settings = Settings(engine, auth, port, new_password(), {s.name: s.address for s in made})
        settings.write(state)
        inventory = write_inventory(state, made, port, auth, USER, settings.password)
        _start(state)
    except BaseException:
        down(state)
        raise
    return inventory


def _free_network(port: int, servers: int) -> str:
    """127.A.B such that no address of it that we want is taken."""
    for _ in range(20):
        network = f"127.{secrets.randbelow(250) + 1}.{secrets.randbelow(250) + 1}"
        try:
            for number in (1, servers):
                with socket.socket() as probe:
                    probe.bind((f"{network}.{number}", port))
            return network
        except OSError:
            continue
    raise RemediateError(f"port {port} cannot be had on 127.0.0.0/8; choose another with --port")


def _start(state: Path) -> None:
    lock = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # The accounts file of NTLM goes there: should the process be killed, `down` takes it away.
    temp = (state / "tmp").resolve()
    temp.mkdir(mode=0o700)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with (state / _LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "remediate.lab.serve", str(state)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=(lock,),
                env=os.environ | {"REMEDIATE_LAB_LOCK_FD": str(lock), "TMPDIR": str(temp)},
            )  # fmt: skip
        (state / "lab.pid").write_text(str(process.pid), encoding="ascii")
        until = time.monotonic() + 120
        while not (state / _READY).exists():
            if process.poll() is not None:
                words = (state / _LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise RemediateError(f"the lab did not start: {words[-1] if words else 'it said nothing'}")
            if time.monotonic() > until:
                raise RemediateError("the lab did not start within 120 s")
            time.sleep(0.05)
    finally:
        os.close(lock)


def alive(state: Path) -> bool:
    """Whether anything of that lab still lives."""
    try:
        lock = os.open(state / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def down(state: Path) -> bool:
    """End all that `up` began, and remove its folder; False where there was nothing. Never touches another folder."""
    if not state.exists():
        return False
    if not (state / _LOCK).exists():
        raise RemediateError(f"{state}: is not the folder of a lab; nothing was touched")
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + 10
        if alive(state):
            _signal(state, number)
        while alive(state) and time.monotonic() < until:
            time.sleep(0.05)
    if alive(state):
        raise RemediateError(f"{state}: the lab's processes do not end; see {state / 'lab.pid'}")
    shutil.rmtree(state)
    return True


def _signal(state: Path, number: signal.Signals) -> None:
    """To the whole session that `up` started: the lock is held, so that number is still the lab's."""
    try:
        os.killpg(int((state / "lab.pid").read_text(encoding="ascii")), number)
    except (ProcessLookupError, FileNotFoundError, ValueError):
        return
