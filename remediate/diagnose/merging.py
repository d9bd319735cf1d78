"""What several sources report of the same server, merged: each error and each event once. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from remediate.causation import Cover
from remediate.diagnose.server_index import ServerIndex
from remediate.diagnose.thresholds import SAME
from remediate.diagnose.timing import sound, time_of
from remediate.values.logs import Evidence, LoggedException, WorkerEvent


class HostEvidence(Struct, frozen=True):
    """``asked``: by the host's name as the source spells it, from when to when its event log was asked, if known."""

    occurrences: tuple[LoggedException, ...] = ()
    events: tuple[WorkerEvent, ...] = ()
    asked: dict[str, Cover] = {}


def of_evidence(host: str, evidence: Evidence) -> HostEvidence:
    """What `audit --evidence` found on one host. Its times are in UTC, whatever a person made of the file."""
    log = evidence.logs.get("System")
    events = [replace(event, host=host, time=time) for event in evidence.events if (time := _utc(event.time))]
    errors = [replace(error, host=host, time=error.time and _utc(error.time)) for error in evidence.errors]
    since, until = _utc(evidence.since), _utc(evidence.until)
    asked: dict[str, Cover] = {}
    if since and until and log is not None and log.detail is None and log.oldest is not None:
        asked[host] = Cover(max(since, _utc(log.oldest) or since), until)
    elif until and events:
        # The log was asked in part: the newest events, as far back as the first of them.
        asked[host] = Cover(min(event.time for event in events), until)
    return HostEvidence(tuple(errors), tuple(events), asked)


def _utc(time: datetime) -> datetime | None:
    return sound(time if time.tzinfo is not None else time.replace(tzinfo=UTC))


class _Part(Protocol):
    """What one source reports."""

    @property
    def occurrences(self) -> tuple[LoggedException, ...]: ...
    @property
    def events(self) -> tuple[WorkerEvent, ...]: ...


def hosts_of(parts: Sequence[_Part]) -> list[str]:
    """The names that errors and events give their servers, each as often as it stands there: those of errors first."""
    names = [error.host for part in parts for error in part.occurrences]
    names += [event.host for part in parts for event in part.events]
    return [name for name in names if name]


def each_error_once(
    logged: Sequence[LoggedException], collected: Iterable[LoggedException]
) -> tuple[LoggedException, ...]:
    """The errors of application logs, and those of event logs that are not among them.

    One that is in both is the log's; what the log leaves out is taken from the event.
    """
    by_code: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for place, one in enumerate(logged):
        time = time_of(one)
        if time is not None and time.tzinfo is not None:
            by_code[one.code].append((time, place))
    for found in by_code.values():
        found.sort()
    errors = list(logged)
    more: list[LoggedException] = []
    taken: set[int] = set()
    for one in collected:
        same = _same(one, by_code.get(one.code, ()), taken)
        if same is None:
            more.append(one)
        else:
            taken.add(same)
            errors[same] = _completed(errors[same], one)
    return (*errors, *more)


def _same(one: LoggedException, times: Sequence[tuple[datetime, int]], taken: set[int]) -> int | None:
    """The place of the nearest error of the log that is this one, and that no other was."""
    time = time_of(one)
    if time is None or time.tzinfo is None:
        return None
    around = bisect_left(times, (time, 0))
    near = [
        (abs((logged - time).total_seconds()), place)
        for logged, place in times[max(0, around - 8) : around + 8]
        if place not in taken
    ]
    distance, place = min(near, default=(SAME + 1, -1))
    return place if distance <= SAME else None


def _completed(error: LoggedException, event: LoggedException) -> LoggedException:
    return replace(
        error,
        host=error.host or event.host,
        application=error.application or event.application,
        pool=error.pool or event.pool,
        local=event.local if error.local is None else error.local,
        preload=event.preload if error.preload is None else error.preload,
        raised=error.raised or event.raised,
        flushed=error.flushed or event.flushed,
        entity_read=error.entity_read or event.entity_read,
        stack="whole" if "whole" in (error.stack, event.stack) else error.stack,
        streaming=error.streaming or event.streaming,
    )


def each_event_once(events: Iterable[WorkerEvent], index: ServerIndex) -> tuple[WorkerEvent, ...]:
    """Each event once, though several files hold it, with its host's name in the index."""
    named = (replace(event, host=index.host(event.host), time=time) for event in events if (time := _utc(event.time)))
    return tuple(dict.fromkeys(named))


def covers(
    events: Iterable[WorkerEvent], asked: Iterable[Mapping[str, Cover]], index: ServerIndex
) -> dict[str | None, Cover]:
    """What the events of each host reach over: from the first to the last, or what the log was asked for."""
    found: dict[str | None, Cover] = {}

    def widen(host: str | None, cover: Cover) -> None:
        held = found.get(host, cover)
        found[host] = Cover(min(held.since, cover.since), max(held.until, cover.until))

    for event in events:
        widen(event.host, Cover(event.time, event.time))
    for of_source in asked:
        for name, cover in of_source.items():
            widen(index.host(name), cover)
    return found
