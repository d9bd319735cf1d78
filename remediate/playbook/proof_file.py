"""The proof of a run, kept beside its record, a line for each host as it is read again.

A file of its own: the record has one writer, the callback plugin, and ends with the run (docs/adr/0020).
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from remediate.bounded import SAVED, Unreadable, read_file
from remediate.errors import RemediateError
from remediate.json_words import NOT_JSON
from remediate.saved import spelled_out
from remediate.values.runs import HostProof, Proof

PROOF = "proof.jsonl"
_FORMAT = "remediate.proof"


def private(path: str, flags: int) -> int:
    """For ``open``: a new file that is its owner's alone, in whatever folder."""
    return os.open(path, flags, 0o600)


@contextmanager
def keep_proof(folder: Path, lost: Callable[[str], None]) -> Iterator[Callable[[HostProof], None]]:
    """Write the proof into the folder of a run: call what this gives with each host. It ends with the last line.

    ``lost`` is called once when it cannot be written, with the reason: what is read again is not lost by that.
    """
    path, good = folder / PROOF, True

    def write(**values: object) -> None:
        nonlocal good
        if not good:
            return
        line = json.dumps(spelled_out(values | {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})) + "\n"
        try:
            with open(path, "a", encoding="utf-8", opener=private) as file:  # as in run.py
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            good = False
            lost(f"{path}: cannot be written: {error.strerror}")

    write(event="begin", format=_FORMAT, format_version=1)
    yield lambda host: write(event="host", **msgspec.to_builtins(host))
    write(event="end")


class _Event(msgspec.Struct):
    event: str
    at: str = ""
    format: str = ""
    format_version: int = 0


def read_proof(folder: Path) -> Proof | None:
    """The proof in the folder of a run, as far as it came; None where there is none."""
    path = folder / PROOF
    try:
        lines = read_file(path, SAVED).split(b"\n")[:-1]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RemediateError(f"{path}: {error.strerror}") from error
    except Unreadable as error:
        raise RemediateError(f"{path}: {error}") from error
    try:
        events = [msgspec.json.decode(line, type=_Event) for line in lines]
        told = [line for line, event in zip(lines, events, strict=True) if event.event == "host"]
        hosts = sorted((msgspec.json.decode(line, type=HostProof) for line in told), key=lambda host: host.host)
    except NOT_JSON as error:
        raise RemediateError(f"{path}: is damaged: a line of it cannot be read") from error
    if not events:
        return None
    if events[0].format != _FORMAT or events[0].format_version != 1:
        raise RemediateError(f"{path}: is not the proof of a run, or of a newer remediate")
    finished = events[-1].at if events[-1].event == "end" else None
    return Proof(started_at=events[0].at, finished_at=finished, hosts=tuple(hosts))
