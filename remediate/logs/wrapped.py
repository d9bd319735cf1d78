"""Logs whose every line something else has put its own time before: syslog, and what containers write.

    {"log":"   at System.Web...\\n","stream":"stdout","time":"2026-11-25T13:00:01.1Z"}   Docker's json-file
    2026-11-25T13:00:01.1Z stdout F    at System.Web...                                 Kubernetes (CRI)
    <131>Nov 25 14:00:01 WEB01 shop[4711]:    at System.Web...                          syslog, RFC 3164
    <131>1 2026-11-25T13:00:01Z WEB01 shop 4711 - -    at System.Web...                 syslog, RFC 5424
    2026-11-25T14:00:01.1+01:00 WEB01 shop[4711]:    at System.Web...                   rsyslog's own file format

A line that goes on with an entry is read without that time, so that the entry stays one; any other line that has no
time of its own begins an entry at that time. The number of lines stays the same.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from remediate.json_words import NOT_JSON
from remediate.logs.entries import goes_on
from remediate.logs.tally import Tally
from remediate.logs.text import read_text
from remediate.logs.timestamps import DATED
from remediate.logs.window import Window

_ISO = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\w.:+-]*"
_FRAME = rb"[ \t]+\S{1,12} [^\s(]{1,500}\.[^\s(]{1,500}\("
# Each has the time, then what stands between, then the text.
_PREFIXES = {
    "cri": re.compile(rb"(%b) ((?:stdout|stderr) [FP] )" % _ISO),
    "rfc3164": re.compile(rb"(?:<\d{1,3}>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S{1,255} [^\s:]{1,80}: ?)"),
    "rfc5424": re.compile(rb"<\d{1,3}>1 (%b) ((?:\S{1,255} ){4}(?:-|\[[^\r\n]{0,2000}?\]) ?)" % _ISO),
    "rsyslog": re.compile(rb"(%b) (\S{1,255} [^\s:]{1,80}: ?)" % _ISO),
}
# rsyslog's lines look like many others: a process in brackets, or a frame behind the prefix, makes them its.
_RSYSLOG = re.compile(rb"^%b \S{1,255} [^\s:]{1,80}(?:\[\d+\]: |: ?%b)" % (_ISO, _FRAME), re.M)


class _Line(msgspec.Struct):
    """A line of Docker's json-file."""

    log: str
    stream: str
    time: str


_decode = msgspec.json.Decoder(_Line).decode


def wrapping(head: bytes) -> str | None:
    """What has wrapped the lines of a text that begins so; None: nothing known."""
    line = head.partition(b"\n")[0]
    if line.startswith(b"{"):
        return "docker" if _of_docker(line) is not None else None
    name = next((name for name, prefix in _PREFIXES.items() if prefix.match(line)), None)
    return name if name != "rsyslog" or _RSYSLOG.search(head) else None


def read_wrapped(window: Window, tally: Tally, by: str) -> None:
    unwrap: Callable[[bytes], tuple[bytes, bytes, bytes] | None] = (
        _of_docker if by == "docker" else lambda line: _of_prefix(line, _PREFIXES[by])
    )
    read_text(Window(_unwrapped(window, unwrap)), tally)


def _unwrapped(window: Window, unwrap: Callable[[bytes], tuple[bytes, bytes, bytes] | None]) -> Iterator[bytes]:
    for lines in window.line_blocks():
        yield b"".join(b"%b\n" % _plain(line, unwrap(line)) for line in lines)


def _plain(line: bytes, parts: tuple[bytes, bytes, bytes] | None) -> bytes:
    if parts is None:
        return line
    time, between, text = parts
    if goes_on(text) or DATED.match(text):
        return text
    return b"%b %b%b" % (time, between, text)


def _of_prefix(line: bytes, prefix: re.Pattern[bytes]) -> tuple[bytes, bytes, bytes] | None:
    match = prefix.match(line)
    return None if match is None else (match[1], match[2], line[match.end() :])


def _of_docker(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    try:
        value = _decode(line)
    except NOT_JSON:
        return None
    text = value.log.removesuffix("\n").replace("\n", " ")
    return value.time.encode(errors="replace"), b"", text.encode(errors="replace")
