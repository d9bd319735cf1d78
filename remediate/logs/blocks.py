"""Bytes in, UTF-8 out: gzip and encodings are told by the content, never by the name, and no byte is fatal.

Without a byte-order mark, a text whose every other byte is mostly zero is UTF-16. All else is passed on as it is: the
codes and the names of methods are ASCII in every code page.
"""

import codecs
import errno
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import cast

from remediate.bounded import Unreadable, open_file
from remediate.errors import RemediateError
from remediate.logs.damaged import Damaged
from remediate.logs.evtx import MARK, event_xml
from remediate.logs.packed import BLOCK, GZIP, unpacked

_SAMPLE = 4096
# That of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, None), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip


@contextmanager
def opened(path: Path | None) -> Iterator[Iterator[bytes]]:
    """The blocks of a file, unpacked; of standard input for None."""
    try:
        stream = cast(BufferedReader, sys.stdin.buffer if path is None else open_file(path))
    except OSError as error:
        raise RemediateError(f"{path}: cannot be read: {error.strerror}") from error
    except Unreadable as error:
        raise RemediateError(f"{path}: {error}") from error
    try:
        head = stream.peek(len(MARK))
        if path is not None and path.is_file() and head.startswith(MARK):
            yield event_xml(path)
        else:
            yield unpacked(stream) if head[:2] == GZIP else iter(lambda: stream.read(BLOCK) or b"", b"")
    except OSError as error:
        if path is None and error.errno == errno.EBADF:
            raise RemediateError("standard input: is closed; give a file") from error
        raise RemediateError(f"{path or 'standard input'}: cannot be read: {error.strerror}") from error
    finally:
        if path is not None:
            stream.close()


def utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8, without its byte-order mark."""
    rest = iter(blocks)
    head = b""
    try:
        while len(head) < _SAMPLE and (block := next(rest, None)) is not None:
            head += block
    except Damaged as error:
        rest = _broken_off(error)
    mark, encoding = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", _unmarked(head)))
    whole = chain((head[len(mark) :],), rest)
    return whole if encoding is None else _recoded(whole, encoding)


def _broken_off(error: Damaged) -> Iterator[bytes]:
    """Nothing more, after what came before it."""
    yield b""
    raise error


def _unmarked(head: bytes) -> str | None:
    sample = head[: _SAMPLE & ~1]
    pairs = len(sample) // 2
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > pairs * 0.3 and even < pairs * 0.05:
        return "utf-16-le"
    if even > pairs * 0.3 and odd < pairs * 0.05:
        return "utf-16-be"
    return None


def _recoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()
