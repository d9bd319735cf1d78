"""What a verdict says: the words of its rules (verdict.py). Pure, in plain words."""

from collections.abc import Callable
from itertools import pairwise
from statistics import median

from remediate.causation import confirming_words
from remediate.diagnose.advice import Symptoms
from remediate.diagnose.observations import Facts
from remediate.diagnose.words import count, minutes
from remediate.iis.codes import CODES, FAULT
from remediate.iis.frames import STREAMS


def seen(symptoms: Symptoms) -> tuple[str, ...]:
    return tuple(name for name, symptom in symptoms.items() if symptom.state == "seen")


def contradicted(symptoms: Symptoms) -> tuple[str, ...]:
    return tuple(f"{name}: {s.text}" for name, s in symptoms.items() if s.state == "contradicted")


def median_gap(facts: Facts) -> float:
    """The median gap between starts, in seconds."""
    return median((late - early).total_seconds() for early, late in pairwise(facts.starts))


def exception(facts: Facts) -> str:
    frames = " with RaiseCommunicationError and ExplicitFlush" if facts.framed else ""
    part = f", in {len(facts.starts)} of {facts.apart} starts: the others came otherwise" if facts.apart else ""
    return f"{count(facts.count, 'error')} {facts.code}{frames}{part}"


def frames(facts: Facts) -> tuple[str, ...]:
    """What the frames say against the fault, whatever outweighs it."""
    if facts.streaming is None:
        return ()
    stream, against = STREAMS[facts.streaming], "its frames speak against this fault"
    if stream.only:
        return (f"{against}: they write to {stream.what}, which a client opens and a start-up request does not",)
    return (
        f"{against}: they write {stream.what}, as for a client; a start-up request does so only where its page does",
    )


def of_code(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    known = CODES.get(facts.code)
    usual = "this code is not known here" if known is None else f"{known.name}: usually {known.cause}"
    return (f"not the code of this fault, {FAULT}; {usual}",)


def of_mode(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    mode = "" if facts.settings is None else facts.settings.mode
    return (
        f"the pool's startMode is {mode}: that is not the setting that causes this fault",
        "if it was set so after these errors: give an audit from before",
    )


def of_stack(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    log = "the log has no stack" if facts.stack == "none" else "the log has not the whole stack"
    return (
        f"{log}: the code alone does not show whether RaiseCommunicationError and ExplicitFlush raised it",
        "have the application log the whole exception, with its stack (in .NET its ToString()), and diagnose that log",
    )


def of_few(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    assert facts.events is not None
    starts = count(facts.events.covered, "start")
    return (
        f"an event explains only {facts.events.explained} of {starts} with errors, and Windows logs all events of this "
        f"pool that could",
    )


def of_events(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    assert facts.events is not None
    starts, chance = count(facts.events.covered, "start"), facts.events.chance
    share = f"{chance:.1%}" if chance >= 0.001 else "under 0.1%"
    return (
        f"{facts.events.confirming} of {starts} with errors came {confirming_words()} in the event log; an event would "
        f"explain {share} of random times",
    )


def of_iis_log(facts: Facts, symptoms: Symptoms) -> tuple[str, ...]:
    assert facts.settings is not None
    fits = "the requests came from the server itself"
    if symptoms["periodic"].state == "seen":
        fits = f"the times fit its idle time-out of {minutes(facts.settings.idle)}"
    return (
        f"the IIS log has no request at the errors' times, the pool {facts.settings.pool} is AlwaysRunning, and {fits}",
    )


def of_gaps(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    return (f"half of the gaps are under {minutes(median_gap(facts))} and none comes again and again: too often",)


def of_job(facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    assert facts.period is not None
    return (
        f"each {minutes(facts.period.seconds)}, always at the same minutes of the clock: so does a job; an idle "
        f"time-out drifts, and no pool is recycled so often",
    )


def of_seen(_facts: Facts, symptoms: Symptoms) -> tuple[str, ...]:
    return (f"{' and '.join(seen(symptoms))}: seen; nothing that could be checked speaks against it",)


def of_nothing(_facts: Facts, _symptoms: Symptoms) -> tuple[str, ...]:
    return ("the exception is that of this fault, and of others too; none of this fault's symptoms was seen",)


def of_client(_facts: Facts, symptoms: Symptoms) -> tuple[str, ...]:
    found = seen(symptoms)
    return (f"{' and '.join(found)}: seen, which does not outweigh that",) if found else of_nothing(_facts, symptoms)


def fixed(*words: str) -> Callable[[Facts, Symptoms], tuple[str, ...]]:
    return lambda _facts, _symptoms: words
