"""What a server printed -> the answer's JSON object, and the other words that stand around it.

Others print too: a banner of cmd's AutoRun, a profile, a policy that refuses PowerShell. The object is found as
Ansible finds a module's result (ansible.module_utils.json_utils): from the first line that begins with a brace to the
last line that ends with one. Beyond that: byte-order marks, NULs and PowerShell's own packing of text (CLIXML) are
taken away, and the answer may share its line with other words. Where two answers stand, none is taken.

The input is hostile: each step is one pass over it.
"""

import codecs
import re
from dataclasses import dataclass
from html import unescape

import msgspec
from msgspec import Raw, Struct

_FORMAT = "remediate.inspection"
# Of the other words; whoever shows them makes one line of them.
_MOST_CHARACTERS = 2000
_OBJECTS = re.compile(rb"<Objs(?: [^<>]*)?>(.*?)(?:</Objs>|\Z)", re.DOTALL)
_STRING = re.compile(rb'<S(?: S="(\w{1,20})")?(?: [^<>]*)?>([^<>]*)</S>')
# Beside a result or an error: what a session tells of its work.
_CHATTER = frozenset({b"progress", b"verbose", b"debug", b"warning", b"information"})
_UNIT = re.compile("_x([0-9A-Fa-f]{4})_")


class _Module(Struct):
    """Ansible's result of the module app_pool_info."""

    inspection: Raw


class _Head(Struct):
    format: str


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
    lines = text.splitlines()
    answers, rest = [], []
    for line in lines:
        start, stop = line.find(b'{"'), line.rfind(b"}") + 1
        candidate = line[start:stop] if _FORMAT.encode() in line and 0 <= start < stop else b""
        if (answer := _answer(candidate)) is None:
            rest.append(line)
        else:
            answers.append(answer)
            rest += [line[:start], line[stop:]]
    if answers:
        return Found(answers[0], _text(b"\n".join(rest))) if len(answers) == 1 else Found(None, _text(text))
    begin = next((n for n, line in enumerate(lines) if line.lstrip().startswith(b"{")), len(lines))
    end = next((n for n in range(len(lines), begin, -1) if lines[n - 1].rstrip().endswith(b"}")), begin)
    answer = _answer(b"\n".join(lines[begin:end]))
    return Found(answer, _text(text if answer is None else b"\n".join(lines[:begin] + lines[end:])))


def plain_words(printed: bytes) -> str:
    """What a program printed, for a report: without PowerShell's packing, and bounded."""
    return _text(_plain(printed))


def _answer(text: bytes) -> bytes | None:
    try:
        return bytes(msgspec.json.decode(text, type=_Module).inspection)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, RecursionError):
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
    found = [(kind.lower(), text) for kind, text in _STRING.findall(objects[1])]
    told = [text for kind, text in found if kind not in _CHATTER] or [text for _, text in found]
    texts = (unescape(text.decode(errors="replace")) for text in told)
    return "\n".join(["", *(_UNIT.sub(lambda unit: chr(int(unit[1], 16)), t) for t in texts), ""]).encode(
        errors="replace"
    )


def _text(text: bytes) -> str:
    return text[:_MOST_CHARACTERS].decode(errors="replace").strip()
