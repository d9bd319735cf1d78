"""What runs the commands that arrive at a simulated server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Emit = Callable[[Literal["stdout", "stderr"], bytes], None]


@dataclass(frozen=True)
class Server:
    """One simulated server: its inventory name, the loopback address it answers on, and its files.

    ``windows`` is what the server calls ``%windir%``; its ``lab.txt`` says who it is (see knobs.py).
    """

    name: str
    address: str
    windows: Path


class Engine(Protocol):
    """Runs one command of one server."""

    async def run(self, server: Server, line: str, stdin: asyncio.StreamReader, emit: Emit) -> int:
        """Run the command line as it arrived; hand output to ``emit`` as it comes; return the exit code.

        When the task is cancelled (the client closed the shell, or asked to terminate), whatever was
        started has ended by the time this returns.
        """
        ...
