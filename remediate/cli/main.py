"""The program's start: signals and streams are in order before the rest, which takes a moment, is loaded."""

import os
import signal
import sys

from remediate.cli.exits import Exit


def main() -> None:
    """Entry point."""
    code: int = Exit.INTERRUPTED
    try:
        # A pipeline that is cancelled, or a terminal that goes away, is an interruption too: nothing more is begun.
        # What is ignored stays so: `nohup` means it.
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler)
        _open_streams()
        from remediate.cli.program import run

        code = run()
    except KeyboardInterrupt:
        print("remediate: interrupted", file=sys.stderr, flush=True)
    # At once: threads may still hang on a server that does not answer, and a closed stdout cannot be flushed again.
    os._exit(code)


def _open_streams() -> None:
    """Standard streams that the caller closed, so that no other file takes their numbers, and Ansible finds them.

    What is written to a closed standard output, or read from a closed standard input, fails, as it should.
    """
    if sys.stdin is None:
        _open(0, os.O_WRONLY)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  # as long as the process
    if sys.stdout is None:
        _open(1, os.O_RDONLY)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        _open(2, os.O_WRONLY)
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _open(number: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    os.dup2(opened, number)
    if opened != number:
        os.close(opened)
    os.set_inheritable(number, True)
