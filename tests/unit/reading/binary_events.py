"""A minimal binary event log (.evtx), made by hand: one chunk, elements without templates, texts as values.

After Microsoft's [MS-EVEN6] (BinXml) and libyal's "Windows XML Event Log (EVTX) format". Windows itself writes
templates. No file of a Windows is here.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree
from zlib import crc32

_CHUNK, _HEADER = 65536, 512


def evtx(events: Sequence[str]) -> bytes:
    """The file of these events, each an XML text as Windows renders it."""
    data = b""
    offset = 0
    for number, text in enumerate(events, 1):
        offset = _HEADER + len(data)
        element = ElementTree.fromstring(text)
        body = b"\x0f\x01\x01\x00" + _element(element, offset + 24 + 4) + b"\x00"
        size = 24 + len(body) + 4
        time = int((datetime(2026, 11, 25, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10**7)
        data += struct.pack("<IIQQ", 0x2A2A, size, number, time) + body + struct.pack("<I", size)
    count = len(events)
    fields = struct.pack("<QQQQIIII", 1, count, 1, count, 128, offset, _HEADER + len(data), crc32(data))
    head = b"ElfChnk\0" + fields + bytes(64 + 4)
    tables = bytes(_HEADER - 128)
    chunk = head + struct.pack("<I", crc32(head[:120] + tables)) + tables + data
    assert len(head) == 124 and len(chunk) <= _CHUNK
    first = struct.pack("<8sQQQIHHHH76x", b"ElfFile\0", 0, 0, count + 1, 128, 1, 3, 4096, 1)
    return (first + struct.pack("<II", 0, crc32(first))).ljust(4096, b"\0") + chunk.ljust(_CHUNK, b"\0")


def _element(element: ElementTree.Element, at: int) -> bytes:
    """The element whose first byte is that far from the chunk's."""
    attributes = [("xmlns", element.tag[1:].partition("}")[0])] if element.tag.endswith("}Event") else []
    attributes += [*element.items()]
    name = _name(element.tag.rpartition("}")[2], at + 5)
    inner = b""
    if attributes:
        place = at + 5 + len(name) + 4
        for left, (key, value) in enumerate(attributes, 1 - len(attributes)):
            token = b"\x46" if left else b"\x06"
            inner += token + _name(key, place + len(inner) + 1) + _value(value)
        inner = struct.pack("<I", len(inner)) + inner
    children = list(element)
    text = (element.text or "") if not children else ""
    inside = b"\x02" if children or text else b"\x03"
    place = at + 5 + len(name) + len(inner) + 1
    if text:
        inside += _value(text)
    for child in children:
        inside += _element(child, place)
        place = at + 5 + len(name) + len(inner) + len(inside)
    inside += b"\x04" if children or text else b""
    rest = name + inner + inside
    return struct.pack("<BI", 0x41 if attributes else 0x01, len(rest)) + rest


def _name(name: str, at: int) -> bytes:
    """The place of a name, which follows at once: no name is used twice."""
    text = name.encode("utf-16-le")
    sum = 0
    for character in name:
        sum = (sum * 65599 + ord(character)) & 0xFFFFFFFF
    return struct.pack("<IIHH", at + 4, 0, sum & 0xFFFF, len(name)) + text + b"\0\0"


def _value(text: str) -> bytes:
    return struct.pack("<BBH", 0x05, 0x01, len(text)) + text.encode("utf-16-le")
