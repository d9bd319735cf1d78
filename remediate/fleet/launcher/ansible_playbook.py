"""ansible-playbook in a process of its own, given through a pipe what may be secret (see playbook/handover.py).

Ansible takes extra variables and the connection's password from arguments, prompts and files alone. It resolves such a
file's path, and a pipe has none: so they are put in its place here, where no argument list and no disk shows them.

Lookups, commands of the `pipe` lookup and `playbook_dir` mean the current folder, as they did when the inventory was
read: a host must not be reached with other variables than those it was inspected with. What stands beside the playbook
is found all the same. (Of a plain ansible-playbook they mean the playbook's folder.) run_playbook of
../ansible_internals.py does it.

Its output is a log that is kept: nothing of what it reads is quoted there, and nothing that an inventory's script or a
lookup's command writes to standard error (docs/adr/0010, 0026).

Its standard input is a pipe that whoever started it holds open. When that one is gone, killed even, the pipe ends, and
the run is interrupted: nobody could stop it any more.
"""

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A shell starts background jobs with SIGINT ignored, and that is inherited. Before Ansible is loaded, which takes time.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Here, while compiled files are used (see main): else the process of each task would compile it from its source.
import winrm  # noqa: E402, F401

# Last: what stands there must not hide a package that is installed.
sys.path.append(str(Path(__file__).parents[3]))

from remediate.fleet.ansible_internals import AnsibleError, run_playbook  # noqa: E402
from remediate.fleet.ansible_words import in_log, place, reason  # noqa: E402
from remediate.fleet.sources import hushed, programs_unheard  # noqa: E402


class _Log(io.FileIO):
    """What the log cannot take, on a full disk, is left out of it and the run goes on: the record has what happened."""

    @classmethod
    def on(cls, number: int) -> io.TextIOWrapper:
        """A stream of text that is written line by line to that descriptor."""
        raw = io.BufferedWriter(cls(number, "w", closefd=False))
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def main() -> None:
    """Arguments are those of ansible-playbook; REMEDIATE_GIVEN is the number of the descriptor to read."""
    with os.fdopen(int(os.environ.pop("REMEDIATE_GIVEN")), "rb") as pipe:
        given: dict[str, Any] = json.load(pipe)
    _end_with_parent()
    sys.stdout, sys.stderr = _Log.on(1), _Log.on(2)
    # No compiled file that stands in a plan's folder is loaded from now on, and none is left there: no sum holds them.
    sys.pycache_prefix = os.devnull
    sys.dont_write_bytecode = True

    # First, so that the extra variables of our own arguments count before them.
    extra_vars = [f"--extra-vars={given['extra_vars']}"] if given["extra_vars"] else []
    with programs_unheard():
        run_playbook([*extra_vars, *sys.argv[1:]], given["password"], _inventory_unheard, in_log)


def _inventory_unheard(read: Callable[[], Any]) -> Any:
    """The inventory was read before, and what is to be said of it was said then."""
    try:
        with hushed(lambda _words: None):
            return read()
    except Exception as error:  # noqa: BLE001  # plugins fail with whatever they like
        raise AnsibleError(": ".join(filter(None, ("the inventory", place(error), reason(error))))) from None


def _end_with_parent() -> None:
    leash = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        while os.read(leash, 1):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
