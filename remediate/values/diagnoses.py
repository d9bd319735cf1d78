"""The values of a diagnosis."""

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
    """One of the fault's symptoms.

    ``state``: Whether the symptom was seen, is contradicted, or is not checkable with what was given.
    ``text``: What was seen, or what would make the symptom checkable, for a person.
    """

    state: SymptomState
    text: str


class Attribution(Struct, frozen=True):
    """How many errors of a stream came after what. The first three numbers add up to the stream's ``count``.

    ``idle``: The number of errors after an idle stop.
    ``recycle``: The number of errors after a recycle, a boot or a failure of the worker.
    ``unexplained``: The number of all other errors. Those without a time are among them.
    ``by_gap``: How many of ``idle`` and ``recycle`` are inferred from the time before the error, without an event.
    """

    idle: int = 0
    recycle: int = 0
    unexplained: int = 0
    by_gap: int = 0


class Mark(Struct, frozen=True):
    """A moment of the timeline.

    ``time``: The time of the error or event.
    ``kind``: ``error``, or the kind of the event of the pool or its server.
    """

    time: datetime
    kind: Literal["error"] | WorkerEventKind


class Stream(Struct, frozen=True, kw_only=True):
    """The errors of one code of one application, and what they mean. A part of them with another cause is a stream of
    its own.

    The times of a stream are in UTC where their zone is known. Else they are wall clocks without a zone.

    ``host``: The server: its inventory name where an audit has it, else its name in the logs. None where it is not
        known.
    ``application``: The application as the log names it. None where it is not known.
    ``pool``: The application pool, by the log, the audit or the events. None where it is not known.
    ``code``: The HRESULT of the errors, as in `LoggedException`.
    ``count``: The number of errors. Those without a time are among them.
    ``first``: The time of the first error. None where no error has a time.
    ``last``: The time of the last error. None where no error has a time.
    ``period_seconds``: The period of the errors, in seconds and tenths. None where none was found, or its confidence is
        too low to report.
    ``period_confidence``: The confidence in the period, 0 to 1: one minus an upper bound of the chance that errors at
        random times show such a period. It is 0 where ``period_seconds`` is None.
    ``verdict``: Whether the errors are the fault, see `Verdict`.
    ``attribution``: How many of the errors came after what.
    ``recycle_causes``: How many of the errors in ``attribution.recycle`` had which cause: a `RecycleCause`, ``boot`` or
        ``failure``. Empty where there are none.
    ``symptoms``: The four symptoms by name.
    ``reasons``: Why the verdict is this one, and what follows from it, as texts for a person.
    ``fixes``: What helps against the errors. Empty unless the verdict is ``confirmed`` or ``consistent``.
    ``marks``: The latest moments of the timeline, sorted by time: the errors, and the events around them.
    ``marks_left_out``: The number of earlier moments, which are left out.
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
    """The verdicts on the errors of all logs, by logs, events and settings together.

    ``format``: The kind of the file. A file with another kind is refused.
    ``format_version``: The version of the format. A newer version is refused.
    ``tool_version``: The version of remediate that made the diagnosis.
    ``created_at``: When it was made, in RFC 3339, in UTC, in whole seconds.
    ``sources``: The files that were read. The audit is the last of them, where one was given.
    ``streams``: The streams: those of the fault's code first, then by host, application and pool. Empty where no
        exception was found.
    """

    format: Literal["remediate.diagnosis"] = "remediate.diagnosis"
    format_version: int = 1
    tool_version: str = __version__
    created_at: str
    sources: tuple[LogSource, ...]
    streams: tuple[Stream, ...]
