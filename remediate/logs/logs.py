"""One file in, what it tells out. The files are those of `files.find_files`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from remediate.logs.blocks import opened, utf8
from remediate.logs.clef import read_clef, read_json_objects
from remediate.logs.damaged import Damaged
from remediate.logs.elmah import read_elmah
from remediate.logs.elmah_csv import read_elmah_csv
from remediate.logs.event_exports import HELP, NO_EVENTS, other_export
from remediate.logs.event_text import read_event_text
from remediate.logs.events import read_events_json, read_events_xml
from remediate.logs.files import LogFile
from remediate.logs.given import OtherLog
from remediate.logs.kinds import HEAD, Kind, kind_of
from remediate.logs.tally import KEPT, Tally
from remediate.logs.text import read_text
from remediate.logs.timestamps import file_date
from remediate.logs.w3c import requests
from remediate.logs.window import Window
from remediate.logs.wrapped import read_wrapped, wrapping
from remediate.logs.xml_log import read_xml_log
from remediate.values.logs import LoggedException, Request, Source, WorkerEvent


class LogReading(Struct, frozen=True):
    """What a file tells, in its order. A time without a zone is a wall clock of the machine that wrote it."""

    source: Source
    occurrences: tuple[LoggedException, ...]
    events: tuple[WorkerEvent, ...]


_READERS: dict[Kind, Callable[[Window, Tally], None]] = {
    "text": read_text,
    "clef": read_clef,
    "json": read_clef,
    "json-objects": read_json_objects,
    "elmah": read_elmah,
    "elmah-csv": read_elmah_csv,
    "xml-log": read_xml_log,
    "events": read_events_xml,
    "events-json": read_events_json,
    "event-text": read_event_text,
    "wrapped": lambda window, tally: read_wrapped(window, tally, wrapping(window.data[:HEAD].lstrip()) or ""),
}
_EVENTS: tuple[Kind, ...] = ("events", "events-json", "event-text")
# What a query gives that finds no event.
_NOTHING = (b"", b"[]")
# The time of these is UTC, where it has a zone, whether or not anything of ours is in them.
_IN_UTC = ("elmah", "elmah-csv", "event-text", "events", "events-json", "w3c")


def read_log(file: LogFile, kept: int = KEPT) -> LogReading:
    """The exceptions and events of a file of any kind; an IIS log tells neither. RemediateError: it cannot be read.

    Of each code, and of each kind of event, so many are ``kept``; the rest is counted in the source.
    """
    return _read(_blocks(file), file.name, kept)


def read_events(file: LogFile) -> LogReading:
    """The same of an export of Windows events. OtherLog: it is something else, or holds too little."""
    return _read(_blocks(file), file.name, KEPT, only_events=True)


def read_blocks(blocks: Iterable[bytes], name: str, kept: int = KEPT) -> LogReading:
    """The same of a file's bytes, unpacked and in any encoding."""
    return _read(utf8(blocks), name, kept)


def _read(blocks: Iterable[bytes], name: str, kept: int, *, only_events: bool = False) -> LogReading:
    window = Window(blocks)
    tally = Tally(name, file_date(name), kept)
    head = window.fill(HEAD)[:HEAD]
    kind = kind_of(head, name)
    if only_events and head.strip() not in _NOTHING:
        what = other_export(head)
        if kind not in _EVENTS or (kind == "event-text" and what != NO_EVENTS):
            raise OtherLog(name, what, HELP)
    if kind in _READERS:
        _READERS[kind](window, tally)
    occurrences, events = tally.occurrences(), tally.events()
    times = [*(one.time for one in occurrences), *(one.time for one in events)]
    return LogReading(_source(name, kind, window, tally, times), occurrences, events)


class RequestLog:
    """The requests of an IIS log, of its bytes in UTF-8, to be gone through once; then ``source`` is there.

    OtherLog, while going through: it is of another kind, and not empty. RemediateError: it cannot be read.
    """

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self._blocks = blocks
        self._name = name
        self.source: Source | None = None

    def __iter__(self) -> Iterator[Request]:
        window, tally = Window(self._blocks), Tally(self._name)
        head = window.fill(HEAD)[:HEAD]
        kind = kind_of(head, self._name)
        if kind == "w3c":
            yield from requests(window, tally)
        elif head.strip():
            raise _no_site_log(self._name)
        self.source = _source(self._name, kind, window, tally, ())


def read_requests(file: LogFile) -> RequestLog:
    return RequestLog(_blocks(file), file.name)


def site_log(file: LogFile) -> LogFile:
    """The file, if it is the log of a web site, or empty. OtherLog: it is something else. A pipe is not looked at."""
    if not file.once:
        head = Window(_blocks(file)).fill(HEAD)[:HEAD]
        if head.strip() and kind_of(head, file.name) != "w3c":
            raise _no_site_log(file.name)
    return file


def _no_site_log(name: str) -> OtherLog:
    return OtherLog(name, "is no IIS log in W3C format", "; give application logs without --iis-log")


def _source(name: str, kind: Kind, window: Window, tally: Tally, times: Sequence[datetime | None]) -> Source:
    lines = window.lines()
    naive = any(time is not None and time.tzinfo is None for time in times)
    told = not naive and (kind in _IN_UTC or (times and None not in times))
    return Source(
        file=name, kind=kind, lines=lines, damage=window.damage, unparsed=tally.unparsed, left_out=tally.left_out,
        untimed=times.count(None), code_only=tally.code_only, time_zone="UTC" if told else "unknown",
    )  # fmt: skip


def _blocks(file: LogFile) -> Iterator[bytes]:
    """Those of all parts of a file, in UTF-8. Damaged, at the end: what any of them has lost."""
    losses: dict[str, None] = {}
    for path in file.paths or (None,):
        with opened(path) as blocks:
            try:
                yield from utf8(blocks)
            except Damaged as error:
                losses[str(error) if len(file.paths) < 2 else f"{path and path.name}: {error}"] = None
    if losses:
        raise Damaged("; ".join(losses))
