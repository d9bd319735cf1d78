"""Whether a text tells of an exception of the family, and of which code. Codes and names count, never messages: those
are translated. It does not matter how the text is escaped, for neither codes nor names are changed by it.

A code alone is no hit: something of the family must stand beside it. With several codes, as in a chain of inner
exceptions, it is the last one before the first frame RaiseCommunicationError: .NET writes the chain from the outermost
to the innermost, and then the frames from the innermost outwards.
"""

import re
from string import hexdigits

from remediate.iis.codes import CODES, FAULT
from remediate.iis.frames import ENTITY_READ_FRAME, FLUSHED_FRAME, RAISED, RAISED_FRAME, stack_state, streaming
from remediate.values.logs import LoggedException

# How many bytes a code takes at most, with what must not follow it.
WIDTH = 16
_FIRST_STEP = 4 << 10
_LAST_STEP = 1 << 20

# In hexadecimal, and as the signed decimal number that JSON has. Each kind begins alike, so that the search is fast.
_PREFIXES = (b"8007", b"-21470")
_SPELLINGS = {**{code[2:]: code for code in CODES}, **{str(int(code, 16) - (1 << 32)): code for code in CODES}}
_HEX = "8007(?:{})".format("|".join(f"(?i:{code[6:]})" for code in CODES))
_DECIMAL = "-21470(?:{})".format("|".join(spelling[6:] for spelling in _SPELLINGS if spelling.startswith("-")))
_SPELLING = re.compile(f"{_HEX}|{_DECIMAL}".encode())
# What follows a code that is not a part of something longer, such as a GUID.
_ENDS = r"(?![\w-]|\.\d)"
_IN_TEXT = (re.compile(_HEX + _ENDS), re.compile(_DECIMAL + _ENDS))
_HEX_MARKS = ("0x", "0X")
_FAMILY = (RAISED, "IIS7WorkerRequest", "HttpException", "COMException")


def find_code(data: bytes, start: int) -> int:
    """Where the next thing stands that looks like a code, or -1: a first, fast answer."""
    # In growing steps, so that where codes are frequent no search goes far beyond the next one.
    step = _FIRST_STEP
    while start < len(data):
        end = start + step
        places = [place for prefix in _PREFIXES if (place := _find(data, prefix, start, end + WIDTH)) >= 0]
        if places:
            return min(places)
        start, step = end, min(step * 2, _LAST_STEP)
    return -1


def _find(data: bytes, prefix: bytes, start: int, end: int) -> int:
    """Where a code with this prefix stands."""
    while (place := data.find(prefix, start, end)) >= 0 and _SPELLING.match(data, place) is None:
        start = place + 1
    return place


def judge(text: str) -> LoggedException | None:
    """The occurrence that an entry tells of, with its code and its frames; None where there is none."""
    if not any(name in text for name in _FAMILY):
        return None
    codes = _codes(text)
    if not codes:
        return None
    raised = RAISED_FRAME.search(text)
    before = [code for place, code in codes if raised is not None and place < raised.start()]
    code = before[-1] if before else codes[0][1]
    return LoggedException(
        code=code, raised=raised is not None, flushed=FLUSHED_FRAME.search(text) is not None,
        entity_read=ENTITY_READ_FRAME.search(text) is not None,
        stack=stack_state(text), streaming=streaming(text),
    )  # fmt: skip


def names_the_fault(text: str) -> bool:
    """Whether the fault's code stands there by itself, whatever is beside it; digits alone may be any number."""
    return any(
        code == FAULT and (text[place] == "-" or text[place - 2 : place] in _HEX_MARKS) for place, code in _codes(text)
    )


def _codes(text: str) -> list[tuple[int, str]]:
    """Where codes stand by themselves, and which, in order."""
    return sorted(
        (match.start(), _SPELLINGS[match[0].upper()])
        for pattern in _IN_TEXT
        for match in pattern.finditer(text)
        if _begins(text, match.start())
    )


def _begins(text: str, place: int) -> bool:
    """Whether a code stands by itself there: before `0x` anything but a digit may stand, a bare number is alone."""
    if text[max(0, place - 2) : place] in _HEX_MARKS:
        return place < 3 or text[place - 3] not in hexdigits
    if place == 0:
        return True
    last = text[place - 1]
    return not (last.isalnum() or last in "_.-")
