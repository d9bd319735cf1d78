"""Whether a text tells of an exception of the family, and of which code. Codes and names count, never messages: those
are translated. It does not matter how the text is escaped, for neither codes nor names are changed by it.

A code alone is no hit: something of the family must stand beside it. With several codes, as in a chain of inner
exceptions, it is the last one before the first frame RaiseCommunicationError: .NET writes the chain from the outermost
to the innermost, and then the frames from the innermost outwards.
"""

import re

from remediate.diagnose.codes import CODES
from remediate.evidence import Occurrence

# What every spelling of a code begins with: in hexadecimal, and as the signed decimal number that JSON has.
PREFIXES = (b"8007", b"-21470")
# How many bytes a code takes at most, with what must not follow it.
WIDTH = 16

_DECIMAL = {str(int(code, 16) - (1 << 32)): code for code in CODES}
_HEX = {code[2:]: code for code in CODES}
_RAISED, _FLUSHED, _ENTITY_READ = "RaiseCommunicationError", "ExplicitFlush", "ReadEntityCoreSync"
_FAMILY = re.compile(f"{_RAISED}|IIS7WorkerRequest|HttpException|COMException")
_CODE = re.compile(
    # A bare number must stand alone: it is also found in the middle of GUIDs.
    r"(?:(?<![0-9A-Fa-f])0[xX]|(?<![\w.-]))(?P<hex>{})(?![\w-]|\.\d)|(?<![\w.])(?P<decimal>{})(?![\w-]|\.\d)".format(
        "|".join(f"(?i:{digits})" for digits in _HEX), "|".join(_DECIMAL)
    )
)
_SPELLING = re.compile("|".join((*(f"(?i:{digits})" for digits in _HEX), *_DECIMAL)).encode())


def find_code(data: bytes, start: int) -> int:
    """Where the next thing stands that looks like a code, or -1: a first, fast answer."""
    while True:
        places = [place for prefix in PREFIXES if (place := data.find(prefix, start)) >= 0]
        if not places:
            return -1
        place = min(places)
        if _SPELLING.match(data, place):
            return place
        start = place + 1


def judge(text: str) -> Occurrence | None:
    """The occurrence that an entry tells of, with its code and its frames; None where there is none."""
    if _FAMILY.search(text) is None:
        return None
    raised = text.find(_RAISED)
    code = None
    for match in _CODE.finditer(text):
        if code is not None and (raised < 0 or match.start() > raised):
            break
        code = _HEX[match["hex"].upper()] if match["hex"] else _DECIMAL[match["decimal"]]
    if code is None:
        return None
    return Occurrence(code=code, raised=raised >= 0, flushed=_FLUSHED in text, entity_read=_ENTITY_READ in text)
