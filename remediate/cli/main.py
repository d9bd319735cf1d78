"""The start of the program: it sets up signals and streams before it loads the rest, which takes a moment."""

import os
import signal
import sys

from remediate.cli.exits import Exit


def main() -> None:
    """Entry point."""
    code: int = Exit.INTERRUPTED
    try:
        # A pipeline that is cancelled, or a terminal that is closed, is an interruption too: nothing more is begun.
        # A signal that is ignored stays ignored, as under `nohup`.
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler)
        _open_streams()
        from remediate.cli.program import run

        code = run()
    except KeyboardInterrupt:
        print("remediate: interrupted", file=sys.stderr, flush=True)
    # Without cleanup: threads may still wait for a server, and a closed stdout cannot be flushed again.
    os._exit(code)


def _open_streams() -> None:
    """Open the standard streams that the caller closed. Else other files get their numbers, and Ansible misses them.

    Writing to a closed standard output fails, as it should, and so does reading from a closed standard input.
    """
    if sys.stdin is None:
        _open(0, os.O_WRONLY)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  # as long as the process
    if sys.stdout is None:
        _open(1, os.O_RDONLY)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # as above
    if sys.stderr is None:
        _open(2, os.O_WRONLY)
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115  # as above


def _open(number: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    os.dup2(opened, number)
    if opened != number:
        os.close(opened)
    os.set_inheritable(number, True)
