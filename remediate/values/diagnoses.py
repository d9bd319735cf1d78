"""What logs, events and settings say together."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.logs import Source as LogSource
from remediate.values.logs import WorkerEventKind

# confirmed: the exception with its frames, at times that a second source explains. consistent: all that could be
# checked speaks for it, and a symptom was seen. undetermined: what was read neither shows it nor speaks against it.
# unsupported: what could be checked speaks against it. other-cause: another code, or a client went away.
Verdict = Literal["confirmed", "consistent", "undetermined", "unsupported", "other-cause"]
SymptomName = Literal["after-recycle", "periodic", "local-request", "not-in-iis-log"]
SymptomState = Literal["seen", "contradicted", "not-checkable"]
Remedy = Literal["idle-timeout", "on-demand", "log-filter"]


class Symptom(Struct, frozen=True):
    """One of the fault's symptoms. ``text``: what was seen, or what would make it checkable."""

    state: SymptomState
    text: str


class Attribution(Struct, frozen=True):
    """How many errors followed an idle stop, a recycle or start, or nothing that is known.

    ``by_gap``: how many of the first two are inferred from the time before them; no event tells of them.
    """

    idle: int = 0
    recycle: int = 0
    unexplained: int = 0
    by_gap: int = 0


class Mark(Struct, frozen=True):
    """A moment of the timeline: an error, or an event of the pool or its server."""

    time: datetime
    kind: Literal["error"] | WorkerEventKind


class Stream(Struct, frozen=True, kw_only=True):
    """The errors of one code of one application, and what they mean. ``period_confidence`` is from 0 to 1.

    ``marks`` are the latest, sorted; ``marks_left_out`` are earlier.
    """

    host: str | None = None
    application: str | None = None
    pool: str | None = None
    code: str
    count: int
    first: datetime | None = None
    last: datetime | None = None
    period_seconds: float | None = None
    period_confidence: float = 0.0
    verdict: Verdict
    attribution: Attribution
    recycle_causes: dict[str, int] = {}
    symptoms: dict[SymptomName, Symptom]
    reasons: tuple[str, ...]
    fixes: tuple[Remedy, ...] = ()
    marks: tuple[Mark, ...] = ()
    marks_left_out: int = 0


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What logs, events and settings say together."""

    format: Literal["remediate.diagnosis"] = "remediate.diagnosis"
    format_version: int = 1
    tool_version: str = __version__
    created_at: str
    sources: tuple[LogSource, ...]
    streams: tuple[Stream, ...]
