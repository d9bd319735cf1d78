"""From wall clocks to UTC, by a zone that a person gives.

Where the clocks were put back, an hour is there twice: which one is meant is told by the order of the log, and where
that does not tell, the time is not known. An hour that was left out has no time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from remediate.errors import RemediateError
from remediate.values.logs import Occurrence, WorkerEvent

# Threads that write at once may be out of order by so much.
_SLACK = timedelta(seconds=5)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


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


def in_zone(occurrences: Sequence[Occurrence], zone: tzinfo) -> tuple[Occurrence, ...]:
    """The occurrences of one log, in its order, with times in UTC."""
    moments = to_utc([occurrence.time for occurrence in occurrences], zone)
    return tuple(replace(o, time=moment) for o, moment in zip(occurrences, moments, strict=True))


def events_in_zone(events: Sequence[WorkerEvent], zone: tzinfo) -> tuple[WorkerEvent, ...]:
    """The events of one export, in its order, with times in UTC; without those whose time is not known."""
    moments = to_utc([event.time for event in events], zone)
    return tuple(replace(e, time=moment) for e, moment in zip(events, moments, strict=True) if moment is not None)


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
