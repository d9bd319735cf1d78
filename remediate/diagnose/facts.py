"""All that is known of one stream of errors, as numbers: what the symptoms and the verdict are made from."""

from datetime import datetime

from msgspec import Struct

from remediate.causation import Cover
from remediate.diagnose.attribution import Cause
from remediate.diagnose.iis_log import LineCheck
from remediate.diagnose.server_index import PoolSettings
from remediate.diagnose.timing import Period
from remediate.iis.codes import FAULT
from remediate.values.logs import StackState, Streaming


class Followed(Struct, frozen=True):
    """``seen`` of ``of`` events of one kind explain an error of the stream."""

    seen: int = 0
    of: int = 0


class EventCheck(Struct, frozen=True, kw_only=True):
    """The stream against a server's events: ``explained`` of the ``covered`` starts have an event that explains them.

    ``confirming`` of these are evidence of the fault (causation.py). ``stops`` came after an idle stop, ``failures``
    after a failure of the worker, the others after a recycle or boot. ``chance`` is how often a random moment would be
    explained. ``idles`` and ``recycles`` look from the events' side, and only where the pool is known.
    """

    cover: Cover
    covered: int = 0
    explained: int = 0
    confirming: int = 0
    stops: int = 0
    failures: int = 0
    chance: float = 0.0
    idles: Followed = Followed()
    recycles: Followed = Followed()
    shortened: int = 0


class Facts(Struct, frozen=True, kw_only=True):
    """One stream. ``starts`` are its bursts' first times, ``causes`` what each came after.

    ``framed`` is whether RaiseCommunicationError and ExplicitFlush stand in its stacks, ``entity_read`` whether
    ReadEntityCoreSync does; ``stack`` whether they could be there; ``streaming`` what its frames say of the response.
    ``local`` and ``remote`` count the errors whose request is told to be from the server
    itself or from elsewhere, ``preload`` those with the user agent of Application Initialization. ``zoned``: its times
    have a zone. ``audited``: an audit tells of the server, and ``servers`` of how many it tells; where the pool is not
    known, ``candidates`` are its pools with the fault's settings. ``events`` and ``lines`` are None where there were
    none to check. ``apart``: the stream is a part of so many starts of its application, told apart by what they came
    after. ``by_the_clock``, ``own_clock``: see timing.py.
    """

    host: str | None = None
    application: str | None = None
    pool: str | None = None
    code: str = FAULT
    count: int = 1
    framed: bool = True
    entity_read: bool = False
    stack: StackState = "whole"
    streaming: Streaming | None = None
    local: int = 0
    remote: int = 0
    preload: int = 0
    zoned: bool = True
    starts: tuple[datetime, ...] = ()
    causes: tuple[Cause, ...] = ()
    periods: tuple[Period, ...] = ()
    by_the_clock: bool = False
    own_clock: bool = False
    settings: PoolSettings | None = None
    audited: bool = False
    servers: int = 0
    candidates: tuple[PoolSettings, ...] = ()
    events: EventCheck | None = None
    lines: LineCheck | None = None
    apart: int | None = None

    @property
    def idle(self) -> int | None:
        """The pool's idle time-out in seconds; 0: never; None: not known."""
        return None if self.settings is None else self.settings.idle

    @property
    def has_own_marks(self) -> bool:
        """Whether a request of the stream is shown to be IIS's own."""
        return self.local + self.preload > 0

    @property
    def period(self) -> Period | None:
        """The surest."""
        return self.periods[0] if self.periods else None
