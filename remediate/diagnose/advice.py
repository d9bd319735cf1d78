"""What follows from a verdict: the fixes with what each ends and leaves, or what to collect. Pure, in plain words."""

from collections.abc import Iterator

from remediate.diagnose.observations import Facts
from remediate.diagnose.words import ZONE_BY, cause_text, count
from remediate.values.diagnoses import Remedy, Symptom, SymptomName

Symptoms = dict[SymptomName, Symptom]


def attributed(facts: Facts) -> Iterator[str]:
    """Which pools it may be of, and what came before the errors."""
    if facts.settings is None and facts.candidates:
        names = [f"{pool.pool} ({pool.idle_text})" for pool in facts.candidates[:5]]
        more = ["..."] if len(facts.candidates) > 5 else []
        yield f"the log does not tell the pool; AlwaysRunning are: {', '.join(names + more)}"
    recycles = sorted({cause_text(cause) for cause in facts.causes if cause.kind == "recycle"})
    if recycles:
        yield f"after: {', '.join(recycles)}"


def settings_of(facts: Facts) -> Iterator[str]:
    """The pool's settings that count here."""
    settings = facts.settings
    if settings is None:
        return
    idle = f"idleTimeout {settings.idle_text}{', Suspend' if settings.suspends else ''}"
    preload = "an application with preloadEnabled" if settings.preloading else "no application with preloadEnabled"
    yield f"pool {settings.pool}: {settings.mode}, {idle}, {preload}"


def fixes(facts: Facts, symptoms: Symptoms) -> Iterator[Remedy]:
    """Periodic: either fix; at recycles and starts only: on-demand or the filter. What is set already is left out."""
    idle = facts.idle
    if _is_periodic(facts, symptoms):
        if idle != 0:
            yield "idle-timeout"
        yield "on-demand"
    else:
        yield "on-demand"
        yield "log-filter"


def _is_periodic(facts: Facts, symptoms: Symptoms) -> bool:
    if symptoms["periodic"].state == "seen" or any(cause.kind == "idle" for cause in facts.causes):
        return True
    at_recycles = symptoms["after-recycle"].state == "seen"
    return bool(facts.idle) and not at_recycles


def to_collect(facts: Facts, symptoms: Symptoms) -> Iterator[str]:
    """What would make it determined, of what was not given. Without the stack nothing else would."""
    if not facts.framed:
        return
    wanted = (
        (
            not facts.zoned,
            f"the time zone of the log ({ZONE_BY})",
        ),
        (facts.events is None or not facts.events.covered, "the System event log of the errors' days (--events)"),
        (facts.lines is None or not facts.lines.checked, "the IIS log of the errors' days (--iis-log)"),
        (facts.settings is None, "the pool's settings (--audit)"),
        (symptoms["local-request"].state == "not-checkable", "the client's address and user agent, in the log"),
    )
    missing = [what for lacks, what in wanted if lacks]
    yield f"to collect: {'; '.join(missing) or 'logs of a longer time'}"


_STILL = "the error may still come at recycles and with the first request after a start"


def _on_demand(facts: Facts, what: str) -> str:
    """What the fix ends. Whether a preload comes under OnDemand too is not known, and Microsoft's own pages differ."""
    if facts.settings is None:
        return f"on-demand ends {what} where no application preloads; where one does, {_STILL}"
    if not facts.settings.preloading:
        return f"on-demand ends {what}"
    ends = "on-demand ends the periodic errors" if what == "both" else "on-demand starts no worker by itself"
    return f"{ends}, but an application preloads: {_STILL}"


def advice(facts: Facts, chosen: tuple[Remedy, ...]) -> Iterator[str]:
    """What each fix ends and leaves, and what to look at before it."""
    recycles = any(cause.kind == "recycle" for cause in facts.causes)
    if "idle-timeout" in chosen:
        left = "leaves those at recycles and starts" if recycles else "would leave any at recycles and starts"
        yield f"idle-timeout ends the periodic errors and {left}; {_on_demand(facts, 'both')}"
    elif "log-filter" in chosen:
        yield f"{_on_demand(facts, 'them')}; where the pool must stay warm, log-filter hides them in the log"
    elif facts.idle == 0:
        yield "the pool's idle time-out is 0 now: what is left is at recycles and starts"
    if facts.settings is not None:
        return
    if facts.servers and not facts.audited:
        which = "the log names no server" if facts.host is None else "its server is not in it"
        yield f"the audit tells of {count(facts.servers, 'server')}, and {which}: give --host, as the audit names it"
    yield "look at the pool's settings before you change it: `remediate audit`"
