"""What the user gave for Ansible, handed to an ansible-playbook that we start: its secrets go through pipes.

Others can see an argument and a variable of the environment, and a file outlives us. So vault passwords, the
connection's password and extra variables are written into pipes. Nobody is asked twice, and no script is run twice.

The hosts go through a file that has no name: Ansible splits what --limit says at commas, colons and spaces, those of a
path too, which are anybody's.
"""

import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from remediate.errors import RemediateError

# By this interpreter: the ansible-core that read the inventory also runs the playbook.
ANSIBLE_PLAYBOOK = (sys.executable, str(Path(__file__).parents[1] / "fleet" / "launcher" / "ansible_playbook.py"))


@dataclass(frozen=True)
class Given:
    """``arguments`` hold no secret. ``vaults`` are labels and passwords; ``extra_vars`` is a mapping in YAML's flow
    style, which begins with a brace."""

    arguments: tuple[str, ...] = ()
    vaults: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    password: str | None = field(default=None, repr=False)
    extra_vars: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Handed:
    """For the child: more arguments, more of its environment, and the descriptors that it must inherit."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    descriptors: tuple[int, ...]


@contextmanager
def handed(given: Given, hosts: Sequence[str]) -> Iterator[Handed]:
    """For a child that is started inside, by ANSIBLE_PLAYBOOK, and runs on these hosts; afterwards all is closed on our
    side."""
    with ExitStack() as stack:
        descriptors: list[int] = []

        def pipe(secret: bytes, what: str) -> int:
            descriptors.append(_pipe(secret, what))
            stack.callback(os.close, descriptors[-1])
            return descriptors[-1]

        words = {"password": given.password, "extra_vars": given.extra_vars}
        environment = {"REMEDIATE_GIVEN": str(pipe(json.dumps(words).encode(), "what -e gives"))}
        if given.vaults:
            paths = [
                f"{label}@/dev/fd/{pipe(secret, f'the password of the vault {label}')}"
                for label, secret in given.vaults
            ]
            environment |= {"ANSIBLE_VAULT_IDENTITY_LIST": ",".join(paths), "ANSIBLE_ASK_VAULT_PASS": "0"}
        limit = stack.enter_context(_limit(hosts))
        descriptors.append(limit)
        yield Handed(("--limit", f"@/dev/fd/{limit}"), environment, tuple(descriptors))


@contextmanager
def _limit(hosts: Sequence[str]) -> Iterator[int]:
    """The descriptor of a file that holds the names, and has none itself."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile(buffering=0))
            names = "".join(f"{host}\n" for host in hosts).encode()
            if file.write(names) != len(names):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            file.seek(0)
        except OSError as error:
            where = tempfile.gettempdir()
            raise RemediateError(f"{where}: cannot be written to ({error.strerror}); name another in TMPDIR") from error
        yield file.fileno()


def _pipe(secret: bytes, what: str) -> int:
    """A descriptor from which it is read once."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        whole = not secret or os.write(writing, secret) == len(secret)
    finally:
        os.close(writing)
    if not whole:
        os.close(reading)
        raise RemediateError(f"{what} is longer than a pipe holds (64 KiB)")
    return reading
