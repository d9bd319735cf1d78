"""The logs of IIS's web sites in W3C format. Their times are UTC.

`#Fields:` may come again and be another; a line is read by the last one before it. A line with another number of
values is counted as unparsed. Values are told apart by one space, and a user agent has `+` for its spaces.

HTTP.sys, the FTP service and others write W3C logs too, often beside these. None of their lines is a request here: see
`site_log.py`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from remediate.iis.local import is_local
from remediate.logs.origin import is_preload
from remediate.logs.site_log import other_w3c
from remediate.logs.tally import Tally
from remediate.logs.window import Window
from remediate.values.logs import Request

_FIELDS = (
    "date", "time", "s-sitename", "s-computername", "cs-uri-stem", "sc-status", "c-ip", "cs(User-Agent)",
)  # fmt: skip


def requests(window: Window, tally: Tally) -> Iterator[Request]:
    """The requests, one after the other; the window has ended when they have."""
    layout = _Layout("", "")
    software = day = ""
    for read in window.each_line():
        line = read.decode(errors="replace")
        if line.startswith("#"):
            name, _, value = line.partition(":")
            if name == "#Software":
                software, layout = value, _Layout("", "")
            elif name == "#Fields":
                layout = _Layout(software, value)
            elif name == "#Date":
                day = value.strip()[:10]
        elif line:
            request = layout.request(line.split(" "), day)
            if request is None:
                tally.unparsed += 1
            else:
                yield request


class _Layout:
    """Where the values stand by the last `#Fields:` line."""

    def __init__(self, software: str, fields: str) -> None:
        names = fields.split()
        # No line has so many values as a layout that is no site's.
        self._count = len(names) if other_w3c(software, names) is None else -1
        # The place after the last value is that of all fields that are not logged.
        self._date, self._time, *self._others = (names.index(f) if f in names else len(names) for f in _FIELDS)
        self._last: tuple[str, str, datetime | None] = "", "", None

    def request(self, values: list[str], day: str) -> Request | None:
        """A field that is not logged, or has no value (`-`), is not told."""
        if len(values) != self._count:
            return None
        values.append("-")
        time = self._moment(day if values[self._date] == "-" else values[self._date], values[self._time])
        if time is None:
            return None
        site, host, path, status, client, agent = (None if (v := values[i]) == "-" else v for i in self._others)
        return Request(
            time=time, host=host, site=site, path=path or "",
            status=int(status) if status is not None and status.isdecimal() and len(status) < 10 else None,
            local=is_local(client), preload=is_preload(agent),
        )  # fmt: skip

    def _moment(self, date: str, clock: str) -> datetime | None:
        """Most lines have the same second as the one before them."""
        if (date, clock) != self._last[:2]:
            try:
                time = datetime.fromisoformat(f"{date} {clock}").replace(tzinfo=UTC)
            except ValueError:
                return None
            self._last = date, clock, time
        return self._last[2]
