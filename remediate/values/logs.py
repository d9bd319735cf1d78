"""The values that are read from logs and events.

Times with a zone are in UTC. A time without a zone is a wall clock whose zone is not known. It is compared only with
times of its own log.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

# idle-stop: the worker was ended for inactivity. shortened: the idle time-out was cut because memory runs low.
# boot: Windows or its event log started. failure: a worker or pool ended by a fault.
WorkerEventKind = Literal["idle-stop", "recycle", "boot", "failure", "shortened"]
# Why a worker was recycled. iis/events.py has the names that logEventOnRecycle uses.
RecycleCause = Literal[
    "time",
    "requests",
    "schedule",
    "virtual-memory",
    "private-memory",
    "administrator",
    "configuration",
    "unhealthy",
    "inconsistent",
]

# How much of the exception's stack was read. Where it has RaiseCommunicationError, it is whole with the caller's frame.
StackState = Literal["whole", "cut", "none"]
# The kind of a client's response that was being written. iis/frames.py has the frames of each.
Streaming = Literal["signalr-transport", "web-socket", "signalr", "push-stream", "file"]


class LoggedException(Struct, frozen=True, kw_only=True):
    """One exception of the family that its HRESULT tells apart, from a log entry or an event 1309.

    ``code``: The HRESULT: ``0x`` and eight hexadecimal digits in capitals.
    ``time``: The time of the entry. None where it is not recognised, or is ambiguous in the server's zone.
    ``raised``: Whether RaiseCommunicationError is in the stack.
    ``flushed``: Whether ExplicitFlush is in the stack.
    ``entity_read``: Whether ReadEntityCoreSync is in the stack.
    ``stack``: How much of the stack could be read: ``whole``, ``cut`` or ``none``. Unless it is ``whole``, frames may
        be missing for that reason alone. In an audit it is ``cut`` where ``raised`` or ``flushed`` is false.
    ``streaming``: The kind of a client's response that was being written, by the frames. None where they show none.
    ``host``: The server as the entry names it. None where it names none. In an audit None: the report's host is meant.
    ``application``: The application as the entry names it, such as ``/LM/W3SVC/2/ROOT/shop``. In an audit it is the
        ``path`` of an `Application` where that is certain. None where it is not known.
    ``pool``: The application pool. None where it is not known.
    ``local``: Whether the request came from the server itself. None where the entry has no client address.
    ``preload``: Whether the user agent is that of Application Initialization. None where the entry has no user agent.
    ``source``: The name of the file. In an audit ``event 1309``.
    ``line``: The line of the file on which the entry begins, from 1. None in an audit.
    """

    code: str
    time: datetime | None = None
    raised: bool = False
    flushed: bool = False
    entity_read: bool = False
    stack: StackState = "whole"
    streaming: Streaming | None = None
    host: str | None = None
    application: str | None = None
    pool: str | None = None
    local: bool | None = None
    preload: bool | None = None
    source: str = ""
    line: int | None = None


class WorkerEvent(Struct, frozen=True, kw_only=True):
    """One event of the System log about an application pool, or about the server.

    ``time``: The time of the event.
    ``id``: The number of the event, such as 5186.
    ``kind``: What happened, see `WorkerEventKind`.
    ``cause``: Why the worker was recycled. None for every other kind.
    ``host``: The server as the export names it. None where it names none. In an audit None: the report's host is meant.
    ``pool``: The application pool. None for a boot.
    """

    time: datetime
    id: int
    kind: WorkerEventKind
    cause: RecycleCause | None = None
    host: str | None = None
    pool: str | None = None


class Request(Struct, frozen=True, kw_only=True):
    """One line of an IIS (W3C) log, which is never saved. ``time`` is when the answer was sent, in UTC, to the second.

    ``local`` and ``preload`` are as in `LoggedException`. A field that the line does not have is None or empty.
    """

    time: datetime
    host: str | None = None
    site: str | None = None
    path: str = ""
    status: int | None = None
    local: bool | None = None
    preload: bool | None = None


class Source(Struct, frozen=True, kw_only=True):
    """A file that was read for a diagnosis.

    ``file``: The path, or ``standard input``. Several files of ELMAH in one folder are one source, ``.../error-*.xml``.
    ``kind``: The format of the file, by its content. logs/kinds.py has the names. It is ``audit`` for an audit.
    ``lines``: The number of lines that were read.
    ``damage``: What could not be read of the file, for a person. None where the whole file was read.
    ``unparsed``: The number of lines or entries that matter and were not understood.
    ``left_out``: The number of exceptions and events beyond those that are kept of one file.
    ``untimed``: The number of exceptions and events whose time was not recognised. Several of them may be the same one.
    ``code_only``: The number of entries that name the fault's code without an exception's type or stack.
    ``time_zone``: The zone of the times: ``UTC``, an offset such as ``+02:00``, or an IANA name. It is ``unknown``
        where the format and the entries do not determine the zone. Several zones, ``unknown`` among them, are separated
        by commas.
    ``time_zone_from``: What gave the zone of times that have none: ``option`` for --time-zone, ``audit`` for the audit
        of the server. None where nothing gave it, or no time needed it.
    ``ambiguous``: The number of exceptions and events whose time is not known although the zone is, since the server's
        clock showed it twice or never. The events among them are not used.
    """

    file: str
    kind: str
    lines: int
    damage: str | None = None
    unparsed: int = 0
    left_out: int = 0
    untimed: int = 0
    code_only: int = 0
    time_zone: str = "unknown"
    time_zone_from: Literal["option", "audit"] | None = None
    ambiguous: int = 0


class EventLog(Struct, frozen=True, kw_only=True):
    """How much of one event log of a server could be read.

    ``oldest``: The time of the oldest event that the log holds, in UTC. None where the log is empty or cannot be read.
    ``complete``: False where the log may have more events than are read. The oldest of them are left out then.
    ``detail``: Why the log, or some of its events, could not be used. None where nothing was wrong.
    """

    oldest: datetime | None = None
    complete: bool = True
    detail: str | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """What a server's event logs show.

    ``since``: The beginning of the time that was asked for, by the server's clock, in UTC.
    ``until``: The time when the logs had been read, by the server's clock, in UTC.
    ``logs``: How much of each log could be read, by its name: ``System`` and ``Application``.
    ``events``: The worker events of the System log, sorted by time.
    ``errors``: The exceptions of events 1309 in the Application log, sorted by time.
    """

    since: datetime
    until: datetime
    logs: dict[str, EventLog] = {}
    events: tuple[WorkerEvent, ...] = ()
    errors: tuple[LoggedException, ...] = ()
