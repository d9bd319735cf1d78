"""What comes out: everything that happened, also what no log tells. All times are in UTC, to the millisecond."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from remediate.values.logs import RecycleCause, WorkerEvent

# Why a worker process started. request: a client's, in a pool that had none.
StartCause = Literal["idle", "recycle", "boot", "failure", "request"]
# Why an error was logged: the start that the preload request came with, or a client that went away.
ErrorCause = Literal["idle", "recycle", "boot", "failure", "client"]


class Start(Struct, frozen=True, kw_only=True):
    """A worker process started; ``recycle``: why the pool was recycled."""

    time: datetime
    pool: str
    cause: StartCause
    recycle: RecycleCause | None = None


class Error(Struct, frozen=True, kw_only=True):
    """An exception of the application while it wrote to, or read from, a request."""

    time: datetime
    code: str
    cause: ErrorCause
    recycle: RecycleCause | None = None
    pool: str
    application: str
    site: int
    page: str
    client: str
    agent: str


class PlayedEvent(Struct, frozen=True):
    """An event, and whether the pool's flags say that it is logged."""

    event: WorkerEvent
    logged: bool


class Served(Struct, frozen=True, kw_only=True):
    """A client's request as the IIS log has it; ``win32``: sc-win32-status, ``taken``: milliseconds."""

    time: datetime
    pool: str
    application: str
    site: int
    page: str
    client: str
    agent: str
    status: int = 200
    win32: int = 0
    taken: int = 15


class History(Struct, frozen=True, kw_only=True):
    """Each part is in the order of time. The preload request is in none of ``requests``: IIS does not log it."""

    starts: tuple[Start, ...] = ()
    errors: tuple[Error, ...] = ()
    events: tuple[PlayedEvent, ...] = ()
    requests: tuple[Served, ...] = ()

    @property
    def logged(self) -> tuple[WorkerEvent, ...]:
        """The events that the event log holds."""
        return tuple(told.event for told in self.events if told.logged)
