"""One ansible-playbook that we start, and how it is ended. Whoever wants another starts it here."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from remediate.playbook.handover import ANSIBLE_PLAYBOOK, Given, handed
from remediate.playbook.output_settings import OUTPUT

Process = subprocess.Popen[bytes]


def start_playbook(
    playbook: Path, hosts: Sequence[str], given: Given, log: IO[bytes], *, arguments: Sequence[str],
    environment: Mapping[str, str], descriptors: Sequence[int] = (),
) -> Process:  # fmt: skip
    """Start it on these hosts (names, not patterns), with what the user gave for Ansible. Its output goes to ``log``.

    ``arguments`` and ``environment`` are more of ours; ``descriptors`` are those that it inherits. It leads a session
    of its own: a signal reaches it once, from us, wherever that came from, and ssh cannot ask on our terminal. It ends
    when its standard input does, and so with us.
    """
    # A name may begin with a dash or a tilde: the path is absolute. Among extra variables the last one counts, and so
    # ours come last.
    command = [*ANSIBLE_PLAYBOOK, str(playbook.absolute()), *given.arguments, *arguments]
    # No fact that a server sends becomes a variable.
    ours = OUTPUT | {"ANSIBLE_INJECT_FACT_VARS": "0"} | dict(environment)
    with handed(given, hosts) as more:
        return subprocess.Popen(
            [*command, *more.arguments], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
            env=os.environ | ours | more.environment, pass_fds=(*descriptors, *more.descriptors),
            start_new_session=True,
        )  # fmt: skip


def end_playbook(process: Process, at_once: bool = False) -> int:
    """Its exit code: wait 5 s unless ``at_once``, then end it with all that it started."""
    for patience, number in ((0.0 if at_once else 5.0, signal.SIGTERM), (5.0, signal.SIGKILL)):
        with suppress(subprocess.TimeoutExpired):
            return process.wait(patience)
        os.killpg(process.pid, number)
    return process.wait()
