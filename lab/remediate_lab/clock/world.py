"""What goes in: the pools as IIS means their settings, the span of time, and what befalls the server in it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from remediate.values.logs import RecycleCause

# What logEventOnRecycle calls a cause, and the event's id.
FLAGS: dict[RecycleCause, tuple[str, int]] = {
    "time": ("Time", 5074),
    "requests": ("Requests", 5075),
    "schedule": ("Schedule", 5076),
    "virtual-memory": ("Memory", 5077),
    "unhealthy": ("IsapiUnhealthy", 5078),
    "administrator": ("OnDemand", 5079),
    "configuration": ("ConfigChange", 5080),
    "private-memory": ("PrivateMemory", 5117),
    # Logged whatever the flags say.
    "inconsistent": ("", 5081),
}
# The default before IIS 10; there it is all of them.
LOGGED = ("Time", "Memory", "PrivateMemory")
EVERY_RECYCLE = tuple(flag for flag, _ in FLAGS.values() if flag)


class App(Struct, frozen=True):
    """An application: site and virtual path, ``Default Web Site/shop``; the site's number; preloadEnabled."""

    path: str
    site: int = 1
    preload: bool = False

    @property
    def virtual_path(self) -> str:
        """``/shop``, or ``/``."""
        return "/" + self.path.partition("/")[2]


class PoolSettings(Struct, frozen=True, kw_only=True):
    """One pool's effective settings. Times are in seconds, 0 is never; ``schedule`` counts from the local midnight.

    ``managed``: it runs managed code. ``appinit``: the server has the Application Initialization module.
    ``runs``: the pool is started.
    """

    name: str
    always_running: bool = False
    idle_timeout: int = 20 * 60
    suspends: bool = False
    restart_after: int = 29 * 3600
    schedule: tuple[int, ...] = ()
    logged: tuple[str, ...] = LOGGED
    logs_idle_stops: bool = True
    overlaps: bool = True
    rotates_on_change: bool = True
    managed: bool = True
    appinit: bool = True
    runs: bool = True
    applications: tuple[App, ...] = ()

    @property
    def preloading(self) -> tuple[App, ...]:
        """The applications to which IIS sends a request of its own when an AlwaysRunning pool starts.

        Whether it does so under OnDemand is disputed; the lab plays that it does not.
        """
        return tuple(app for app in self.applications if self.always_running and self.appinit and app.preload)


IncidentKind = RecycleCause | Literal["boot", "failure", "shortage"]


class Incident(Struct, frozen=True, kw_only=True):
    """Something that happens to a pool, or with ``pool`` None to the server.

    ``boot``: the server is down for the ``minutes`` before. ``shortage``: memory is short for the ``minutes`` after,
    and the idle time-out is cut to ``cut`` seconds (dynamic idle). ``failure``: of a worker. Else a recycle.
    """

    time: datetime
    kind: IncidentKind
    pool: str | None = None
    minutes: int = 2
    cut: int = 5 * 60


class Span(Struct, frozen=True):
    """From ``begin``, up to and without ``end``; both in UTC."""

    begin: datetime
    end: datetime
