"""Who asks for what, and when: patterns of requests as a table of streams."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from remediate_lab.chance import Chance
from remediate_lab.clock.moments import HOUR, MINUTE, SECOND, to_time
from remediate_lab.clock.world import App

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
PROBE = "Contoso-Health-Probe/2.1"
_CLIENTS = ("10.20.1.15", "10.20.1.31", "10.20.4.7", "192.0.2.44")
_PAGES = ("", "orders", "orders/4711", "api/items", "styles/site.css", "search")
# What clients that go away leave behind; see IIS.md's table, or diagnose/codes.py.
LEFT = ("0x800704CD", "0x80070057", "0x800703E3")


class Stream(Struct, frozen=True, kw_only=True):
    """Requests of one kind to each pool: one ``every`` so many seconds, or ``per_hour`` on average (at most 60).

    ``hours``: the local hours of the day, from and up to; ``burst``: how many come at once. ``gone``: the part of them
    whose client goes away, which makes the application log one of ``codes``.
    """

    every: int = 0
    per_hour: float = 0
    hours: tuple[int, int] = (0, 24)
    weekdays: bool = False
    burst: int = 1
    clients: tuple[str, ...] = _CLIENTS
    agent: str = BROWSER
    pages: tuple[str, ...] = _PAGES
    gone: float = 0
    codes: tuple[str, ...] = LEFT


_PROBE = Stream(every=60, clients=("10.20.0.9",), agent=PROBE, pages=("health",))
TRAFFIC: dict[str, tuple[Stream, ...]] = {
    "none": (),
    "office": (Stream(per_hour=10, hours=(8, 18), weekdays=True),),
    "random": (Stream(per_hour=1.5),),
    "bursts": (Stream(per_hour=0.5, burst=12),),
    "probe": (_PROBE,),
    "leaving": (Stream(per_hour=6, gone=0.3),),
    # A job of the application's own that fetches a long answer and hangs up: the same code as the fault's.
    "task": (
        Stream(every=1800, clients=("10.20.7.3",), agent="Contoso-Export/1.0", pages=("export",), gone=1,
               codes=("0x80070032",)),
    ),
    "impatient probe": (
        Stream(every=300, clients=("10.20.0.9",), agent=PROBE, pages=("health",), gone=0.5,
               codes=("0x800704CD", "0x80070057")),
    ),
}  # fmt: skip


class Arrival(NamedTuple):
    """A request that was answered ``at`` (milliseconds); ``code``: its client went away, and this was logged."""

    at: int
    app: App
    page: str
    client: str
    agent: str
    code: str | None


def arrivals(
    streams: Iterable[Stream], apps: tuple[App, ...], begin: int, end: int, zone: tzinfo, chance: Chance
) -> list[Arrival]:
    """The requests to the applications of one pool, in order."""
    if not apps:
        return []
    requests = (
        Arrival(
            at, chance.pick(apps), chance.pick(stream.pages), chance.pick(stream.clients), stream.agent,
            chance.pick(stream.codes) if stream.gone and chance.share() < stream.gone else None,
        )
        for stream in streams
        for at in _moments(stream, begin, end, zone, chance)
        if at < end
    )  # fmt: skip
    return sorted(requests, key=attrgetter("at"))


def _moments(stream: Stream, begin: int, end: int, zone: tzinfo, chance: Chance) -> Iterator[int]:
    if stream.every:
        first = begin + chance.below(stream.every * SECOND)
        for at in range(first, end, stream.every * SECOND):
            yield at + chance.below(2 * SECOND)
        return
    for hour in range(begin - begin % HOUR, end, HOUR):
        local = to_time(hour).astimezone(zone)
        if not stream.hours[0] <= local.hour < stream.hours[1] or (stream.weekdays and local.weekday() > 4):
            continue
        # A draw for each minute, and no logarithm: that may differ in its last digit from machine to machine.
        for minute in range(max(hour, begin), min(hour + HOUR, end), MINUTE):
            if chance.share() * 60 < stream.per_hour:
                at = minute + chance.below(MINUTE)
                yield from (at + chance.below(5 * SECOND) for _ in range(stream.burst))
