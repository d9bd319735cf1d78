"""Facts and symptoms -> the verdict, its reasons in plain words, and the fix that follows. Pure.

The rules, first match wins; docs/diagnosis.md has them for readers:

    another code, or ReadEntityCoreSync in the stack               other-cause
    a stack without RaiseCommunicationError or ExplicitFlush       unsupported
    a symptom is contradicted, or the pool's settings exclude it   unsupported
    no stack in the log, or not its beginning                      undetermined
    events: most errors came shortly after one, not by chance      confirmed
    events that tell of all causes: few errors came after one      unsupported
    the part of an application's errors that came after no event   unsupported
    no line in IIS's log, and the pool's settings fit the times    confirmed
    many errors, at short and irregular gaps                       unsupported
    nothing seen but a period that keeps to the clock, like a job  unsupported
    a symptom was seen                                             consistent
    else                                                           undetermined

*confirmed* always rests on two sources; one log alone never gives it. Where the frames below ExplicitFlush speak for a
client's own response, see frames.py, a verdict that the times alone gave is held back to *undetermined*.
"""

from collections.abc import Callable
from itertools import pairwise
from statistics import median

from msgspec import Struct

from remediate.diagnose.advice import Symptoms, advice, attributed, fixes, settings_of, to_collect
from remediate.diagnose.attribution import rare
from remediate.diagnose.codes import CODES, FAULT
from remediate.diagnose.facts import Facts
from remediate.diagnose.frames import STREAMS
from remediate.diagnose.words import count, minutes
from remediate.model import Remedy, Verdict

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
            verdict, why = _held_back(facts, symptoms, *found)
            chosen = tuple(fixes(facts, symptoms)) if verdict in ("confirmed", "consistent") else ()
            more: tuple[str, ...] = ()
            if chosen:
                more = (*attributed(facts), *settings_of(facts), *advice(facts, chosen))
            elif verdict == "undetermined":
                more = (*attributed(facts), *settings_of(facts), *to_collect(facts, symptoms))
            return Judgement(verdict, (_exception(facts), *why, *more), chosen)
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


def _other_frames(facts: Facts, _symptoms: Symptoms) -> Found:
    if facts.framed or facts.stack != "whole":
        return None
    return "unsupported", (
        "the stack is in the log, without RaiseCommunicationError or without ExplicitFlush: no flush raised this",
    )


def _no_frames(facts: Facts, _symptoms: Symptoms) -> Found:
    if facts.framed:
        return None
    log = "the log has no stack" if facts.stack == "none" else "the log has not the whole stack"
    return "undetermined", (
        f"{log}: the code alone does not show whether RaiseCommunicationError and ExplicitFlush raised it",
        "have the application log the whole exception, with its stack (in .NET its ToString()), and diagnose that log",
    )


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
    if share >= _MOST and repeated and rare(checked.matched, checked.covered, checked.chance):
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
    return "undetermined", (
        "the exception is that of this fault, and of others too; none of this fault's symptoms was seen",
    )


_RULES: tuple[Callable[[Facts, Symptoms], Found], ...] = (
    _other_code, _reading, _other_frames, _contradicted, _excluded, _no_frames, _by_events, _by_iis_log, _too_often,
    _keeps_to_the_clock, _nothing_against,
)  # fmt: skip


def _held_back(
    facts: Facts, symptoms: Symptoms, verdict: Verdict, why: tuple[str, ...]
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, unless the frames speak for a client's response and nothing speaks for the server's own request."""
    if facts.streaming is None or verdict not in ("confirmed", "consistent", "undetermined"):
        return verdict, why
    stream = STREAMS[facts.streaming]
    if stream.only:
        against = f"they write to {stream.what}, which a client opens and a start-up request does not"
        return "undetermined", (f"its frames speak against this fault: {against}", *why)
    own_request = any(symptoms[name].state == "seen" for name in ("local-request", "not-in-iis-log"))
    checked = facts.events
    # An idle worker has no client whom its end could disturb; a recycled one has.
    idle = verdict == "confirmed" and checked is not None and 2 * checked.stops >= checked.matched
    reason = (
        f"its frames speak against this fault: they write {stream.what}, as for a client; a start-up request does "
        f"so only where its page does"
    )
    return (verdict if own_request or idle else "undetermined"), (reason, *why)


def _exception(facts: Facts) -> str:
    frames = " with RaiseCommunicationError and ExplicitFlush" if facts.framed else ""
    part = f", in {len(facts.starts)} of {facts.apart} starts: the others came otherwise" if facts.apart else ""
    return f"{count(facts.count, 'error')} {facts.code}{frames}{part}"
