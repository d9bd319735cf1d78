"""The reasons of a verdict in plain words: what its rule saw (verdict.py), and what follows from it. Pure.

What follows are the fixes, with what each ends and leaves, or what to collect.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from remediate.causation import confirming_words
from remediate.diagnose.observations import Cause, Observations
from remediate.iis.codes import CODES, FAULT
from remediate.iis.frames import STREAMS
from remediate.values.diagnoses import Remedy, Symptom, SymptomName
from remediate.values.logs import Source

Symptoms = dict[SymptomName, Symptom]

# What to do where times have no zone.
ZONE_BY = "--time-zone, or --audit with an audit that reports the server's zone"
GIVE_ZONE = f"give {ZONE_BY}"

_STILL = "the error may still come at recycles and with the first request after a start"

# Sources that hold no exception at all, or those alone that no application caught.
_NO_LOGS = ("w3c", "audit", "events")

_CAUSES = {
    "time": "a recycle by time", "requests": "a recycle by the number of requests", "schedule": "a scheduled recycle",
    "virtual-memory": "a recycle by virtual memory", "private-memory": "a recycle by private memory",
    "administrator": "a recycle by an administrator", "configuration": "a recycle by a change of the configuration",
    "unhealthy": "a recycle by ISAPI", "inconsistent": "a recycle by an inconsistent configuration store",
    "recycle": "a recycle", "boot": "a start of Windows",
    "failure": "a failure of the worker",
}  # fmt: skip


def count(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def minutes(seconds: float) -> str:
    """``21:02`` for 1262 seconds, ``29:00:05`` from an hour on."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    clock = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{clock}" if hours else clock


def moment(time: datetime) -> str:
    """To the second; UTC where a zone is known."""
    if time.tzinfo is None:
        return time.strftime("%Y-%m-%d %H:%M:%S")
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def cause_text(cause: Cause) -> str:
    return _CAUSES.get(cause.why, cause.why)


def seen(symptoms: Symptoms) -> tuple[str, ...]:
    return tuple(name for name, symptom in symptoms.items() if symptom.state == "seen")


def contradicted(symptoms: Symptoms) -> tuple[str, ...]:
    return tuple(f"{name}: {s.text}" for name, s in symptoms.items() if s.state == "contradicted")


def median_gap(observed: Observations) -> float:
    """The median gap between starts, in seconds."""
    return median((late - early).total_seconds() for early, late in pairwise(observed.starts))


def exception(observed: Observations) -> str:
    frames = " with RaiseCommunicationError and ExplicitFlush" if observed.framed else ""
    part = (
        f", in {len(observed.starts)} of {observed.apart} starts: the others came otherwise" if observed.apart else ""
    )
    return f"{count(observed.count, 'error')} {observed.code}{frames}{part}"


def frames(observed: Observations) -> tuple[str, ...]:
    """What the frames say against the fault, whatever outweighs it."""
    if observed.streaming is None:
        return ()
    stream, against = STREAMS[observed.streaming], "its frames speak against this fault"
    if stream.only:
        return (f"{against}: they write to {stream.what}, which a client opens and a start-up request does not",)
    return (
        f"{against}: they write {stream.what}, as for a client; a start-up request does so only where its page does",
    )


def of_code(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    known = CODES.get(observed.code)
    usual = "this code is not known here" if known is None else f"{known.name}: usually {known.cause}"
    return (f"not the code of this fault, {FAULT}; {usual}",)


def of_mode(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    mode = "" if observed.settings is None else observed.settings.mode
    return (
        f"the pool's startMode is {mode}: that is not the setting that causes this fault",
        "if it was set so after these errors: give an audit from before",
    )


def of_stack(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    log = "the log has no stack" if observed.stack == "none" else "the log has not the whole stack"
    return (
        f"{log}: the code alone does not show whether RaiseCommunicationError and ExplicitFlush raised it",
        "have the application log the whole exception, with its stack (in .NET its ToString()), and diagnose that log",
    )


def of_few(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    assert observed.events is not None
    starts = count(observed.events.covered, "start")
    return (
        f"an event explains only {observed.events.explained} of {starts} with errors, and Windows logs all events of "
        f"this pool that could",
    )


def of_events(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    assert observed.events is not None
    starts, chance = count(observed.events.covered, "start"), observed.events.chance
    share = f"{chance:.1%}" if chance >= 0.001 else "under 0.1%"
    return (
        f"{observed.events.confirming} of {starts} with errors came {confirming_words()} in the event log; an event "
        f"would explain {share} of random times",
    )


def of_iis_log(observed: Observations, symptoms: Symptoms) -> tuple[str, ...]:
    assert observed.settings is not None
    fits = "the requests came from the server itself"
    if symptoms["periodic"].state == "seen":
        fits = f"the times fit its idle time-out of {minutes(observed.settings.idle)}"
    return (
        f"the IIS log has no request at the errors' times, the pool {observed.settings.pool} is AlwaysRunning, and "
        f"{fits}",
    )


def of_gaps(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    return (f"half of the gaps are under {minutes(median_gap(observed))} and none comes again and again: too often",)


def of_job(observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    assert observed.period is not None
    return (
        f"each {minutes(observed.period.seconds)}, always at the same minutes of the clock: so does a job; an idle "
        f"time-out drifts, and no pool is recycled so often",
    )


def of_seen(_observed: Observations, symptoms: Symptoms) -> tuple[str, ...]:
    return (f"{' and '.join(seen(symptoms))}: seen; nothing that could be checked speaks against it",)


def of_nothing(_observed: Observations, _symptoms: Symptoms) -> tuple[str, ...]:
    return ("the exception is that of this fault, and of others too; none of this fault's symptoms was seen",)


def of_client(_observed: Observations, symptoms: Symptoms) -> tuple[str, ...]:
    found = seen(symptoms)
    return (f"{' and '.join(found)}: seen, which does not outweigh that",) if found else of_nothing(_observed, symptoms)


def fixed(*words: str) -> Callable[[Observations, Symptoms], tuple[str, ...]]:
    return lambda _observed, _symptoms: words


def attributed(observed: Observations) -> Iterator[str]:
    """Which pools it may be of, and what came before the errors."""
    if observed.settings is None and observed.candidates:
        names = [f"{pool.pool} ({pool.idle_text})" for pool in observed.candidates[:5]]
        more = ["..."] if len(observed.candidates) > 5 else []
        yield f"the log does not name the pool; AlwaysRunning are: {', '.join(names + more)}"
    recycles = sorted({cause_text(cause) for cause in observed.causes if cause.kind == "recycle"})
    if recycles:
        yield f"after: {', '.join(recycles)}"


def settings_of(observed: Observations) -> Iterator[str]:
    """The pool's settings that count here."""
    settings = observed.settings
    if settings is None:
        return
    idle = f"idleTimeout {settings.idle_text}{', Suspend' if settings.suspends else ''}"
    preload = "an application with preloadEnabled" if settings.preloading else "no application with preloadEnabled"
    yield f"pool {settings.pool}: {settings.mode}, {idle}, {preload}"


def fixes(observed: Observations, symptoms: Symptoms) -> Iterator[Remedy]:
    """Periodic: either fix; at recycles and starts only: on-demand or the filter. What is set already is left out."""
    idle = observed.idle
    if _is_periodic(observed, symptoms):
        if idle != 0:
            yield "idle-timeout"
        yield "on-demand"
    else:
        yield "on-demand"
        yield "log-filter"


def _is_periodic(observed: Observations, symptoms: Symptoms) -> bool:
    if symptoms["periodic"].state == "seen" or any(cause.kind == "idle" for cause in observed.causes):
        return True
    at_recycles = symptoms["after-recycle"].state == "seen"
    return bool(observed.idle) and not at_recycles


def to_collect(observed: Observations, symptoms: Symptoms) -> Iterator[str]:
    """What would make it determined, of what was not given. Without the stack nothing else would."""
    if not observed.framed:
        return
    wanted = (
        (
            not observed.zoned,
            f"the time zone of the log ({ZONE_BY})",
        ),
        (observed.events is None or not observed.events.covered, "the System event log of the errors' days (--events)"),
        (observed.lines is None or not observed.lines.checked, "the IIS log of the errors' days (--iis-log)"),
        (observed.settings is None, "the pool's settings (--audit)"),
        (symptoms["local-request"].state == "not-checkable", "the client's address and user agent, in the log"),
    )
    missing = [what for lacks, what in wanted if lacks]
    yield f"to collect: {'; '.join(missing) or 'logs of a longer time'}"


def _on_demand(observed: Observations, what: str) -> str:
    """What the fix ends. Whether a preload comes under OnDemand too is not known, and Microsoft's own pages differ."""
    if observed.settings is None:
        return f"on-demand ends {what} where no application preloads; where one does, {_STILL}"
    if not observed.settings.preloading:
        return f"on-demand ends {what}"
    ends = "on-demand ends the periodic errors" if what == "both" else "on-demand starts no worker by itself"
    return f"{ends}, but an application preloads: {_STILL}"


def advice(observed: Observations, chosen: tuple[Remedy, ...]) -> Iterator[str]:
    """What each fix ends and leaves, and what to look at before it."""
    recycles = any(cause.kind == "recycle" for cause in observed.causes)
    if "idle-timeout" in chosen:
        left = "leaves those at recycles and starts" if recycles else "would leave any at recycles and starts"
        yield f"idle-timeout ends the periodic errors and {left}; {_on_demand(observed, 'both')}"
    elif "log-filter" in chosen:
        yield f"{_on_demand(observed, 'them')}; where the pool must stay warm, log-filter hides them in the log"
    elif observed.idle == 0:
        yield "the pool's idle time-out is 0 now: what is left is at recycles and starts"
    if observed.settings is not None:
        return
    if observed.servers and not observed.audited:
        which = "the log names no server" if observed.host is None else "its server is not in it"
        yield f"the audit has {count(observed.servers, 'server')}, and {which}: give --host, as the audit names it"
    yield "look at the pool's settings before you change it: `remediate audit`"


def unread(sources: Iterable[Source]) -> str | None:
    """Why it means nothing that no exception was found; None where it does: logs were read, and understood."""
    logs = [source for source in sources if not source.kind.startswith(_NO_LOGS)]
    missed = sum(source.unparsed for source in logs)
    if not any(source.lines for source in logs):
        return "no line of an application's log is in it, where those that an application catches are: give a LOG"
    lost = sum(source.damage is not None for source in logs)
    if lost:
        return f"{lost} of the logs could not be read whole"
    return f"{missed} entries of the logs that may hold one were not understood" if missed else None
