"""The grade of a finding with its reasons, by the settings and by the server's event logs. Pure.

A pool is *possible* by its settings alone. It is *likely* if all that sends the start-up request is there, or if idle
stops follow each other at the idle time-out. It is *confirmed* if the diagnosis of the same evidence confirms it, by
the rules of causation.py. An event that Windows did not log is not checkable, and is never reported as "did not
happen".
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from remediate.causation import IDLE_STOPS, explained, words
from remediate.diagnose.streams import of_evidence_alone
from remediate.diagnose.thresholds import ENOUGH_GAPS, JITTER, STOP_SLACK
from remediate.iis.attributes import IDLE_ACTION, IDLE_TIMEOUT, ends_when_idle, seconds
from remediate.iis.codes import FAULT
from remediate.iis.events import LOG_IDLE, LOG_RECYCLE, MEANING
from remediate.iis.frames import STREAMS
from remediate.iis.names import iis_key
from remediate.values.findings import Grade
from remediate.values.fleet import Inspection, Pool
from remediate.values.logs import EventLog, Evidence, LoggedException, WorkerEvent

_FRAMES = "RaiseCommunicationError and ExplicitFlush"


@dataclass(frozen=True)
class Known:
    """A server's evidence, by the `iis_key` of each pool. ``boots`` concern all pools, ``confirmed`` holds keys."""

    evidence: Evidence
    events: dict[str, list[WorkerEvent]]
    boots: list[WorkerEvent]
    errors: dict[str, list[LoggedException]]
    confirmed: frozenset[str]


def known(hosts: Sequence[Inspection]) -> dict[str, Known]:
    """The evidence by the name of the host, for the hosts that have evidence."""
    confirmed: dict[str | None, set[str]] = defaultdict(set)
    for stream in of_evidence_alone(hosts):
        if stream.verdict == "confirmed" and stream.pool is not None:
            confirmed[stream.host].add(iis_key(stream.pool))
    return {
        host.host: _by_pool(host.evidence, frozenset(confirmed[host.host]))
        for host in hosts
        if host.evidence is not None
    }


def _by_pool(evidence: Evidence, confirmed: frozenset[str]) -> Known:
    found = Known(evidence, defaultdict(list), [], defaultdict(list), confirmed)
    for event in evidence.events:
        (found.boots if event.pool is None else found.events[iis_key(event.pool)]).append(event)
    for error in evidence.errors:
        if error.pool is not None:
            found.errors[iis_key(error.pool)].append(error)
    return found


def grade(host: Inspection, pool: Pool, known: Known | None) -> tuple[Grade, tuple[str, ...]]:
    """The grade of a pool at risk, with its reasons for a person."""
    by_settings, why = _by_settings(host, pool)
    if known is None:
        return by_settings, why
    of_errors = _of_errors(known, pool)
    if iis_key(pool.name) in known.confirmed:
        unnamed = f"event 1309 has {FAULT} of an application that is not known, after events of this pool"
        return "confirmed", (*(of_errors or (unnamed,)), *why)
    likely, of_stops = _by_stops(known, pool)
    sure: Grade = "likely" if likely else by_settings
    return sure, (*of_stops, *of_errors, *why, *_not_checkable(known.evidence, pool, bool(of_errors)))


def _by_settings(host: Inspection, pool: Pool) -> tuple[Grade, tuple[str, ...]]:
    """The grade is *likely* if all that sends the start-up request is there, else *possible*."""
    preloading = [a.path for a in pool.applications if a.preloadEnabled and a.preloadEnabled.value == "true"]
    where = f"preloadEnabled on {', '.join(preloading)}"
    if preloading and host.appinit_module and pool.value("managedRuntimeVersion"):
        return "likely", (f"{where}, and the Application Initialization module is there",)
    if preloading:
        return "possible", (where,)
    return "possible", ("no application with preloadEnabled: settings alone",)


def _of_errors(known: Known, pool: Pool) -> tuple[str, ...]:
    """Reasons by the exceptions of the pool. Whether they confirm is not decided here."""
    every = [e for e in known.errors[iis_key(pool.name)] if e.code == FAULT]
    errors = [e for e in every if e.raised and e.flushed]
    # The request of another address, the reading of a request's body, and a client's own response are other causes.
    ours = [e for e in errors if e.local is not False and not e.entity_read and not _of_a_client(e)]
    reasons = []
    times = [error.time for error in ours if error.time is not None]
    if times:
        events = explained(times, (*known.events[iis_key(pool.name)], *known.boots))
        after = Counter(words(event.kind) for event in events if event is not None)
        causes = " and ".join(f"{number} {which}" for which, number in sorted(after.items()))
        matched = causes or "none soon after an event that would explain it"
        reasons.append(
            f"event 1309 has {FAULT} from ExplicitFlush {_times(len(ours))}, {matched}; last {_at(max(times))}"
        )
    if len(ours) < len(errors):
        others = _times(len(errors) - len(ours))
        reasons.append(f"event 1309 has {FAULT} {others} for a client's own request, which is another cause")
    if len(errors) < len(every):
        unframed = _times(len(every) - len(errors))
        reasons.append(
            f"event 1309 has {FAULT} {unframed} without {_FRAMES}: its text is cut, or the cause another one"
        )
    return tuple(reasons)


def _of_a_client(error: LoggedException) -> bool:
    """Whether its frames show a client's response. Some do so only if the request is not known to be the server's."""
    stream = None if error.streaming is None else STREAMS[error.streaming]
    return stream is not None and (stream.only or error.local is not True)


def _by_stops(known: Known, pool: Pool) -> tuple[bool, tuple[str, ...]]:
    """Whether the worker was stopped repeatedly at the idle time-out, and the reasons."""
    idle = pool.value(IDLE_TIMEOUT)
    if idle is None or not ends_when_idle(idle, pool.value(IDLE_ACTION)):
        return False, ()
    events = known.events[iis_key(pool.name)]
    stops = [event.time for event in events if event.kind in IDLE_STOPS]
    least, most = (timedelta(seconds=seconds(idle) + more) for more in (-STOP_SLACK, JITTER + STOP_SLACK))
    gaps = sum(least <= after - before <= most for before, after in pairwise(stops))
    reasons = []
    if stops:
        how = f"{gaps} of them at the idle time-out after the one before" if gaps else "never at the idle time-out"
        since = _since(known.evidence, "System")
        many = _times(len(stops))
        reasons.append(f"its worker was stopped when idle {many}{since}, {how}; last {_at(stops[-1])}")
    elif _logged(pool, LOG_IDLE, "IdleTimeout") and _readable(known.evidence.logs["System"]):
        reasons.append(f"no idle stop of its worker was logged{_since(known.evidence, 'System')}")
    shortened = sum(event.kind == "shortened" for event in events)
    if shortened:
        reasons.append(f"its idle time-out was shortened {_times(shortened)} because memory ran low: the period varies")
    return gaps >= ENOUGH_GAPS, tuple(reasons)


def _not_checkable(evidence: Evidence, pool: Pool, errors: bool) -> Iterator[str]:
    """Reasons for events that are not logged, with the setting that logs them, and for events that the logs lost."""
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
    """Whether the whole log was read, so that an event that was not read was not logged."""
    return log.detail is None and log.oldest is not None and log.complete


def _logged(pool: Pool, attribute: str, flag: str | None) -> bool:
    """Whether the pool's setting has the event logged. A version of IIS without the setting logs it."""
    value = pool.value(attribute)
    return value is None or flag in [part.strip() for part in value.split(",")]


def _since(evidence: Evidence, log: str) -> str:
    """The time from which on a missing event was not logged, in words."""
    if not evidence.logs[log].complete:
        return " among the newest events"
    return f" since {_at(max(evidence.since, evidence.logs[log].oldest or evidence.since))}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _at(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC")
