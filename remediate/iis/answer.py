"""What a server printed -> the answer's JSON object, and the other words that stand around it.

Others print too: a banner of cmd's AutoRun, a profile, a policy that refuses PowerShell. The object is found as
Ansible finds a module's result (ansible.module_utils.json_utils): from the first line that begins with a brace to the
last line that ends with one. Beyond that: byte-order marks, NULs and PowerShell's own packing of text (CLIXML) are
taken away, and the answer may share its line with other words. Where two answers stand, none is taken.

The input is hostile: each step is one pass over it, and keeps no list of its parts.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import msgspec
from msgspec import Raw, Struct

from remediate.json_words import NOT_JSON

_FORMAT = "remediate.inspection"
# Of the other words; whoever shows them makes one line of them.
_MOST_CHARACTERS = 2000
_OBJECTS = re.compile(rb"<Objs(?: [^<>]*)?>(.*?)(?:</Objs>|\Z)", re.DOTALL)
_STRING = re.compile(rb'<S(?: S="(\w{1,20})")?(?: [^<>]*)?>([^<>]*)</S>')
# Beside a result or an error: what a session tells of its work.
_CHATTER = frozenset({b"progress", b"verbose", b"debug", b"warning", b"information"})
_UNIT = re.compile("_x([0-9A-Fa-f]{4})_")
_OPENING = re.compile(rb"(?:\A|\n)[^\S\n]*\{")
# An answer, and from where to where it stands.
_Place = tuple[bytes, int, int]


class _Module(Struct):
    """Ansible's result of the module app_pool_info."""

    inspection: Raw


class _Head(Struct):
    format: str


# Made here, by one thread: msgspec builds what it needs for a type at its first use, and two threads that do so at once
# can end the process.
_MODULE, _HEAD = msgspec.json.Decoder(_Module), msgspec.json.Decoder(_Head)


@dataclass(frozen=True)
class Found:
    """``answer`` is the object's bytes, None where none or more than one was found; ``words`` the rest."""

    answer: bytes | None
    words: str


def split(printed: bytes) -> Found:
    """Find the answer in what was printed: an inspection, or Ansible's result that holds one."""
    text = _plain(printed)
    if (answer := _answer(text)) is not None:
        return Found(answer, "")
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    places = [place for _, place in zip(range(2), _in_a_line(text), strict=False)]
    if len(places) == 2:
        return Found(None, _text(text))
    if not places and (lines := _over_lines(text)) is not None:
        places = [lines]
    if not places:
        return Found(None, _text(text))
    answer, start, stop = places[0]
    # Of what stands behind the answer too, whatever stands before it.
    return Found(answer, _text(text[: min(start, _MOST_CHARACTERS)] + b"\n" + text[stop : stop + _MOST_CHARACTERS]))


def _in_a_line(text: bytes) -> Iterator[_Place]:
    """The answers that stand in one line each."""
    end = -1
    while (at := text.find(_FORMAT.encode(), end + 1)) >= 0:
        begin = text.rfind(b"\n", max(end, 0), at) + 1 or end + 1
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        start, stop = text.find(b'{"', begin, end), text.rfind(b"}", begin, end) + 1
        answer = _answer(text[start:stop]) if 0 <= start < stop else None
        if answer is not None:
            yield answer, start, stop


def _over_lines(text: bytes) -> _Place | None:
    """The answer from the first line that begins with a brace to the last one that ends with one."""
    first = _OPENING.search(text)
    if first is None:
        return None
    stop = len(text)
    while (at := text.rfind(b"}", first.end() - 1, stop)) >= 0:
        end = text.find(b"\n", at, stop)
        if not text[at + 1 : stop if end < 0 else end].strip():
            answer = _answer(text[first.end() - 1 : at + 1])
            return None if answer is None else (answer, first.start(), at + 1)
        stop = text.rfind(b"\n", first.end() - 1, at) + 1
    return None


def plain_words(printed: bytes) -> str:
    """What a program printed, for a report: without PowerShell's packing, and bounded."""
    return _text(_plain(printed))


def _answer(text: bytes) -> bytes | None:
    try:
        return bytes(_MODULE.decode(text).inspection)
    except NOT_JSON:
        pass
    try:
        _HEAD.decode(text)
    except NOT_JSON:
        return None
    return text.strip()


def _plain(printed: bytes) -> bytes:
    text = printed.removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE)
    text = text.replace(b"\0", b"").replace(codecs.BOM_UTF8, b"")
    if b"<Objs" not in text:
        return text
    return _OBJECTS.sub(_strings, text.replace(b"#< CLIXML", b""))


def _strings(objects: re.Match[bytes]) -> bytes:
    """The texts of a CLIXML document, each on lines of its own: results and errors, or where there is none, all."""
    results_alone = any((found[1] or b"").lower() not in _CHATTER for found in _STRING.finditer(objects[1]))
    texts = bytearray(b"\n")
    for found in _STRING.finditer(objects[1]):
        if results_alone and (found[1] or b"").lower() in _CHATTER:
            continue
        text = unescape(found[2].decode(errors="replace"))
        texts += _UNIT.sub(lambda unit: chr(int(unit[1], 16)), text).encode(errors="replace") + b"\n"
    return bytes(texts)


def _text(text: bytes) -> str:
    return text[:_MOST_CHARACTERS].decode(errors="replace").strip()
