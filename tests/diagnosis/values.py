"""Values to build tests of the diagnosis from."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from remediate.diagnose.iis_log import Line, watch
from remediate.diagnose.server_index import ServerIndex, server_index
from remediate.diagnose.streams import streams_of
from remediate.values.diagnoses import Stream
from remediate.values.fleet import Inspection, Pool
from remediate.values.logs import LoggedException, Request, WorkerEvent, WorkerEventKind
from remediate_lab.clock.world import EVERY_RECYCLE
from tests.unit.values import host, pool

BEGIN = datetime(2026, 11, 9, 4, 0, tzinfo=UTC)
SHOP = "Site/0"
# Seconds between the errors of a pool with the default idle time-out.
STARTS_APART = 1262.0


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def error(seconds: float, **others: Any) -> LoggedException:
    """The fault's exception with its frames, but for what is named."""
    settings: dict[str, Any] = {"code": "0x80070032", "raised": True, "flushed": True, "application": SHOP}
    return LoggedException(time=at(seconds), **(settings | others))


def event(seconds: float, kind: WorkerEventKind = "idle-stop", pool: str | None = "Shop", **others: Any) -> WorkerEvent:
    return WorkerEvent(time=at(seconds), id=0, kind=kind, pool=pool, **others)


def request(seconds: float, path: str = "/0/orders") -> Request:
    return Request(time=at(seconds), path=path)


def fully_logged(**values: str) -> Pool:
    """A pool of which Windows logs everything, but for what is named; attributes with __ for the dot."""
    logged = {
        "processModel.logEventOnProcessModel": "IdleTimeout",
        "recycling.logEventOnRecycle": ", ".join(EVERY_RECYCLE),
        "recycling.periodicRestart.time": "1.05:00:00",
    }  # fmt: skip
    return pool("Shop", logged | {name.replace("__", "."): text for name, text in values.items()})


def streams(
    errors: Iterable[LoggedException],
    events: Sequence[WorkerEvent] = (),
    requests: Sequence[Request] | None = None,
    inspections: Sequence[Inspection] = (),
) -> tuple[Stream, ...]:
    """The whole pure way."""
    known: ServerIndex = server_index(inspections, "web01")
    lines = (
        Line(one, "web01", known.serving("web01", one.site, one.path), known.logging("web01", one.site))
        for one in requests or ()
    )
    return streams_of(errors, events, (), known, None if requests is None else lambda watches: watch(lines, watches))


def one_stream(*arguments: Any, **others: Any) -> Stream:
    (stream,) = streams(*arguments, **others)
    return stream


def server(*pools: Pool) -> Inspection:
    return host("web01", *pools)
