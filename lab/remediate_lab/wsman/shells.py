"""The shells of one simulated server, and the commands that run in them.

Rules:
- A Receive is answered when there is output, when the command has ended, or when its operation timeout has really
  passed; an early timeout would make client and server spin.
- A command is a task; ending it is cancelling the task and waiting until it is over. Nothing is forgotten before.
- A shell that nobody uses is ended after its idle timeout. It is in use while a request is being answered.

The quotas and the idle timeout are Windows's defaults: MaxShellsPerUser 30 and MaxConcurrentOperationsPerUser 1500
([MS-WSMV]), two hours idle. As on Windows a text shell's commands count until the shell is closed ([MS-WSMV]
note 118). Unlike Windows, an idle timeout of less than a minute is kept as it is, so that tests need not wait.

The rules are held by tests/lab/wsman/ with pywinrm; Ansible 2.19.14 and 2.22.0rc1 were seen to open a new shell
when the quota of operations was met. Which fault Windows gives to a Receive whose command is cancelled, and to input
for a command that has ended, is taken from reports and was not checked on a Windows.
"""

import asyncio
import contextlib
import logging
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from remediate_lab.engine import Engine, Server
from remediate_lab.wsman.faults import (
    ABORTED,
    INPUT_CLOSED,
    TIMED_OUT,
    UNKNOWN_COMMAND,
    Refused,
    too_many_operations,
    too_many_shells,
    unknown_shell,
)
from remediate_lab.wsman.soap import CreateShell, RunCommand

log = logging.getLogger("remediate_lab")

MAX_SHELLS = 30
MAX_OPERATIONS = 1500
IDLE_SECONDS = 7200.0

# Raw bytes in one answer: 44 KiB of base64, well below the 150 KiB that pywinrm allows an envelope.
CHUNK = 32 * 1024

# The longest command line of cmd.exe, through which winrs starts a command unless WINRS_SKIP_CMD_SHELL is set.
LONGEST_CMD_LINE = 8191

# A line of a command's input may be this long. asyncio's 64 KiB is less than one line of what Ansible sends.
_LONGEST_INPUT_LINE = 64 * 1024 * 1024

# Seconds that a cancelled command gets to clean up, where no client waits for it.
PATIENCE = 10.0


def _new_id() -> str:
    return str(uuid.uuid4()).upper()


@dataclass(frozen=True)
class Output:
    """What a Receive tells: pieces of output in the order they came; the exit code once nothing more will come."""

    streams: tuple[tuple[str, bytes], ...]
    exit_code: int | None


class Command:
    """A command that was started, its input and the output that nobody has fetched yet."""

    def __init__(self, server: Server, engine: Engine, request: RunCommand) -> None:
        self.id = _new_id()
        self._stdin = asyncio.StreamReader(limit=_LONGEST_INPUT_LINE)
        self._stdin_open = True
        if request.console_stdin:
            self._close_stdin()
        self._pending: deque[tuple[Literal["stdout", "stderr"], bytearray]] = deque()
        self._news = asyncio.Event()
        self._over = False
        self._exit_code: int | None = None
        self.task = asyncio.create_task(self._run(server, engine, request), name=f"{server.name}: command {self.id}")
        self.task.add_done_callback(self._ended)

    async def _run(self, server: Server, engine: Engine, request: RunCommand) -> int:
        if len(request.line) > LONGEST_CMD_LINE and not request.skip_cmd_shell:
            self._emit("stderr", b"The command line is too long.\r\n")
            return 1
        return await engine.run(server, request.line, self._stdin, self._emit)

    def _emit(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        if self._over or not data:
            return
        if self._pending and self._pending[-1][0] == stream:
            self._pending[-1][1].extend(data)
        else:
            self._pending.append((stream, bytearray(data)))
        self._news.set()

    def _ended(self, task: asyncio.Task[int]) -> None:
        # A callback of the task rather than the end of _run, which does not happen if the task is cancelled early.
        if not task.cancelled():
            error = task.exception()
            if error is None:
                self._exit_code = task.result()
            else:
                log.error("%s: the engine failed", task.get_name(), exc_info=error)
                first_line = "".join(str(error).splitlines()[:1])
                self._emit("stderr", f"The lab's engine failed: {type(error).__name__}: {first_line}\r\n".encode())
                self._exit_code = 1
        self._over = True
        self._news.set()

    def _close_stdin(self) -> None:
        self._stdin_open = False
        self._stdin.feed_eof()

    def send(self, data: bytes, end: bool) -> None:
        """Hand bytes to the command's input. Refused when it is closed, or the command is over."""
        if self._over or not self._stdin_open:
            raise Refused(INPUT_CLOSED)
        self._stdin.feed_data(data)
        if end:
            self._close_stdin()

    async def receive(self, seconds: float) -> Output:
        """Wait for output or the end. Refused after ``seconds`` without, or when the command was cancelled."""
        try:
            async with asyncio.timeout(seconds):
                while not (self._pending or self._over):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise Refused(TIMED_OUT) from None
        streams = tuple(self._take())
        if self._pending or not self._over:
            return Output(streams, None)
        if self._exit_code is None:
            raise Refused(ABORTED)
        return Output(streams, self._exit_code)

    def _take(self) -> Iterator[tuple[str, bytes]]:
        room = CHUNK
        while room and self._pending:
            stream, data = self._pending[0]
            piece = bytes(data[:room])
            del data[:room]
            if not data:
                self._pending.popleft()
            room -= len(piece)
            yield stream, piece


async def _end(commands: Collection[Command], seconds: float) -> bool:
    """Cancel the commands and wait for their end; say whether all came to it in time."""
    for command in commands:
        command.task.cancel()
    if not commands:
        return True
    _, running = await asyncio.wait([command.task for command in commands], timeout=seconds)
    for task in running:
        log.error("%s was cancelled and has not ended within %g s", task.get_name(), seconds)
    return not running


class Shell:
    """An open shell. ``options`` are what the client asked for; the commands run whatever they say."""

    def __init__(self, options: CreateShell, expire: Callable[["Shell"], None]) -> None:
        self.id = _new_id()
        self.options = options
        self.commands: dict[str, Command] = {}
        self.operations = 0
        self._expire = expire
        self._users = 0
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._rest()

    @contextlib.contextmanager
    def in_use(self) -> Iterator["Shell"]:
        """While this is open the shell is not idle."""
        self._users += 1
        self._rest()
        try:
            yield self
        finally:
            self._users -= 1
            self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._users == 0 and not self._closed:
            idle = IDLE_SECONDS if self.options.idle_timeout is None else self.options.idle_timeout
            self._timer = asyncio.get_running_loop().call_later(idle, self._expire, self)

    def find(self, command_id: str) -> Command:
        """The command of that id, or a refusal."""
        try:
            return self.commands[command_id.upper()]
        except KeyError:
            raise Refused(UNKNOWN_COMMAND) from None

    async def terminate(self, command: Command, seconds: float) -> None:
        """End the command and forget it. Refused (it may be tried again) if it does not end in time."""
        if not await _end([command], seconds):
            raise Refused(TIMED_OUT)
        self.commands.pop(command.id, None)

    async def close(self, seconds: float) -> bool:
        """End all commands; say whether all came to their end in time."""
        self._closed = True
        self._rest()
        return await _end(self.commands.values(), seconds)


class Shells:
    """All shells of one server; they belong to its one user, so the quotas are counted here."""

    def __init__(
        self, server: Server, engine: Engine, max_shells: int = MAX_SHELLS, max_operations: int = MAX_OPERATIONS
    ) -> None:
        self._server = server
        self._engine = engine
        self._max_shells = max_shells
        self._max_operations = max_operations
        self._shells: dict[str, Shell] = {}
        self._endings: set[asyncio.Task[bool]] = set()
        self._stuck: set[Shell] = set()
        self._closed = False

    def open(self, options: CreateShell) -> Shell:
        """A new shell, or a refusal when there are too many."""
        if self._closed:
            raise Refused(ABORTED)
        if len(self._shells) >= self._max_shells:
            raise Refused(too_many_shells(self._max_shells))
        shell = Shell(options, self._expire)
        self._shells[shell.id] = shell
        return shell

    def find(self, shell_id: str) -> Shell:
        """The open shell of that id, or a refusal."""
        try:
            return self._shells[shell_id.upper()]
        except KeyError:
            raise Refused(unknown_shell(shell_id)) from None

    def start(self, shell: Shell, request: RunCommand) -> Command:
        """Start a command in the shell, or refuse when the user has had too many."""
        if sum(open_shell.operations for open_shell in self._shells.values()) >= self._max_operations:
            raise Refused(too_many_operations(self._max_operations))
        command = Command(self._server, self._engine, request)
        shell.commands[command.id] = command
        shell.operations += 1
        return command

    async def end(self, shell: Shell, seconds: float) -> None:
        """Close the shell and end its commands. Refused if one does not end in time; the shell is gone all the same."""
        # Shielded: it goes on when the client that asked for it has gone.
        if not await asyncio.shield(self._begin_end(shell, seconds)):
            raise Refused(TIMED_OUT)

    def _begin_end(self, shell: Shell, seconds: float) -> asyncio.Task[bool]:
        self._shells.pop(shell.id, None)
        task = asyncio.create_task(self._end(shell, seconds))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        return task

    async def _end(self, shell: Shell, seconds: float) -> bool:
        ended = await shell.close(seconds)
        if ended:
            self._stuck.discard(shell)
        else:
            self._stuck.add(shell)
        return ended

    def _expire(self, shell: Shell) -> None:
        log.info("%s: shell %s was idle too long and is closed", self._server.name, shell.id)
        self._begin_end(shell, PATIENCE)

    async def close(self) -> None:
        """End everything, also what did not end when it was asked to before. No shell can be opened afterwards."""
        self._closed = True
        for shell in [*self._shells.values(), *self._stuck]:
            self._begin_end(shell, PATIENCE)
        await asyncio.gather(*self._endings)
