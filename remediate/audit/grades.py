"""How sure a finding is, and why: what the settings say, and what the server's event logs tell. Pure.

Settings alone are *possible*; all that sends the start-up request makes *likely*, and so do idle stops that follow each
other at the idle time-out. Only the exception itself, with its frames and right after its pool's worker was started
anew, makes *confirmed*. What Windows did not log is not checkable, and never "did not happen".
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from remediate.diagnose.attribution import IDLE_STOPS
from remediate.iis.attributes import IDLE_ACTION, IDLE_TIMEOUT, ends_when_idle, seconds
from remediate.iis.codes import FAULT
from remediate.iis.events import LOG_IDLE, LOG_RECYCLE, MEANING
from remediate.iis.frames import STREAMS
from remediate.iis.names import fold
from remediate.values.findings import Grade
from remediate.values.fleet import Inspection, Pool
from remediate.values.logs import EventLog, Evidence, Occurrence, WorkerEvent

# An idle worker is stopped at its time-out, or up to two minutes later; then it takes a while to start.
_LATE, _SLACK = timedelta(minutes=2), timedelta(seconds=30)
_ENOUGH_GAPS = 2
# The start-up request, and its exception, come within that time after the worker's end.
_SOON = timedelta(minutes=1)
_STARTS = {"idle-stop": "an idle stop", "shortened": "an idle stop", "recycle": "a recycle", "boot": "a boot"}
_FRAMES = "RaiseCommunicationError and ExplicitFlush"


@dataclass(frozen=True)
class Told:
    """A server's evidence by pool, the names folded; ``boots`` are about all of them."""

    evidence: Evidence
    events: dict[str, list[WorkerEvent]]
    boots: list[WorkerEvent]
    errors: dict[str, list[Occurrence]]


def sort_out(evidence: Evidence | None) -> Told | None:
    """The evidence by pool."""
    if evidence is None:
        return None
    told = Told(evidence, defaultdict(list), [], defaultdict(list))
    for event in evidence.events:
        (told.boots if event.pool is None else told.events[fold(event.pool)]).append(event)
    for error in evidence.errors:
        if error.pool is not None:
            told.errors[fold(error.pool)].append(error)
    return told


def grade(host: Inspection, pool: Pool, told: Told | None) -> tuple[Grade, tuple[str, ...]]:
    """The grade of a pool at risk, with its reasons in plain words."""
    by_settings, why = _by_settings(host, pool)
    if told is None:
        return by_settings, why
    confirmed, of_errors = _by_errors(told, pool)
    if confirmed:
        return "confirmed", (*of_errors, *why)
    likely, of_stops = _by_stops(told, pool)
    sure: Grade = "likely" if likely else by_settings
    return sure, (*of_stops, *of_errors, *why, *_not_checkable(told.evidence, pool, bool(of_errors)))


def _by_settings(host: Inspection, pool: Pool) -> tuple[Grade, tuple[str, ...]]:
    """*likely* when all that sends the start-up request is there."""
    preloading = [a.path for a in pool.applications if a.preloadEnabled and a.preloadEnabled.value == "true"]
    where = f"preloadEnabled on {', '.join(preloading)}"
    if preloading and host.appinit_module and pool.value("managedRuntimeVersion"):
        return "likely", (f"{where}, and the Application Initialization module is there",)
    if preloading:
        return "possible", (where,)
    return "possible", ("no application with preloadEnabled: settings alone",)


def _by_errors(told: Told, pool: Pool) -> tuple[bool, tuple[str, ...]]:
    """Whether the exception came with its frames, and most of them right after a start of the worker."""
    every = [e for e in told.errors[fold(pool.name)] if e.code == FAULT]
    errors = [e for e in every if e.raised and e.flushed]
    # A client with an address of its own, a body being read, a client's own response: those have other causes.
    ours = [e for e in errors if e.local is not False and not e.entity_read and not _of_a_client(e)]
    reasons = []
    starts = [event for event in (*told.events[fold(pool.name)], *told.boots) if event.kind in _STARTS]
    after = Counter(kind for error in ours if (kind := _start_before(error, starts)) is not None)
    confirmed = 0 < len(ours) <= 2 * after.total()
    if ours:
        causes = " and ".join(f"{number} within a minute after {kind}" for kind, number in sorted(after.items()))
        matched = causes or "none within a minute after an idle stop, recycle or boot"
        last = max(error.time for error in ours if error.time)
        reasons.append(f"event 1309 has {FAULT} from ExplicitFlush {_times(len(ours))}, {matched}; last {_at(last)}")
    if len(ours) < len(errors):
        others = _times(len(errors) - len(ours))
        reasons.append(f"event 1309 has {FAULT} {others} for a client's own request, which is another cause")
    if len(errors) < len(every):
        unframed = _times(len(every) - len(errors))
        reasons.append(
            f"event 1309 has {FAULT} {unframed} without {_FRAMES}: its text is cut, or the cause another one"
        )
    return confirmed, tuple(reasons)


def _of_a_client(error: Occurrence) -> bool:
    """Whether its frames speak for a client; some do so only where the request is not told to be the server's own."""
    stream = None if error.streaming is None else STREAMS[error.streaming]
    return stream is not None and (stream.only or error.local is not True)


def _start_before(error: Occurrence, starts: list[WorkerEvent]) -> str | None:
    """What kind of start the error came right after, the nearest one; None for none."""
    near = [s for s in starts if error.time is not None and timedelta(0) <= error.time - s.time <= _SOON]
    return _STARTS[max(near, key=lambda start: start.time).kind] if near else None


def _by_stops(told: Told, pool: Pool) -> tuple[bool, tuple[str, ...]]:
    """Whether the worker was stopped when idle, again and again, at the idle time-out."""
    idle = pool.value(IDLE_TIMEOUT)
    if idle is None or not ends_when_idle(idle, pool.value(IDLE_ACTION)):
        return False, ()
    events = told.events[fold(pool.name)]
    stops = [event.time for event in events if event.kind in IDLE_STOPS]
    least, most = timedelta(seconds=seconds(idle)) - _SLACK, timedelta(seconds=seconds(idle)) + _LATE + _SLACK
    gaps = sum(least <= after - before <= most for before, after in pairwise(stops))
    reasons = []
    if stops:
        how = f"{gaps} of them at the idle time-out after the one before" if gaps else "never at the idle time-out"
        since = _since(told.evidence, "System")
        many = _times(len(stops))
        reasons.append(f"its worker was stopped when idle {many}{since}, {how}; last {_at(stops[-1])}")
    elif _logged(pool, LOG_IDLE, "IdleTimeout") and _readable(told.evidence.logs["System"]):
        reasons.append(f"no idle stop of its worker was logged{_since(told.evidence, 'System')}")
    shortened = sum(event.kind == "shortened" for event in events)
    if shortened:
        reasons.append(f"its idle time-out was shortened {_times(shortened)} because memory ran low: the period varies")
    return gaps >= _ENOUGH_GAPS, tuple(reasons)


def _not_checkable(evidence: Evidence, pool: Pool, errors: bool) -> Iterator[str]:
    """What was not logged, with the setting that would log it; and what the logs no longer hold."""
    if ends_when_idle(pool.value(IDLE_TIMEOUT), pool.value(IDLE_ACTION)) and not _logged(pool, LOG_IDLE, "IdleTimeout"):
        yield f"idle stops are not checkable: {LOG_IDLE} lacks IdleTimeout"
    recycles = [m for m in MEANING.values() if m.attribute == LOG_RECYCLE and not _logged(pool, LOG_RECYCLE, m.flag)]
    if recycles:
        causes, flags = ", ".join(str(m.cause) for m in recycles), ", ".join(str(m.flag) for m in recycles)
        yield f"recycles by {causes} are not checkable: {LOG_RECYCLE} lacks {flags}"
    for name, what in (("System", "idle stops and recycles"), ("Application", "events 1309")):
        yield from _gaps_of(name, evidence.logs[name], evidence, what)
    if not errors and _readable(evidence.logs["Application"]):
        since = _since(evidence, "Application")
        yield f"no event 1309 has the exception{since}, and only unhandled exceptions are logged there"


def _gaps_of(name: str, log: EventLog, evidence: Evidence, what: str) -> Iterator[str]:
    if log.detail is not None:
        yield f"{what} are not fully checkable: {name} log: {log.detail}"
    elif log.oldest is None:
        yield f"{what} are not checkable: the {name} log is empty"
    elif log.oldest > evidence.since:
        yield f"{what} before {_at(log.oldest)} are not checkable: the {name} log reaches back no further"
    if not log.complete:
        yield f"the {name} log has more events than were read: older {what} are not checkable; give fewer --days"


def _readable(log: EventLog) -> bool:
    """Whether what was not read of it was not logged."""
    return log.detail is None and log.oldest is not None and log.complete


def _logged(pool: Pool, attribute: str, flag: str | None) -> bool:
    """Whether the pool's setting has the event logged; an IIS that does not know the setting logs it."""
    value = pool.value(attribute)
    return value is None or flag in [part.strip() for part in value.split(",")]


def _since(evidence: Evidence, log: str) -> str:
    """From when on what is not there was not logged."""
    if not evidence.logs[log].complete:
        return " among the newest events"
    return f" since {_at(max(evidence.since, evidence.logs[log].oldest or evidence.since))}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _at(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC")
