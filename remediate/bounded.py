"""Files that people name, and those beside them: read only where reading ends, and within a bound.

A device may give bytes for ever, and a pipe may wait for ever for somebody who writes. A shell's `<(command)` is a
pipe that has a writer.
"""

import os
import stat
from io import BufferedReader
from pathlib import Path

_MEGABYTE = 2**20
# An audit of 100,000 pools has 300 MB.
SAVED = 1024 * _MEGABYTE
# A shell names pipes so, and standard input.
_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


class Unreadable(Exception):
    """Why a file is not read, in words that follow its name."""


def why_not(path: Path, most: int | None = None) -> str | None:
    """Why reading that path might not end, or would take too much; None where nothing speaks against it.

    OSError: it cannot be looked at. A folder is none of our business here.
    """
    status = path.stat()
    kind = stat.S_IFMT(status.st_mode)
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        return "is a device, not a file"
    if kind in (stat.S_IFIFO, stat.S_IFSOCK) and not str(path).startswith(_PIPES):
        return "is a pipe or a socket, not a file"
    return too_large(most) if most is not None and kind == stat.S_IFREG and status.st_size > most else None


def too_large(most: int) -> str:
    return f"has more than {most // _MEGABYTE} MB"


def open_file(path: Path, most: int | None = None) -> BufferedReader:
    """The file, opened for reading. Unreadable; OSError as of `open`."""
    reason = why_not(path, most)
    if reason is not None:
        raise Unreadable(reason)
    stream = path.open("rb")
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        # Some files of /proc have the looks of a file and wait like a device.
        os.set_blocking(stream.fileno(), False)
    return stream


def read_file(path: Path, most: int) -> bytes:
    """The whole file. Unreadable, also for one that has more than so many bytes; OSError as of `open`."""
    with open_file(path, most) as stream:
        status = os.fstat(stream.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size == 0:
            most = _MEGABYTE  # a file of /proc: it has no size, and may have no end
        data = stream.read(most + 1) or b""
    if len(data) > most:
        raise Unreadable(too_large(most))
    return data
