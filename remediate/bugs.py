"""Where a bug occurred, in a form that may be shown and sent.

An exception's message can hold whatever the program had in its hands, passwords too. So no message is shown: only the
types of the exceptions, and the places in the code.
"""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

from remediate.values.fleet import Failed

_PACKAGE = Path(__file__).parent
_log = logging.getLogger(__name__)


def bug(host: str, error: Exception, doing: str) -> Failed:
    """The failure of a host that a bug of ours was met with; `-v` shows where."""
    show_trace(host, error)
    return Failed(host, f"{place(error)} while {doing}; please report this with what -v shows")


def show_trace(host: str, error: Exception) -> None:
    """Show with `-v` where it struck; for what may be a bug, and may be a strange answer of a server."""
    _log.info("%s: %s", host, trace(error))


def report(error: BaseException) -> None:
    """Show where a bug struck that ended the command, with `-v` alone."""
    _log.info("%s", trace(error))


def place(error: BaseException) -> str:
    """``KeyError at winrm.py:51``: the exception's type, and the last place of our own that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    last = (ours or frames)[-1:]
    return type(error).__name__ + "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in last)


def trace(error: BaseException) -> str:
    """The traceback without messages, those of the causes first."""
    return "\n\n".join(
        "".join(["Traceback (most recent call last):\n", *traceback.format_tb(one.__traceback__), type(one).__name__])
        for one in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception behind its causes. Once each: a chain can be made to meet itself."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and all(one is not other for other in seen):
        seen.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    yield from reversed(seen)
