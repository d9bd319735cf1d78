"""Runs `remediate` and `ansible-playbook` in children of a process that has them imported: imports take most of the
time of a short command.

The child has its own arguments, environment, folder and standard streams, and goes through the program's own entry
point. It cannot show what a new interpreter does: tests of the start, and of what Ansible reads when it is imported,
have a process of their own (see `alike`).

Run as a program, with the number of a listening socket, it is that process. It ends when its standard input does.
"""

import gc
import io
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

# What differs from the environment that the process was started with, and is read by the command alone.
_READ_LATE = frozenset(
    {"COLUMNS", "COMP_CWORD", "COMP_WORDS", "NO_COLOR", "PYTEST_CURRENT_TEST", "_REMEDIATE_COMPLETE"}
)
_LATE_PREFIX = "REMEDIATE_"
_COMMANDS = ["audit", "plan", "show", "apply", "rollback", "diagnose", "explain", "log_filter"]
# The entry point of each program, which may return an exit code.
PROGRAMS = {"remediate": "remediate.cli.main", "ansible-playbook": "ansible.cli.playbook"}


def alike(environment: Mapping[str, str], started_with: Mapping[str, str], folder: Path) -> bool:
    """Whether a command there finds what a new process would: Ansible reads its settings when it is imported."""
    names = {name for name in {*environment, *started_with} if environment.get(name) != started_with.get(name)}
    late = all(name in _READ_LATE or name.startswith(_LATE_PREFIX) for name in names)
    return late and not (folder / "ansible.cfg").exists()


class Forks:
    """One process of a Python environment that has remediate imported, and the commands that run in its children."""

    def __init__(self, python: Path) -> None:
        self.environment = os.environ | {"ANSIBLE_NOCOLOR": "1"}
        listener = socket.socket(socket.AF_UNIX)
        with listener, tempfile.TemporaryDirectory() as folder:
            self._address = f"\0{folder}"
            listener.bind(self._address)
            listener.listen()
            self._process = subprocess.Popen(
                [python, __file__, str(listener.fileno())], stdin=subprocess.PIPE, pass_fds=[listener.fileno()],
                env=self.environment,
            )  # fmt: skip

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run(arguments, capture_output=True, text=True)`; the first argument is the program's name."""
        out, out_there = os.pipe()
        err, err_there = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        with (
            socket.socket(socket.AF_UNIX) as connection,
            os.fdopen(out, "rb") as said,
            os.fdopen(err, "rb") as complained,
        ):
            try:
                connection.connect(self._address)
                socket.send_fds(connection, [b"f"], [nothing, out_there, err_there])
            finally:
                for number in (nothing, out_there, err_there):
                    os.close(number)
            order = {"arguments": list(arguments), "environment": dict(environment), "folder": str(Path.cwd())}
            connection.sendall(json.dumps(order).encode("utf-8", "surrogateescape"))
            connection.shutdown(socket.SHUT_WR)
            child = int.from_bytes(connection.recv(8), "big")
            try:
                output = _read((said, complained), time.monotonic() + timeout)
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), timeout) from None
            code = int.from_bytes(connection.recv(8), "big", signed=True)
        texts = [io.TextIOWrapper(io.BytesIO(data)).read() for data in output]
        return subprocess.CompletedProcess(list(arguments), code, *texts)

    def end(self) -> None:
        """Otherwise it ends with this process."""
        self._process.communicate()


def _read(files: Sequence[io.BufferedReader], until: float) -> list[bytes]:
    data = [bytearray() for _ in files]
    with selectors.DefaultSelector() as ready:
        for file, got in zip(files, data, strict=True):
            ready.register(file, selectors.EVENT_READ, got)
        while ready.get_map():
            if not (events := ready.select(until - time.monotonic())):
                raise TimeoutError
            for key, _ in events:
                if more := os.read(key.fd, 65536):
                    key.data.extend(more)
                else:
                    ready.unregister(key.fileobj)
    return [bytes(got) for got in data]


@dataclass(frozen=True)
class _Order:
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]

    @classmethod
    def of(cls, connection: socket.socket) -> "_Order":
        _, streams, _, _ = socket.recv_fds(connection, 1, 3)
        data = b""
        while more := connection.recv(65536):
            data += more
        return cls(streams=streams, **json.loads(data.decode("utf-8", "surrogateescape")))

    def obey(self, of_ansible: Set[str]) -> None:
        """In the child: become what a new process would be, and run the program. It does not return."""
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv[:] = self.arguments
        # Ansible makes this folder when it is imported, and takes it away when it ends.
        temp = tempfile.mkdtemp(prefix="ansible-local-")
        vars(import_module("ansible.constants"))["DEFAULT_LOCAL_TMP"] = temp
        program = Path(self.arguments[0]).name
        if program == "ansible-playbook":
            # A plugin that is loaded is not looked for: it would hide one of its name that stands beside the playbook.
            for name in {*sys.modules} - of_ansible:
                if name.startswith(("ansible", "remediate")):
                    del sys.modules[name]
        try:
            code = import_module(PROGRAMS[program]).main()
        except SystemExit as end:
            code = end.code
        shutil.rmtree(temp, ignore_errors=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def serve(listener: socket.socket) -> None:
    """A child for each connection: its process id is answered at once, and in the end its exit code."""
    import_module(PROGRAMS["ansible-playbook"])
    of_ansible = {*sys.modules}
    for name in ("remediate.cli.program", *(f"remediate.cli.{command}" for command in _COMMANDS)):
        import_module(name)
    gc.freeze()
    with selectors.DefaultSelector() as ready:
        ready.register(0, selectors.EVENT_READ)
        ready.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj == 0:
                    return
                if key.fileobj is not listener:
                    _ended(ready, key)
                    continue
                connection, _ = listener.accept()
                order = _Order.of(connection)
                child = os.fork()
                if not child:
                    for held in list(ready.get_map().values()):
                        if held.fd:
                            os.close(held.fd)
                    connection.close()
                    order.obey(of_ansible)
                for stream in order.streams:
                    os.close(stream)
                with suppress(BrokenPipeError):
                    connection.sendall(child.to_bytes(8, "big"))
                ready.register(os.pidfd_open(child), selectors.EVENT_READ, (child, connection))


def _ended(ready: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    child, connection = key.data
    ready.unregister(key.fileobj)
    os.close(key.fd)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with connection, suppress(BrokenPipeError):
        connection.sendall(code.to_bytes(8, "big", signed=True))


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
