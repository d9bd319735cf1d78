"""What a server tells of its event logs -> Evidence. It is not to be trusted: shape, ids, codes and sizes are checked.

The error's application is named as the inspection names it (``Default Web Site/shop``) where that is certain, with its
pool; else by the domain that the event names (``/LM/W3SVC/2/ROOT/shop``).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from remediate.iis.events import MEANING
from remediate.iis.names import iis_key
from remediate.values.fleet import Pool
from remediate.values.logs import EventLog, Evidence, LoggedException, Streaming, WorkerEvent

_Time = Annotated[datetime, Meta(tz=True)]
_Name = Annotated[str, Meta(max_length=1024)]


def _in_utc(*times: datetime | None) -> None:
    if any(time is not None and time.utcoffset() for time in times):
        raise ValueError("a time is not in UTC")


class _Log(Struct):
    oldest: _Time | None
    complete: bool
    detail: str | None

    def __post_init__(self) -> None:
        _in_utc(self.oldest)


class _Logs(Struct):
    System: _Log
    Application: _Log


class _Event(Struct):
    time: _Time
    id: int
    pool: _Name | None

    def __post_init__(self) -> None:
        _in_utc(self.time)
        if self.id not in MEANING:
            raise ValueError(f"the event {self.id} was not asked for")


class _Error(Struct):
    time: _Time
    code: Annotated[str, Meta(pattern=r"^0x[0-9A-F]{8}\Z", max_length=10)]
    application: _Name | None
    local: bool | None
    raised: bool
    flushed: bool
    entity_read: bool
    streaming: Streaming | None = None

    def __post_init__(self) -> None:
        _in_utc(self.time)


class EvidenceAnswer(Struct):
    """As IisEvents.psm1 makes it. The bounds are those of what it asks for."""

    since: _Time
    until: _Time
    logs: _Logs
    events: Annotated[tuple[_Event, ...], Meta(max_length=10_000)]
    errors: Annotated[tuple[_Error, ...], Meta(max_length=10_000)]

    def __post_init__(self) -> None:
        _in_utc(self.since, self.until)
        if self.since > self.until:
            raise ValueError("it begins after its end")


def read_evidence(answer: EvidenceAnswer, pools: Iterable[Pool]) -> Evidence:
    """The same in order of time, with what the ids mean, and the pools of the errors' applications."""
    owners = _owners(pools)
    # What was not asked for proves nothing: a clock that was set back, for instance, has events of days to come.
    of_time = [event for event in answer.events if answer.since <= event.time <= answer.until]
    errors = [error for error in answer.errors if answer.since <= error.time <= answer.until]
    # A pool's event without its pool's name could be anybody's.
    events = [e for e in of_time if (e.pool is None) == (MEANING[e.id].kind == "boot")]
    other_time = "are of a time that was not asked for"
    system = _log(
        answer.logs.System,
        (len(answer.events) - len(of_time), other_time), (len(of_time) - len(events), "name no application pool"),
    )  # fmt: skip
    application = _log(answer.logs.Application, (len(answer.errors) - len(errors), other_time))
    return Evidence(
        since=answer.since, until=answer.until, logs={"System": system, "Application": application},
        events=tuple(map(_event, sorted(events, key=lambda event: event.time))),
        errors=tuple(_occurrence(error, owners) for error in sorted(errors, key=lambda error: error.time)),
    )  # fmt: skip


def _log(log: _Log, *left_out: tuple[int, str]) -> EventLog:
    """The log's own trouble, or else how many of its events were left out, and why."""
    reasons = [f"{number} of its events {why}" for number, why in left_out if number]
    detail = "; ".join(reasons) or None if log.detail is None else " ".join(log.detail.split())[:300]
    return EventLog(oldest=log.oldest, complete=log.complete, detail=detail)


def _event(event: _Event) -> WorkerEvent:
    meaning = MEANING[event.id]
    return WorkerEvent(time=event.time, id=event.id, kind=meaning.kind, cause=meaning.cause, pool=event.pool)


def _occurrence(error: _Error, owners: dict[str, tuple[str, str] | None]) -> LoggedException:
    application, pool = owners.get(iis_key(error.application or "")) or (error.application, None)
    return LoggedException(
        code=error.code, time=error.time, raised=error.raised, flushed=error.flushed, entity_read=error.entity_read,
        application=application, pool=pool, local=error.local, source="event 1309", streaming=error.streaming,
        # Without the frames: whether the event's text was cut, as ASP.NET does at about 8,000 characters, is not told.
        stack="whole" if error.raised and error.flushed else "cut",
    )  # fmt: skip


def _owners(pools: Iterable[Pool]) -> dict[str, tuple[str, str] | None]:
    """The domain's name, folded -> the application and its pool; None where two could be meant."""
    owners: dict[str, tuple[str, str] | None] = {}
    for pool in pools:
        for application in pool.applications:
            if application.site is not None:
                # A site's name has no slash; the root application's path is the slash alone.
                path = application.path.partition("/")[2]
                key = iis_key(f"/LM/W3SVC/{application.site}/ROOT{'/' if path else ''}{path}")
                owners[key] = None if key in owners else (application.path, pool.name)
    return owners
