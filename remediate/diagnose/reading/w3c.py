"""IIS's own logs in W3C format. Their times are UTC.

`#Fields:` may come again and be another; a line is read by the last one before it. A line with another number of
values is counted as unparsed. Values are told apart by one space, and a user agent has `+` for its spaces.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from remediate.diagnose.reading.origin import is_local, is_preload
from remediate.diagnose.reading.tally import Tally
from remediate.diagnose.reading.window import Window
from remediate.evidence import Request

_SITE, _HOST, _PATH, _STATUS, _CLIENT, _AGENT = (
    "s-sitename", "s-computername", "cs-uri-stem", "sc-status", "c-ip", "cs(User-Agent)",
)  # fmt: skip
# No line of a log is as long as that; what is, is one that cannot be understood.
_LONGEST = 1 << 20


def requests(window: Window, tally: Tally) -> Iterator[Request]:
    """The requests, one after the other; the window has ended when they have."""
    fields: list[str] = []
    day = ""
    for line in _lines(window):
        if line.startswith("#"):
            name, _, value = line.partition(":")
            if name == "#Fields":
                fields = value.split()
            elif name == "#Date":
                day = value.strip()[:10]
        elif line:
            request = _request(dict(zip(fields, line.split(" "), strict=False)), day)
            if request is None or line.count(" ") + 1 != len(fields):
                tally.unparsed += 1
            else:
                yield request


def _lines(window: Window) -> Iterator[str]:
    rest = b""
    while window.data or window.more():
        *whole, rest = (rest + window.data).split(b"\n")
        window.drop(len(window.data))
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")
        rest = rest[:_LONGEST]
    if rest:
        yield rest.decode(errors="replace").rstrip("\r")


def _request(values: dict[str, str], day: str) -> Request | None:
    """A field that is not logged, or has no value (`-`), is not told."""

    def value(name: str) -> str | None:
        found = values.get(name, "-")
        return None if found == "-" else found

    try:
        time = datetime.fromisoformat(f"{value('date') or day} {value('time')}")
    except ValueError:
        return None
    status = value(_STATUS)
    return Request(
        time=time.replace(tzinfo=UTC), host=value(_HOST), site=value(_SITE), path=value(_PATH) or "",
        status=int(status) if status is not None and status.isdecimal() else None,
        local=is_local(value(_CLIENT)), preload=is_preload(value(_AGENT)),
    )  # fmt: skip
