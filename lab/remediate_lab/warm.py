"""Warm processes: to start a PowerShell and compile what Ansible sends costs far more than what is then done with it.

The rules:
- A process runs again only what it has run before: what was loaded or compiled there is then the same, and only a
  command's own arguments differ. `key` is the caller's word for that; each key has processes of its own.
- One command at a time in a process, each in a runspace of its own (powershell/WarmHost.cs).
- A command that is cancelled takes its process with it. What rests is bounded, and goes when nobody came for a while
  or when the lab's own process ends, which closes the pipe that orders come through.
"""

import asyncio
import json
import os
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remediate_lab.engine import Emit

# Processes that rest; each takes 150 MB or so.
_MOST_RESTING = 4
_REST_SECONDS = 300.0
# What a process has compiled stays in its memory.
_MOST_RUNS = 200
_STREAMS: dict[bytes, Literal["stdout", "stderr"]] = {b"o": "stdout", b"e": "stderr"}

# Starts the host with these two file descriptors, for orders and answers.
Start = Callable[[int, int], Awaitable[asyncio.subprocess.Process]]


@dataclass(frozen=True)
class Order:
    """One command: its script, and what a process of its own would have been started with."""

    script: str
    environment: Mapping[str, str]
    folder: Path
    input: bytes

    def to_bytes(self) -> bytes:
        head = {
            "script": self.script, "environment": dict(self.environment), "folder": str(self.folder),
            "input": len(self.input),
        }  # fmt: skip
        return json.dumps(head).encode() + b"\n" + self.input


class WarmProcesses:
    """Those of one lab."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._resting: list[tuple[str, _Process]] = []
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self, key: str, order: Order, emit: Emit) -> int:
        """Run it where the like was run before, or in a new process; the exit code."""
        process = self._take(key) or await _Process.open(self._start)
        try:
            code = await process.run(order, emit)
        except BaseException:
            await asyncio.shield(process.end())
            raise
        if process.over or process.runs >= _MOST_RUNS:
            await process.end()
        else:
            self._rest(key, process)
        return code

    async def close(self) -> None:
        """End those that rest."""
        resting, self._resting = self._resting, []
        for _, process in resting:
            process.wake()
            await process.end()
        await asyncio.gather(*self._leaving)

    def _take(self, key: str) -> "_Process | None":
        for entry in self._resting.copy():
            of, process = entry
            if process.over:
                self._leave(entry)
            elif of == key:
                self._resting.remove(entry)
                process.wake()
                return process
        return None

    def _rest(self, key: str, process: "_Process") -> None:
        entry = (key, process)
        self._resting.append(entry)
        process.sleep(_REST_SECONDS, lambda: self._leave(entry))
        if len(self._resting) > _MOST_RESTING:
            self._leave(self._resting[0])

    def _leave(self, entry: "tuple[str, _Process]") -> None:
        self._resting.remove(entry)
        entry[1].wake()
        task = asyncio.create_task(entry[1].end())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


class _Process:
    """One host process, its two pipes, and its own output: a program that a script starts may print there."""

    def __init__(
        self, process: asyncio.subprocess.Process, orders: asyncio.StreamWriter, answers: asyncio.StreamReader
    ) -> None:
        self._process, self._orders, self._answers = process, orders, answers
        self._emit: Emit | None = None
        self._timer: asyncio.TimerHandle | None = None
        assert process.stdout is not None and process.stderr is not None
        self._drains = [
            asyncio.create_task(self._drain(process.stdout, "stdout")),
            asyncio.create_task(self._drain(process.stderr, "stderr")),
        ]
        self.runs = 0

    @classmethod
    async def open(cls, start: Start) -> "_Process":
        loop = asyncio.get_running_loop()
        orders_from, orders_to = os.pipe()
        answers_from, answers_to = os.pipe()
        try:
            process = await start(orders_from, answers_to)
        except BaseException:
            os.close(orders_to)
            os.close(answers_from)
            raise
        finally:
            os.close(orders_from)
            os.close(answers_to)
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(orders_to, "wb")
        )
        answers = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(answers_from, "rb"))
        return cls(process, asyncio.StreamWriter(transport, protocol, None, loop), answers)

    @property
    def over(self) -> bool:
        return self._process.returncode is not None or self._answers.at_eof()

    async def run(self, order: Order, emit: Emit) -> int:
        """The exit code: the command's, or the process's own where a script ended it."""
        self.runs += 1
        self._emit = emit
        try:
            self._orders.write(order.to_bytes())
            await self._orders.drain()
            while True:
                letter, size = struct.unpack(">cI", await self._answers.readexactly(5))
                data = await self._answers.readexactly(size)
                if letter == b"x":
                    return int.from_bytes(data, "big", signed=True)
                emit(_STREAMS[letter], data)
        except (asyncio.IncompleteReadError, ConnectionError):
            code = await self._process.wait()
            await asyncio.wait(self._drains)
            return code
        finally:
            self._emit = None

    def sleep(self, seconds: float, leave: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, leave)

    def wake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.wait(self._drains)
        self._orders.close()

    async def _drain(self, source: asyncio.StreamReader, stream: Literal["stdout", "stderr"]) -> None:
        while data := await source.read(32768):
            if self._emit is not None:
                self._emit(stream, data)
