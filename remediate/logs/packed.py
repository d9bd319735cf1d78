"""Gzip: all that can be unpacked, and then in words what could not.

Zeros behind the last member are padding, as tapes and some loggers leave it. After a damage the next member is looked
for: a log that was packed in parts loses one part.
"""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from remediate.logs.damaged import Damaged

BLOCK = 1 << 20
GZIP = b"\x1f\x8b"
# The ten bytes of a header, which hardly stand anywhere else (RFC 1952): method, flags, time, level, system.
_HEADER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.S)
_HEADER_SIZE = 10
_WRONG_SUM = re.compile("incorrect (data|length) check")


def unpacked(stream: BinaryIO) -> Iterator[bytes]:
    """The members one after the other, in blocks of bounded size. Damaged, at the end: what could not be unpacked."""
    losses: dict[str, None] = {}
    first, packed = True, stream.read(BLOCK)
    while packed:
        member, rest = zlib.decompressobj(wbits=31), packed
        try:
            while not member.eof:
                before = member.copy()
                block = member.decompress(rest, BLOCK)
                yield block
                rest = member.unconsumed_tail or (b"" if member.eof else stream.read(BLOCK))
                if not rest and not member.eof:
                    yield member.flush()
                    if not member.eof:
                        losses["its gzip is cut off: what came after is missing"] = None
                        break
            packed = _behind_padding(member.unused_data or stream.read(BLOCK), stream)
        except zlib.error as error:
            good, rest = _until_damage(before, rest)
            yield good
            losses[_loss(str(error), first=first)] = None
            packed = _next_member(rest, stream)
        first = False
    if losses:
        raise Damaged("; ".join(losses))


def _loss(error: str, *, first: bool) -> str:
    if _WRONG_SUM.search(error):
        return "a checksum of its gzip is wrong: some of it may not be what was logged"
    if "incorrect header" in error and not first:
        return "bytes that are no gzip stand behind its gzip, and were not read"
    return "its gzip is damaged: a part could not be unpacked"


def _until_damage(member: "zlib._Decompress", packed: bytes) -> tuple[bytes, bytes]:
    """What the member gives up to the damage, byte by byte: a call that fails gives nothing. And what is behind it."""
    good: list[bytes] = []
    for place in range(len(packed)):
        try:
            good.append(member.decompress(packed[place : place + 1]))
        except zlib.error:
            return b"".join(good), packed[place + 1 :]
    return b"".join(good), b""


def _behind_padding(packed: bytes, stream: BinaryIO) -> bytes:
    """What comes after zeros; nothing where they go on to the end."""
    while packed and not (rest := packed.lstrip(b"\0")):
        packed = stream.read(BLOCK)
    return rest if packed else b""


def _next_member(packed: bytes, stream: BinaryIO) -> bytes:
    """From the next header on; nothing where there is none."""
    while (found := _HEADER.search(packed)) is None:
        more = stream.read(BLOCK)
        if not more:
            return b""
        packed = packed[-_HEADER_SIZE:] + more
    return packed[found.start() :]
