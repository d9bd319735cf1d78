"""From wall clocks to UTC, by a zone that a person gives or the server reports.

Where the clock was put back, it showed an hour twice. The order of the log decides which of the two is meant. Where
the order leaves both possible, the time is ambiguous: it counts as not known, and is compared with nothing. So is a
time that the clock never showed, because it was put forward.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from remediate.errors import RemediateError
from remediate.logs.logs import LogReading
from remediate.values.logs import LoggedException, WorkerEvent

# Threads that write at once may be out of order by so much.
_SLACK = timedelta(seconds=5)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


class Zone(Struct, frozen=True):
    """A time zone, its name as `parse_zone` takes it, and what gave it: the option --time-zone, or the audit."""

    name: str
    zone: tzinfo
    given_by: Literal["option", "audit"]


# The zone of a server's wall clock by the name that its log has of it, if any; None: not known.
ZoneOf = Callable[[str | None], Zone | None]


def parse_zone(text: str) -> tzinfo:
    """``UTC``, an offset (``+02:00``), or a name (``Europe/Berlin``); RemediateError for anything else."""
    if text.upper() in ("UTC", "Z"):
        return UTC
    if match := _OFFSET.fullmatch(text):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        if offset <= timedelta(hours=14) and int(match[3] or 0) < 60:
            return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RemediateError(f"{text}: no time zone; give UTC, an offset (+02:00) or a name (Europe/Berlin)") from error


def is_naive(time: datetime | None) -> bool:
    """Whether it is a wall clock, without a zone."""
    return time is not None and time.tzinfo is None


def in_utc(reading: LogReading, zone_of: ZoneOf) -> LogReading:
    """The reading with its wall clocks in UTC, each by the zone of the host that its entry names.

    Those of hosts whose zone is not known stay as they are. An event whose time is ambiguous is left out.
    """
    entries: list[LoggedException | WorkerEvent] = [*reading.occurrences, *reading.events]
    zones = {one.host: zone_of(one.host) for one in entries if is_naive(one.time)}
    known = {zone for zone in zones.values() if zone is not None}
    if not known:
        return reading
    times = _moments(reading.occurrences, zones, known)
    occurrences = tuple(replace(o, time=time) for o, time in zip(reading.occurrences, times, strict=True))
    times = _moments(reading.events, zones, known)
    events = tuple(replace(e, time=time) for e, time in zip(reading.events, times, strict=True) if time is not None)
    before = sum(one.time is None for one in entries)
    names = sorted({"unknown" if zone is None else zone.name for zone in zones.values()})
    source = replace(
        reading.source, time_zone=", ".join(names),
        time_zone_from=min(zone.given_by for zone in known),
        ambiguous=sum(one.time is None for one in occurrences) - before + len(reading.events) - len(events),
    )  # fmt: skip
    return replace(reading, source=source, occurrences=occurrences, events=events)


def _moments(
    entries: Sequence[LoggedException | WorkerEvent], zones: Mapping[str | None, Zone | None], known: Iterable[Zone]
) -> list[datetime | None]:
    """The times of entries of one log, in its order, in UTC where the zone is known; None is one that is ambiguous."""
    moments = [entry.time for entry in entries]
    for zone in known:
        own = [e.time if not is_naive(e.time) or zones[e.host] == zone else None for e in entries]
        for place, moment in enumerate(to_utc(own, zone.zone)):
            if is_naive(own[place]):
                moments[place] = moment
    return moments


def to_utc(times: Sequence[datetime | None], zone: tzinfo) -> tuple[datetime | None, ...]:
    """The moments of times of one log, in its order; those in UTC already stay, and None is one that is not known."""
    candidates = [_candidates(time, zone) for time in times]
    earliest = _running(candidates, forwards=True)
    latest = _running(candidates, forwards=False)
    return tuple(
        _only(moments) or _only([moment for moment in moments if _is_within(moment, low, high)])
        for moments, low, high in zip(candidates, earliest, latest, strict=True)
    )


def _candidates(time: datetime | None, zone: tzinfo) -> tuple[datetime, ...]:
    """The moments at which the wall clock showed this time, in order."""
    if time is None or time.tzinfo is not None:
        return () if time is None else (time,)
    moments = {time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(m for m in moments if m.astimezone(zone).replace(tzinfo=None, fold=0) == time))


def _running(candidates: Sequence[tuple[datetime, ...]], *, forwards: bool) -> list[datetime | None]:
    """For each time, the bound that those before it (or after it) set: none of them can be later (or earlier)."""
    bounds: list[datetime | None] = []
    bound: datetime | None = None
    for moments in candidates if forwards else reversed(candidates):
        bounds.append(bound)
        within = [m for m in moments if (_is_within(m, bound, None) if forwards else _is_within(m, None, bound))]
        # A time that goes against the order sets no bound: logs of several threads have such.
        if within:
            bound = min(within) if forwards else max(within)
    return bounds if forwards else bounds[::-1]


def _is_within(moment: datetime, low: datetime | None, high: datetime | None) -> bool:
    return (low is None or moment >= low - _SLACK) and (high is None or moment <= high + _SLACK)


def _only(moments: Sequence[datetime]) -> datetime | None:
    return moments[0] if len(moments) == 1 else None
