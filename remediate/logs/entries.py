"""Log entries around codes: blocks of bytes are searched for codes, and only where one stands is anything else done.

An entry begins with a line that begins with a time, and goes on to the next such line. In a log of stack traces
without times, it begins with the line after a blank line or after a frame, unless that line goes on with the exception.
A line of JSON is an entry of its own. Nothing is looked for further than `REACH` before and after a code.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from remediate.logs.exceptions import WIDTH, find_code
from remediate.logs.window import Window

REACH = 256 << 10
# How much of a line tells whether another trace begins there.
_HEAD = 400
_NEWLINE = 10

# A frame in any language: indented, or a short word before a name with dots and a parenthesis.
_FRAME = re.compile(rb"[ \t]+\S|\S{1,12} [^\s(]+\.[^\s(]+\(")
_GOES_ON = re.compile(rb"\s*-{3}|.*(?:COMException|HRESULT)")


class Entry(Struct, frozen=True):
    """``begin``: the time that its first line begins with, where there is one."""

    line: int
    text: str
    begin: re.Match[bytes] | None


def entries(window: Window, begins: re.Pattern[bytes] | None) -> Iterator[Entry]:
    """The entries that have a code in them, in order; without ``begins``, each line is one."""
    at = floor = 0
    while True:
        hit = find_code(window.data, at)
        if hit < 0 or (hit > len(window.data) - WIDTH and not window.ended):
            if window.ended:
                return
            at = max(at, len(window.data) - WIDTH)
            gone = max(0, at - REACH - 1)
            window.drop(gone)
            at, floor = at - gone, floor - gone
            window.more()
            continue
        data, limit = window.fill(hit + REACH), hit + REACH
        low = max(floor, hit - REACH)
        start, begin = (_line_start(data, low, hit), None) if begins is None else _start(data, low, hit, begins)
        at = floor = _end(data, hit, limit, begins, timed=begin is not None)
        yield Entry(window.line(start), data[start:at].decode(errors="replace"), begin)
        if at > 4 * REACH:
            window.drop(at - REACH - 1)
            at = floor = REACH + 1


def _line_start(data: bytes, low: int, place: int) -> int:
    newline = data.rfind(b"\n", low, place)
    return low if newline < 0 else newline + 1


def _start(data: bytes, low: int, hit: int, begins: re.Pattern[bytes]) -> tuple[int, re.Match[bytes] | None]:
    """Where the entry of the hit begins, and the time there."""
    untimed = None
    start = _line_start(data, low, hit)
    while True:
        if (start == 0 or data[start - 1] == _NEWLINE) and (match := begins.match(data, start)):
            return start, match
        if start == low:
            return (low if untimed is None else untimed), None
        before = _line_start(data, low, start - 1)
        if untimed is None and _divides(data[before:start], data[start : start + _HEAD]):
            untimed = start
        start = before


def _end(data: bytes, hit: int, limit: int, begins: re.Pattern[bytes] | None, *, timed: bool) -> int:
    """Where the entry of the hit ends: at the beginning of another line, or at the limit."""
    before, place = _line_start(data, 0, hit), hit
    while (newline := data.find(b"\n", place, limit)) >= 0:
        start = newline + 1
        if begins is None or begins.match(data, start, limit):
            return start
        if not timed and _divides(data[before:start], data[start : min(start + _HEAD, limit)]):
            return start
        before = place = start
    return min(limit, len(data))


def goes_on(line: bytes) -> bool:
    """Whether a line by itself goes on with the entry before it."""
    return not line.strip() or _FRAME.match(line) is not None or line.lstrip().startswith(b"---")


def _divides(before: bytes, line: bytes) -> bool:
    """Whether one stack trace ends and another begins between two lines."""
    line = line.partition(b"\n")[0]
    if not line.strip() or _FRAME.match(line):
        return False
    return not before.strip() or (_FRAME.match(before) is not None and _GOES_ON.match(line) is None)
