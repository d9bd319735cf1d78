"""A command on a terminal of its own, as a person has one."""

import os
import pty
from collections.abc import Mapping
from pathlib import Path


def on_a_terminal(
    command: list[str], prompt: str, answer: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[int, str]:
    """Run it and type one answer when the prompt is shown; its exit code and what the terminal showed."""
    child, terminal = pty.fork()
    if child == 0:
        if cwd is not None:
            os.chdir(cwd)
        os.execve(command[0], command, os.environ | dict(env or {}))  # noqa: S606  # our own program
    shown = b""
    try:
        while True:
            shown += os.read(terminal, 4096)
            if answer and prompt.encode() in shown:
                os.write(terminal, answer.encode() + b"\n")
                answer = ""
    except OSError:
        pass  # the other side has ended
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode().replace("\r\n", "\n")
