"""What an audit says of servers, pools and applications, asked by the names that logs use. Pure.

Logs, events and inventories name the same things differently: a server by its short or its full name, an application
by its path, its site's number, or a name of its own. A name is resolved where it can mean one thing only, else not.
"""

import re
from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from remediate.iis.attributes import IDLE_ACTION, IDLE_TIMEOUT, START_MODE, seconds
from remediate.iis.events import LOG_IDLE, LOG_RECYCLE, MEANING
from remediate.iis.names import iis_key
from remediate.iis.time_zone import zone_of
from remediate.values.fleet import Inspection, Pool
from remediate.values.logs import RecycleCause

# What logEventOnRecycle calls the causes.
RECYCLE_FLAGS: dict[RecycleCause, str] = {m.cause: m.flag for m in MEANING.values() if m.cause and m.flag}
RESTART = "recycling.periodicRestart.time"

# `/LM/W3SVC/2/ROOT/shop`, and what ASP.NET adds in the name of an application domain: `-1-133701234567890123`.
_DOMAIN = re.compile(r"/LM/W3SVC/([0-9]{1,10})/ROOT(/.*?)?(?:-[0-9]{1,6}-[0-9]{15,20})?", re.IGNORECASE)
_SITE = re.compile(r"W3SVC([0-9]{1,10})", re.IGNORECASE)
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


class PoolSettings(Struct, frozen=True, kw_only=True):
    """What counts for a diagnosis. ``idle``: after so many seconds an idle worker is ended; 0: never.

    ``logs_idle_stops`` and ``unlogged`` are what Windows logs of this pool; None and empty where the inspection does
    not say.
    """

    pool: str
    mode: str
    idle: int
    idle_text: str
    suspends: bool = False
    managed: bool = True
    preloading: bool = False
    restart: int = 0
    logs_idle_stops: bool | None = None
    unlogged: tuple[RecycleCause, ...] = ()

    @property
    def always_running(self) -> bool:
        return self.mode == "AlwaysRunning"


class Application(Struct, frozen=True):
    """``site`` and ``path`` of `Default Web Site/shop` are `Default Web Site` and `/shop`; ``number`` is the site's."""

    site: str
    path: str
    pool: str
    number: int | None = None


class Server(Struct, frozen=True, kw_only=True):
    """One inspected host. ``zone``: that of its wall clock; with ``zone_warning`` what it reports cannot be used."""

    name: str
    machine: str
    pools: dict[str, PoolSettings]
    applications: tuple[Application, ...]
    zone: ZoneInfo | None = None
    zone_warning: str | None = None


class ServerIndex(Struct, frozen=True):
    """The inspected hosts. ``only``: the host that is meant where nothing names one.

    ``names``: of hosts that were not inspected, by their label, the one name that stands for all spellings.
    ``known``: by each spelling of a name the servers that it may mean, see `_spellings`.
    """

    servers: tuple[Server, ...] = ()
    only: str | None = None
    names: dict[str, str] = {}
    known: dict[tuple[str, str], tuple[Server, ...]] = {}

    def host(self, name: str | None) -> str | None:
        """The inventory's name of that server, or its name in the logs; None where nothing names it."""
        if not name:
            return self.only
        server = self.server(name)
        return self.names.get(label(name), name) if server is None else server.name

    def server(self, name: str | None) -> Server | None:
        wanted = name or self.only
        if wanted is None:
            return None
        # A name of the inventory means that host, whatever other machines are called.
        spellings = (("name", iis_key(wanted)), ("full", iis_key(wanted)), ("label", label(wanted)))
        found = (self.known.get(spelling, ()) for spelling in spellings)
        return next((servers[0] for servers in found if len(servers) == 1), None)

    def settings(self, host: str | None, pool: str | None) -> PoolSettings | None:
        server = self.server(host)
        return None if server is None or pool is None else server.pools.get(iis_key(pool))

    def pool(self, host: str | None, application: str | None) -> str | None:
        """The pool of an application, by whatever name; None where none or several would fit."""
        server = self.server(host)
        if server is None:
            return None
        if application is None:
            found = {app.pool for app in server.applications}
        else:
            named = _named(application)
            found = {app.pool for app in server.applications if _is(app, named)}
            if not found and named.site is None and named.number is None:
                found = {app.pool for app in server.applications if iis_key(named.path).strip("/") in _names(app)}
        return found.pop() if len(found) == 1 else None

    def is_elsewhere(self, host: str | None, application: str | None) -> bool:
        """Whether the audit shows that no pool of the server has the application: its domain is none of theirs."""
        server = self.server(host)
        named = _named(application) if application else None
        if server is None or named is None or named.number is None:
            return False
        return not any(_is(app, named) for app in server.applications)

    def serving(self, host: str | None, site: str | None, path: str) -> frozenset[str]:
        """The pools that may have answered a request for that path, by ``iis_key``; several where it names no site.

        ``site`` is as the IIS log has it: ``W3SVC2``.
        """
        server = self.server(host)
        if server is None:
            return frozenset()
        number = _SITE.fullmatch(site or "")
        asked = iis_key(path).rstrip("/") + "/"
        best: dict[str, Application] = {}
        for app in server.applications:
            own = iis_key(app.path).rstrip("/") + "/"
            held = best.get(app.site)
            other_site = number and app.number is not None and app.number != int(number[1])
            if not other_site and asked.startswith(own) and (held is None or len(own) > len(held.path.rstrip("/")) + 1):
                best[app.site] = app
        return frozenset(iis_key(app.pool) for app in best.values())

    def logging(self, host: str | None, site: str | None) -> frozenset[str] | None:
        """The pools of the site whose IIS log it is, by ``iis_key``; None where the site or its number is not known."""
        server, number = self.server(host), _SITE.fullmatch(site or "")
        if server is None or number is None or any(app.number is None for app in server.applications):
            return None
        return frozenset(iis_key(app.pool) for app in server.applications if app.number == int(number[1]))


def label(name: str) -> str:
    """A server's name without its domain; an address whole."""
    return iis_key(name) if _ADDRESS.fullmatch(name) else iis_key(name).split(".", 1)[0]


class _Named(Struct, frozen=True):
    """What a name says: the site's name or number where it has one, and the virtual path or a name of its own."""

    path: str
    site: str | None = None
    number: int | None = None


def _named(application: str) -> _Named:
    if domain := _DOMAIN.fullmatch(application):
        return _Named(domain[2] or "/", number=int(domain[1]))
    site, slash, path = application.partition("/")
    return _Named(f"/{path}", site) if site and slash else _Named(application or "/")


def _is(app: Application, named: _Named) -> bool:
    if iis_key(app.path).rstrip("/") != iis_key(named.path).rstrip("/"):
        return False
    if named.site is not None:
        return iis_key(named.site) == iis_key(app.site)
    return named.number is None or app.number is None or named.number == app.number


def _names(app: Application) -> frozenset[str]:
    """What an application may call itself in its own log: its path's last part, its site or its pool."""
    return frozenset(iis_key(name) for name in (app.path.rsplit("/", 1)[-1], app.site, app.pool) if name)


def server_index(hosts: Iterable[Inspection], host: str | None = None, named: Collection[str] = ()) -> ServerIndex:
    """Of inspections; ``host``: what a user says that logs without a name are of; ``named``: the names in the logs."""
    servers = tuple(_server(inspection) for inspection in hosts)
    names: dict[str, str] = {}
    for name in named:
        names.setdefault(label(name), name)
    spelled: dict[tuple[str, str], tuple[Server, ...]] = {}
    for server in servers:
        for spelling in _spellings(server):
            spelled[spelling] = (*spelled.get(spelling, ()), server)
    known = ServerIndex(servers, None, names, spelled)
    if host is not None:
        return replace(known, only=known.host(host))
    meant = {known.host(name) for name in named} or {server.name for server in servers}
    return replace(known, only=meant.pop() if len(meant) == 1 else None)


def _spellings(server: Server) -> set[tuple[str, str]]:
    """How logs may write a server's name: as the inventory does, in full, or without its domain."""
    names = (server.name, server.machine)
    return {
        ("name", iis_key(server.name)),
        *(("full", iis_key(n)) for n in names),
        *(("label", label(n)) for n in names),
    }


def _server(inspection: Inspection) -> Server:
    pools = {iis_key(pool.name): pool_settings(pool) for pool in inspection.pools}
    applications = []
    for pool in inspection.pools:
        for app in pool.applications:
            site, _, path = app.path.partition("/")
            applications.append(Application(site, f"/{path}", pool.name, app.site))
    zone, warning = zone_of(inspection.time_zone, inspection.clock)
    return Server(
        name=inspection.host, machine=inspection.machine, pools=pools, applications=tuple(applications),
        zone=zone, zone_warning=warning,
    )  # fmt: skip


def pool_settings(pool: Pool) -> PoolSettings:
    idle_text = pool.value(IDLE_TIMEOUT) or "00:00:00"
    suspends = pool.value(IDLE_ACTION) == "Suspend"
    logged, idle_logged = pool.value(LOG_RECYCLE), pool.value(LOG_IDLE)
    return PoolSettings(
        pool=pool.name,
        mode=pool.value(START_MODE) or "OnDemand",
        idle=0 if suspends else _span(idle_text),
        idle_text=idle_text,
        suspends=suspends,
        managed=pool.value("managedRuntimeVersion") != "",
        preloading=any(a.preloadEnabled is not None and a.preloadEnabled.value == "true" for a in pool.applications),
        restart=_span(pool.value(RESTART)),
        logs_idle_stops=None if idle_logged is None else "IdleTimeout" in _flags(idle_logged),
        unlogged=()
        if logged is None
        else tuple(cause for cause, flag in RECYCLE_FLAGS.items() if flag not in _flags(logged)),
    )


def _span(text: str | None) -> int:
    """Seconds; 0 for what is not there, or means nothing: a saved audit may have been edited."""
    try:
        return seconds(text or "")
    except ValueError:
        return 0


def _flags(text: str) -> set[str]:
    return {flag.strip() for flag in text.split(",")}
