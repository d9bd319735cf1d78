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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from remediate.errors import RemediateError
from remediate_lab.recipe import Recipe
from remediate_lab.servers import make_servers, new_password, write_inventory

_LOCK = "lab.lock"
_SETTINGS = "lab.json"
_READY = "ready"
_LOG = "lab.log"
TLS = "tls"
USER = "lab-admin"
MOST_SERVERS = 1000
# Of a /24, leaving out what looks like a network or a broadcast.
_IN_A_NETWORK = 250


@dataclass(frozen=True)
class Options:
    """How the servers are served. ``port`` None: WinRM's own. ``delay``: seconds by which each answer is late."""

    engine: Literal["emulated", "pwsh"] = "emulated"
    auth: Literal["basic", "ntlm"] = "ntlm"
    tls: bool = False
    port: int | None = None
    delay: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What the lab's process needs to know; its file is the owner's alone, since the password is in it."""

    engine: str
    auth: Literal["basic", "ntlm"]
    tls: bool
    port: int
    password: str
    servers: dict[str, str]  # name -> address

    @classmethod
    def read(cls, state: Path) -> "Settings":
        return cls(**json.loads((state / _SETTINGS).read_text(encoding="utf-8")))

    def write(self, state: Path) -> None:
        path = state / _SETTINGS
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def up(state: Path, recipes: Sequence[Recipe], options: Options) -> Path:
    """Make the servers, start the process, wait until it listens; the inventory's path. All undone on failure."""
    if len(recipes) > MOST_SERVERS:
        raise RemediateError(f"{len(recipes)} servers are more than {MOST_SERVERS}; choose fewer with --servers")
    if state.exists() and any(state.iterdir()):
        raise RemediateError(
            f"{state}: exists already and is not empty; end that lab with `remediate lab down --state {state}`"
        )
    state.mkdir(parents=True, exist_ok=True)
    # First of all: `down` removes no folder without it.
    (state / _LOCK).touch(mode=0o600)
    try:
        port = options.port or (5986 if options.tls else 5985)
        knobs = {"delay": f"{options.delay:g}"} if options.delay else {}
        made = make_servers(state, recipes, _free_addresses(port, len(recipes)), knobs)
        addresses = {server.name: server.address for server in made}
        settings = Settings(options.engine, options.auth, options.tls, port, new_password(), addresses)
        settings.write(state)
        inventory = write_inventory(state, made, _connection(state, settings))
        _start(state)
    except OSError as error:
        down(state)
        raise RemediateError(f"{error.filename or state}: {error.strerror}") from error
    except BaseException:
        down(state)
        raise
    return inventory


def _connection(state: Path, settings: Settings) -> dict[str, Any]:
    """Ansible's variables to reach the servers; makes the certificates where there is TLS."""
    variables = {
        "ansible_connection": "winrm", "ansible_port": settings.port, "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": settings.auth, "ansible_winrm_message_encryption": "auto",
        "ansible_user": USER, "ansible_password": settings.password,
    }  # fmt: skip
    if settings.tls:
        # Here, since every other command of remediate would wait for the import too.
        from remediate_lab.tls import make_certificates

        authority = make_certificates(state / TLS, settings.servers).resolve()
        variables |= {
            "ansible_winrm_scheme": "https", "ansible_winrm_server_cert_validation": "validate",
            "ansible_winrm_ca_trust_path": str(authority),
        }  # fmt: skip
    return variables


def _free_addresses(port: int, count: int) -> list[str]:
    """Addresses of as many networks 127.A.B.0/24 as it takes, such that the port is free on each of them."""
    networks = -(-count // _IN_A_NETWORK)
    for _ in range(20):
        a, b = secrets.randbelow(250) + 1, secrets.randbelow(250 - networks) + 1
        addresses = [f"127.{a}.{b + n // _IN_A_NETWORK}.{n % _IN_A_NETWORK + 1}" for n in range(count)]
        if all(_free(address, port) for address in addresses):
            return addresses
    raise RemediateError(f"port {port} cannot be had on 127.0.0.0/8; choose another with --port")


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # As the listeners do: what an earlier lab left in TIME_WAIT is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _start(state: Path) -> None:
    lock = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # The accounts file of NTLM goes there: should the process be killed, `down` takes it away.
    temp = (state / "tmp").resolve()
    temp.mkdir(mode=0o700)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with (state / _LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "remediate_lab.serve", str(state)],
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
