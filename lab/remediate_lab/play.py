"""`remediate lab play`: hours pass on the simulated servers, in seconds.

The lab has a clock of its own, which each play moves on, up to the real time and never beyond it: `audit --evidence`
asks for the last days by the servers' real clock. A first play of some hours ends at the real time, so what it wrote is
found by the next audit. To show a fix, begin it ``--days`` ago instead: play some hours, plan and apply, play the rest.
A change between two plays shows from where the clock stands.

Each server's applicationHost.config is read as it is when a play begins. Where a pool's settings changed since the last
play, its worker is recycled for that (event 5080), unless disallowRotationOnConfigChange says no; then the old one
keeps its idle time-out. What a change of startMode alone does is not known; the lab plays that it recycles nothing.

Below ``servers/NAME``: ``Logs/app/APPLICATION.log`` (or a folder, with ELMAH), ``Logs/W3SVC1/u_exYYMMDD.log``, and
``Windows/System32/winevt/Logs/System.xml`` and ``Application.xml``. Where the clock stands, and what each pool's worker
was doing, is in the lab's ``clock.json``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from remediate.errors import RemediateError
from remediate.iis.names import iis_key
from remediate.iis.schema import ConfigError
from remediate_lab.chance import Chance
from remediate_lab.clock.history import History
from remediate_lab.clock.life import Worker
from remediate_lab.clock.settings import pool_settings
from remediate_lab.clock.simulation import simulate
from remediate_lab.clock.traffic import TRAFFIC
from remediate_lab.clock.world import Incident, PoolSettings, Span
from remediate_lab.emulated.iis import Iis
from remediate_lab.emulated.inspection import machine_name
from remediate_lab.knobs import read_knobs, write_knobs
from remediate_lab.logs import events, w3c
from remediate_lab.logs.entries import Layout, entries
from remediate_lab.logs.files import LOGS, application_log
from remediate_lab.logs.stack import LANGUAGES
from remediate_lab.time_zone import rules

_CLOCK = "clock.json"
EVENT_LOGS = Path("System32/winevt/Logs")
# How often, on average, in hours: Windows is restarted; somebody recycles one of the pools.
_BOOT, _ADMINISTRATOR = 14 * 24, 7 * 24
# An ordinary line in an application's log about each hour.
_CHATTER = 3600
# Of a first play: so many hours at most; and so many days where it says neither hours nor days.
_MOST, _DAYS = 90 * 24, 14


class Kept(Struct, frozen=True):
    """A pool as the last play left it."""

    settings: PoolSettings
    worker: Worker | None


class Clock(Struct, frozen=True):
    """Where the clock began and where it stands, and the pools by server and name."""

    begun: datetime
    now: datetime
    servers: dict[str, dict[str, Kept]] = {}


class Options(Struct, frozen=True, kw_only=True):
    """``log``: the shape of the applications' logs; None: any, by the seed. ``days``: how long before the real time the
    clock begins; None: so that a first play of some hours ends at it. ``unhandled``: applications catch nothing, so
    that ASP.NET writes event 1309 too. ``zone``: the servers' time zone from now on, as they report it."""

    seed: int = 1
    traffic: str = "office"
    log: str | None = None
    zone: str | None = None
    days: int | None = None
    unhandled: bool = False


class Played(Struct, frozen=True):
    """What a play did. ``left_out``: server -> why its configuration cannot be read."""

    span: Span
    servers: int
    errors: int
    requests: int
    left_out: dict[str, str]


def play(state: Path, hours: float | None, options: Options, real: datetime) -> Played:
    """Move the clock by so many hours, None: to the real time, and write what happened."""
    folders = sorted((state / "servers").glob("*/Windows"))
    if not folders:
        raise RemediateError(f"{state}: no lab there; begin with `remediate lab up --state {state}`")
    begun = real - _first_span(hours, options.days)
    clock = _read(state / _CLOCK) or Clock(begun, begun)
    left = max(0.0, (real - clock.now) / timedelta(hours=1))
    # Also what is no number of hours.
    if not (clock.now <= real if hours is None else 0 < hours <= left + 1e-6):
        raise RemediateError(
            f"the lab's clock stands at {clock.now:%Y-%m-%d %H:%M:%S} UTC and never passes the real time: play at most "
            f"--hours {int(left * 100) / 100:g}, or --to-now; a first play with --days leaves hours for later ones"
        )
    span = Span(clock.now, real if hours is None else clock.now + timedelta(hours=hours))
    # Not by the date: a lab that is played in the same way has the same history, whenever it began.
    seed = f"{options.seed}/{(span.begin - clock.begun) // timedelta(seconds=1)}"
    kept, left_out, errors, requests = {}, {}, 0, 0
    for windows in folders:
        name = windows.parent.name
        if options.zone is not None:
            write_knobs(windows, time_zone=options.zone, time_zone_rules=())
        zone = rules(read_knobs(windows))
        try:
            pools = _pools(windows)
        except (ConfigError, OSError, ValueError) as error:
            left_out[name] = str(error)
            continue
        history, kept[name] = _pass(name, pools, clock.servers.get(name), span, seed, options, zone)
        try:
            _record(windows, pools, history, span, options, zone)
        except OSError as error:
            raise RemediateError(
                f"{windows.parent}: its logs cannot be written, and are not whole now: {error.strerror}; "
                "end the lab and begin anew"
            ) from error
        errors, requests = errors + len(history.errors), requests + len(history.requests)
    _replace(state / _CLOCK, msgspec.json.encode(Clock(clock.begun, span.end, clock.servers | kept)))
    return Played(span, len(kept), errors, requests, left_out)


def _first_span(hours: float | None, days: int | None) -> timedelta:
    """How long before the real time the clock of a new lab begins."""
    if days is not None or hours is None:
        return timedelta(days=_DAYS if days is None else days)
    return timedelta(hours=hours if 0 < hours <= _MOST else _MOST)


def _read(path: Path) -> Clock | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Clock)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise RemediateError(f"{path}: is not the lab's clock; end the lab and begin anew") from error


def _pools(windows: Path) -> list[PoolSettings]:
    knobs = read_knobs(windows)
    if knobs.get("iis_version", "10.0") == "none":
        return []
    return pool_settings(Iis(windows).config, {iis_key(name) for name in knobs.all("stopped")})


def _pass(
    name: str,
    pools: list[PoolSettings],
    before: dict[str, Kept] | None,
    span: Span,
    seed: str,
    options: Options,
    zone: tzinfo,
) -> tuple[History, dict[str, Kept]]:
    """The server's history in that span, and its pools at the end of it."""
    outcome = simulate(
        name, pools, span, seed=seed, traffic=TRAFFIC[options.traffic], zone=zone,
        incidents=[*_changes(pools, before or {}, span), *_incidents(name, pools, span, seed)],
        before=None if before is None else {pool: one.worker for pool, one in before.items()},
    )  # fmt: skip
    return outcome.history, {pool.name: Kept(pool, outcome.workers[pool.name]) for pool in pools}


def _changes(pools: list[PoolSettings], before: dict[str, Kept], span: Span) -> Iterator[Incident]:
    """A recycle for each pool whose settings are others than at the end of the last play."""
    for pool in pools:
        old = before.get(pool.name)
        if old is not None and pool.rotates_on_change and replace(pool, **_start(old.settings)) != old.settings:
            yield Incident(time=span.begin + timedelta(seconds=1), kind="configuration", pool=pool.name)


def _start(settings: PoolSettings) -> dict[str, object]:
    """What may differ without a recycle: the start mode, and what is not the pool's own."""
    return {name: getattr(settings, name) for name in ("always_running", "appinit", "applications", "runs")}


def _incidents(name: str, pools: list[PoolSettings], span: Span, seed: str) -> Iterator[Incident]:
    chance = Chance(seed, name, "incidents")
    time = span.begin
    while (time := time + timedelta(minutes=60)) < span.end:
        if chance.share() * _BOOT < 1:
            yield Incident(time=time - timedelta(minutes=chance.below(50)), kind="boot")
        if pools and chance.share() * _ADMINISTRATOR < 1:
            moment = time - timedelta(seconds=chance.below(3600))
            yield Incident(time=moment, kind="administrator", pool=chance.pick(pools).name)


def _record(
    windows: Path, pools: list[PoolSettings], history: History, span: Span, options: Options, zone: tzinfo
) -> None:
    """Add what happened to the server's files."""
    server, computer = windows.parent, machine_name(windows)
    chance = Chance(options.seed, server.name, "log")
    shape, language = options.log or chance.pick(LOGS), chance.pick(tuple(LANGUAGES))
    layout = Layout(zone=zone, language=language)
    for pool in pools:
        for app in pool.applications if pool.managed else ():
            records = entries(history, computer.partition(".")[0], (app,), span, options.seed, _CHATTER)
            name = _file_name(app.path) + ".log"
            for file, data in application_log(shape, name, records, layout).items():
                _append(server / "Logs" / "app" / file, data)
    for file, lines in w3c.days(history.requests).items():
        _append(server / "Logs" / file, "".join(lines).replace("\n", "\r\n").encode())
    idle = {pool.name: pool.idle_timeout for pool in pools}
    _tell(windows / EVENT_LOGS / "System.xml", events.system(history.logged, computer, idle))
    unhandled = history.errors if options.unhandled else ()
    _tell(windows / EVENT_LOGS / "Application.xml", events.unhandled(unhandled, computer, zone, language))


def _file_name(path: str) -> str:
    """An application's path as a file's name; no two have the same."""
    return quote(path.rstrip("/"), safe=" ()").replace("_", "%5F").replace("%2F", "_")


def _append(path: Path, data: bytes) -> None:
    if data:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)


def _tell(path: Path, more: Iterator[str]) -> None:
    """Add events before the end of the document; whoever reads it meanwhile sees the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(encoding="utf-8") if path.exists() else events.EMPTY
    end = events.EMPTY.splitlines(keepends=True)[-1]
    _replace(path, (old.removesuffix(end) + "".join(more) + end).encode())


def _replace(path: Path, data: bytes) -> None:
    building = path.with_name(path.name + ".new")
    building.write_bytes(data)
    building.replace(path)
