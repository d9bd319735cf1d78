"""The values of what logs and events tell, frozen, in the spelling of the files they are saved in.

Times with a zone are in UTC. A time without one is a wall clock whose zone nobody has told yet: it is compared with
times of its own log only.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

# idle-stop: the worker was ended for inactivity. shortened: the idle time-out was cut because memory runs low.
# boot: Windows or its event log started. failure: a worker or pool ended by a fault.
WorkerEventKind = Literal["idle-stop", "recycle", "boot", "failure", "shortened"]
# Why a worker was recycled; what logEventOnRecycle calls them is in iis/events.py.
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

# Whether the exception's stack stands in what was read of it: from RaiseCommunicationError to its caller, if it has it.
StackState = Literal["whole", "cut", "none"]
# Whose response was being written, by the frames below; diagnose/frames.py has them.
Streaming = Literal["signalr-transport", "web-socket", "signalr", "push-stream", "file"]


class LoggedException(Struct, frozen=True, kw_only=True):
    """One exception of the family that is told apart by its HRESULT, as a log entry or an event 1309 tells it.

    ``code`` is ``0x`` and eight digits in capitals. ``raised``, ``flushed`` and ``entity_read`` are whether
    RaiseCommunicationError, ExplicitFlush and ReadEntityCoreSync stand in its stack; where ``stack`` is not whole, they
    may be missing for that. ``streaming``: a client's own response, by its frames. ``local`` is whether its request
    came from the server itself, ``preload`` whether its user agent is Application Initialization's; None: not told.
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
    """One event of the System log about an application pool, or about the server where ``pool`` is None."""

    time: datetime
    id: int
    kind: WorkerEventKind
    cause: RecycleCause | None = None
    host: str | None = None
    pool: str | None = None


class Request(Struct, frozen=True, kw_only=True):
    """One line of an IIS (W3C) log. ``time`` is when the answer was sent, in UTC, to the second."""

    time: datetime
    host: str | None = None
    site: str | None = None
    path: str = ""
    status: int | None = None
    local: bool | None = None
    preload: bool | None = None


class Source(Struct, frozen=True, kw_only=True):
    """A file that was read. ``unparsed``: lines or entries that mattered and could not be understood. ``left_out``:
    exceptions and events beyond those that are kept of one file. ``untimed``: exceptions and events whose time was not
    recognised; several of them may be one. ``code_only``: entries that name the fault's code without an exception's
    type or stack.

    ``damage``: what of the file could not be read, in words; None where it was read whole.

    ``time_zone``: ``UTC``, an offset such as ``+02:00``, an IANA name, or ``unknown``; several of these, separated by
    commas, where the file's entries are of several servers. ``time_zone_from``: where the times have no zone, what gave
    it: the option --time-zone, or the audit of the server. ``ambiguous``: exceptions and events whose time is not known
    all the same, since the server's clock showed it twice or never.
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
    """One event log of a server, as far as it could be asked. ``oldest``: its first event; it holds nothing older.

    ``detail``: why it could not be read, or that there were more events than were asked for.
    """

    oldest: datetime | None = None
    complete: bool = True
    detail: str | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """What a server's event logs tell of ``since`` to ``until``; ``logs`` by name: System, Application."""

    since: datetime
    until: datetime
    logs: dict[str, EventLog] = {}
    events: tuple[WorkerEvent, ...] = ()
    errors: tuple[LoggedException, ...] = ()
