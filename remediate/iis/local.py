"""Which client of a request is the server itself: 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 and `localhost`. Pure.

An address may have any spelling of IPv6, a zone (`::1%4`) and a port (`127.0.0.1:80`, `[::1]:80`). A pattern and not a
parser decides: those of Python, .NET Framework and .NET differ in what they take. It says each letter in both cases,
since Python and .NET fold differently. The collection's IisEvents.psm1 has the same;
tests/powershell/test_same_rules.py holds them equal.
"""

import re
from functools import lru_cache


def _zeros(groups: int) -> str:
    """So many groups of zeros at the beginning of an IPv6 address, in full or with `::` for some of them."""
    return rf"((0{{1,4}}:){{{groups}}}|(?!:*(0+:+){{{groups}}})((0{{1,4}}:)+|:):(0{{1,4}}:)*)"


_V4 = r"127(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
_HEX = "[0-9A-Fa-f]"
# The last two groups of ::ffff:127.0.0.0/104; where the first five stand in full, `::` may be the last.
_MAPPED = rf"{_zeros(5)}[Ff]{{4}}:({_V4}|7[Ff]{_HEX}{{2}}:{_HEX}{{1,4}})|(0{{1,4}}:){{5}}[Ff]{{4}}:7[Ff]{_HEX}{{2}}::"
_V6 = rf"({_zeros(7)}0{{0,3}}1|{_zeros(6)}0\.0\.0\.1|{_MAPPED})(%[0-9A-Za-z._~-]{{1,64}})?"
_PORT = "(:[0-9]{1,5})?"
_NAME = "[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]"
_SPACE = r"[ \t\r\n]*"
_LOCAL = re.compile(rf"{_SPACE}(({_V4}|{_NAME}){_PORT}|{_V6}|\[{_V6}\]{_PORT}){_SPACE}")
_NONE = re.compile(rf"{_SPACE}(-{_SPACE})?")


@lru_cache(4096)
def is_local(address: str | None) -> bool | None:
    """Whether that address is the server's own; None where no address is given (nothing, spaces or `-`).

    What is no address at all is somebody else's: it confirms nothing.
    """
    if address is None or _NONE.fullmatch(address):
        return None
    return _LOCAL.fullmatch(address) is not None
