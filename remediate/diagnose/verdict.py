"""Facts and symptoms -> the verdict, its reasons in plain words, and the fix that follows. Pure.

The rules, first match wins; docs/diagnosis.md has them for readers:

    another code, or ReadEntityCoreSync in the stack               other-cause
    no RaiseCommunicationError or no ExplicitFlush in the stack    unsupported
    a symptom is contradicted, or the pool's settings exclude it   unsupported
    events: most errors came shortly after one, not by chance      confirmed
    events that tell of all causes: few errors came after one      unsupported
    the part of an application's errors that came after no event   unsupported
    no line in IIS's log, and the pool's settings fit the times    confirmed
    many errors, at short and irregular gaps                       unsupported
    nothing seen but a period that keeps to the clock, like a job  unsupported
    else                                                           consistent

*confirmed* always rests on two sources; one log alone never gives it.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median

from msgspec import Struct

from remediate.diagnose.attribution import rare
from remediate.diagnose.codes import CODES, FAULT
from remediate.diagnose.facts import Facts
from remediate.diagnose.words import cause_text, count, minutes
from remediate.model import Remedy, Symptom, SymptomName, Verdict

Symptoms = dict[SymptomName, Symptom]

# So much of what the events cover must have come after one, and less than so little speaks against it.
_MOST, _FEW = 0.8, 0.3
# Below, events or errors are too few to speak against anything.
_ENOUGH = 3
# So many starts in so short gaps are no idle stops and no recycles, in seconds.
_MANY, _SHORT = 20, 300.0
# So long periods, in seconds, may be a schedule of recycles.
_SELDOM = 4 * 3600


class Judgement(Struct, frozen=True):
    verdict: Verdict
    reasons: tuple[str, ...]
    fixes: tuple[Remedy, ...] = ()


def judge(facts: Facts, symptoms: Symptoms) -> Judgement:
    """The first rule that holds decides; the other reasons say what else is known."""
    for rule in _RULES:
        found = rule(facts, symptoms)
        if found is not None:
            verdict, why = found
            ours = verdict in ("confirmed", "consistent")
            fixes = tuple(_fixes(facts, symptoms)) if ours else ()
            more = (*_attributed(facts), *_settings(facts), *_advice(facts, fixes)) if ours else ()
            return Judgement(verdict, (_exception(facts), *why, *more), fixes)
    raise AssertionError("the last rule holds for all")


Found = tuple[Verdict, tuple[str, ...]] | None


def _other_code(facts: Facts, _symptoms: Symptoms) -> Found:
    if facts.code == FAULT:
        return None
    known = CODES.get(facts.code)
    usual = "this code is not known here" if known is None else f"{known.name}: usually {known.cause}"
    return "other-cause", (f"not the code of this fault, {FAULT}; {usual}",)


def _reading(facts: Facts, _symptoms: Symptoms) -> Found:
    if not facts.entity_read:
        return None
    return "other-cause", ("ReadEntityCoreSync stands in the stack: a client's upload was being read when it ended",)


def _no_frames(facts: Facts, _symptoms: Symptoms) -> Found:
    if facts.framed:
        return None
    why = (
        "the frames RaiseCommunicationError and ExplicitFlush are not in the log: without them the code proves nothing"
    )
    return "unsupported", (why, "have the application log exceptions whole, with their stack")


def _contradicted(_facts: Facts, symptoms: Symptoms) -> Found:
    against = tuple(f"{name}: {s.text}" for name, s in symptoms.items() if s.state == "contradicted")
    return ("unsupported", against) if against else None


def _excluded(facts: Facts, _symptoms: Symptoms) -> Found:
    settings = facts.settings
    if settings is None:
        return None
    if not settings.always_running:
        why = f"the pool's startMode is {settings.mode}: that is not the setting that causes this fault"
        return "unsupported", (why, "if it was set so after these errors: give an audit from before")
    if not settings.managed:
        return "unsupported", ("the pool runs no managed code, so the error is not from an application of it",)
    return None


def _by_events(facts: Facts, _symptoms: Symptoms) -> Found:
    checked = facts.events
    # A job that keeps to the clock may come after each idle stop: it is what starts the worker again.
    if checked is None or checked.covered == 0 or (facts.by_the_clock and 2 * checked.stops > checked.covered):
        return None
    share = checked.matched / checked.covered
    # What happens at a recycle disturbs clients too: one error after one recycle is no pattern, however rare.
    repeated = checked.matched > 1 or facts.local or facts.preload
    if share >= _MOST and repeated and rare(checked.matched, checked.covered, checked.chance, facts.looks):
        return "confirmed", (
            f"{checked.matched} of {count(checked.covered, 'start')} with errors came shortly after an idle stop, "
            f"recycle or start in the event log; at random times {_share(checked.chance)} would",
        )
    settings = facts.settings
    untold = settings is not None and settings.untold
    if facts.apart and not checked.matched and not untold:
        return "unsupported", (
            "other errors of this application came after idle stops, recycles or starts that the event log tells of; "
            "these did not",
        )
    all_told = settings is not None and settings.tells_idle and not settings.untold
    if all_told and share < _FEW and checked.covered >= _ENOUGH:
        return "unsupported", (
            f"only {checked.matched} of {count(checked.covered, 'start')} with errors came shortly after an idle stop, "
            f"recycle or start, and the event log tells of all of them",
        )
    return None


def _share(chance: float) -> str:
    return f"{chance:.1%}" if chance >= 0.001 else "under 0.1%"


def _by_iis_log(facts: Facts, symptoms: Symptoms) -> Found:
    lines, settings = facts.lines, facts.settings
    if lines is None or settings is None or symptoms["not-in-iis-log"].state != "seen" or lines.checked < _ENOUGH:
        return None
    if symptoms["periodic"].state == "seen":
        fits = f"the times fit its idle time-out of {minutes(settings.idle)}"
    elif symptoms["local-request"].state == "seen":
        fits = "the requests came from the server itself"
    else:
        return None
    return "confirmed", (
        f"the IIS log has no request at the errors' times, the pool {settings.pool} is AlwaysRunning, and {fits}",
    )


def _too_often(facts: Facts, symptoms: Symptoms) -> Found:
    if len(facts.starts) < _MANY or any(s.state == "seen" for s in symptoms.values()):
        return None
    gap = median((late - early).total_seconds() for early, late in pairwise(facts.starts))
    if gap >= _SHORT:
        return None
    return "unsupported", (f"half of the gaps are under {minutes(gap)} and none comes again and again: too often",)


def _keeps_to_the_clock(facts: Facts, symptoms: Symptoms) -> Found:
    period = facts.period
    if not facts.by_the_clock or period is None or period.seconds >= _SELDOM:
        return None
    if any(s.state == "seen" for s in symptoms.values()):
        return None
    each = minutes(period.seconds)
    return "unsupported", (
        f"each {each}, always at the same minutes of the clock: so does a job; an idle time-out drifts, and no pool is "
        f"recycled so often",
    )


def _nothing_against(_facts: Facts, symptoms: Symptoms) -> Found:
    seen = [name for name, symptom in symptoms.items() if symptom.state == "seen"]
    if seen:
        return "consistent", (f"{' and '.join(seen)}: seen; nothing that could be checked speaks against it",)
    return "consistent", ("only the exception itself could be checked: see what would make more checkable",)


_RULES: tuple[Callable[[Facts, Symptoms], Found], ...] = (
    _other_code, _reading, _no_frames, _contradicted, _excluded, _by_events, _by_iis_log, _too_often,
    _keeps_to_the_clock, _nothing_against,
)  # fmt: skip


def _exception(facts: Facts) -> str:
    frames = " with RaiseCommunicationError and ExplicitFlush" if facts.framed else ""
    part = f", in {len(facts.starts)} of {facts.apart} starts: the others came otherwise" if facts.apart else ""
    return f"{count(facts.count, 'error')} {facts.code}{frames}{part}"


def _attributed(facts: Facts) -> Iterator[str]:
    if facts.settings is None and facts.candidates:
        names = [f"{pool.pool} ({pool.idle_text})" for pool in facts.candidates[:5]]
        more = ["..."] if len(facts.candidates) > 5 else []
        yield f"the log does not tell the pool; AlwaysRunning are: {', '.join(names + more)}"
    recycles = sorted({cause_text(cause) for cause in facts.causes if cause.kind == "recycle"})
    if recycles:
        yield f"after: {', '.join(recycles)}"


def _settings(facts: Facts) -> Iterator[str]:
    settings = facts.settings
    if settings is None:
        return
    idle = f"idleTimeout {settings.idle_text}{', Suspend' if settings.suspends else ''}"
    preload = "an application with preloadEnabled" if settings.preloading else "no application with preloadEnabled"
    yield f"pool {settings.pool}: {settings.mode}, {idle}, {preload}"


def _fixes(facts: Facts, symptoms: Symptoms) -> Iterator[Remedy]:
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


def _advice(facts: Facts, fixes: tuple[Remedy, ...]) -> Iterator[str]:
    recycles = any(cause.kind == "recycle" for cause in facts.causes)
    if "idle-timeout" in fixes:
        left = "leaves those at recycles and starts" if recycles else "would leave any at recycles and starts"
        yield f"idle-timeout ends the periodic errors and {left}; on-demand ends both"
    elif "log-filter" in fixes:
        yield "on-demand ends them; where the pool must stay warm, log-filter hides them in the application's logger"
    elif facts.idle == 0:
        yield "the pool's idle time-out is 0 now: what is left is at recycles and starts"
    if facts.settings is not None:
        return
    if facts.servers and not facts.audited:
        which = "the log names no server" if facts.host is None else "its server is not in it"
        yield f"the audit tells of {count(facts.servers, 'server')}, and {which}: give --host, as the audit names it"
    yield "look at the pool's settings before you change it: `remediate audit`"
