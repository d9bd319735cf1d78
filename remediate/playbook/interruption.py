"""Signals while ansible-playbook runs: they are kept and passed on, and none of them breaks our code off midway."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from remediate.playbook.process import Process

# What the first, the second and the third signal to us become. Ansible ends in good order on the first.
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Interruption:
    """The signals that came and were not passed on yet. ``came`` says whether there was any at all."""

    def __init__(self) -> None:
        self.came = False
        self._waiting = 0
        self._steps = iter(_PASSED_ON)

    def note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        self._waiting += 1

    def pass_on(self, process: Process) -> None:
        """To ``process`` and all that it started: it leads a process group of its own."""
        while self._waiting:
            self._waiting -= 1
            number = next(self._steps, None)
            if number is not None and process.poll() is None:
                os.killpg(process.pid, number)


@contextmanager
def interruption() -> Iterator[Interruption]:
    """While it is open, SIGINT, SIGTERM and SIGHUP are kept (where they are not ignored), and Ctrl-Z does nothing.

    A run that a person believes to be suspended would go on writing: only we would be suspended.
    """
    kept = Interruption()
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, kept.note) for number in numbers}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        yield kept
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
