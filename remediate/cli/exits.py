"""The exit codes. Where several apply, the first of 1, 3, 4, 2 is returned."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    ERROR = 1
    PENDING = 2
    INCOMPLETE = 3
    STALE = 4
    USAGE = 64
    INTERRUPTED = 130


_ORDER = (Exit.ERROR, Exit.INCOMPLETE, Exit.STALE, Exit.PENDING)


def worst(*codes: Exit) -> Exit:
    """The code to return where several apply."""
    return next((code for code in _ORDER if code in codes), Exit.OK)
