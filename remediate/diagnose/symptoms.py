"""The fault's four symptoms: seen, contradicted, or not checkable, and what would make it so. Pure.

What nobody logged did not not happen: a symptom is contradicted only by something that was seen.
"""

from collections.abc import Callable, Iterator

from remediate.diagnose.attribution import LONGEST_IDLE, rare
from remediate.diagnose.estate import RECYCLE_FLAGS
from remediate.diagnose.facts import Facts
from remediate.diagnose.period import JITTER, SHORTEST, SLACK, SURE
from remediate.diagnose.words import GIVE_ZONE, count, minutes, moment
from remediate.iis.events import LOG_IDLE, LOG_RECYCLE
from remediate.model import Symptom, SymptomName

# Of so many events at least, this part has to be followed by an error, or they speak against it.
ENOUGH, FEW = 3, 0.2
# More of the errors than by chance, as a part of all, may have a line in IIS's log before it counts.
_STRAY = 0.2
# From here on nearly any moment has a line, and the log cannot tell.
_BUSY = 0.5
_DEFAULT_IDLE = 20 * 60
_NO_ZONE = f"the log's time zone is not known: {GIVE_ZONE}"
_NO_TIME = "the log tells no time of these errors"


def symptoms(facts: Facts) -> dict[SymptomName, Symptom]:
    return {name: check(facts) for name, check in _CHECKS.items()}


def after_recycle(facts: Facts) -> Symptom:
    if not facts.starts or not facts.zoned:
        return Symptom("not-checkable", _NO_ZONE if facts.starts else _NO_TIME)
    checked = facts.events
    if checked is None:
        return Symptom("not-checkable", "give the server's System event log with --events")
    if not checked.covered:
        reach = f"{moment(checked.cover.since)} to {moment(checked.cover.until)}"
        return Symptom("not-checkable", f"the events are of {reach}, and no error is: give those of the errors' days")
    after, recycles = checked.matched - checked.stops, checked.recycles
    if after and (rare(after, checked.covered, checked.chance) or 2 * recycles.seen >= recycles.of):
        of = f" ({recycles.seen} of {recycles.of} that are told of)" if recycles.of else ""
        return Symptom("seen", f"{count(after, 'error')} came shortly after a recycle or start{of}")
    if recycles.of >= ENOUGH and recycles.seen < FEW * recycles.of:
        seen = f"after {recycles.seen} of {recycles.of} recycles or starts of the pool"
        return Symptom("contradicted", f"errors came {seen} only")
    told = "; ".join(("the events tell of no recycle or start that an error came after", *_untold(facts)))
    return Symptom("not-checkable", told)


def _untold(facts: Facts) -> Iterator[str]:
    if facts.settings is not None and facts.settings.untold:
        flags = ", ".join(RECYCLE_FLAGS[cause] for cause in facts.settings.untold)
        yield f"{LOG_RECYCLE} of this pool lacks {flags}: set them and wait for a recycle"


def periodic(facts: Facts) -> Symptom:
    if not facts.starts:
        return Symptom("not-checkable", _NO_TIME)
    for check in (_by_idle_stops, _by_rests, _by_period):
        found = check(facts)
        if found is not None:
            return found
    few = len(facts.starts)
    if facts.settings is not None and not facts.settings.idle:
        why = "idleTimeoutAction is Suspend" if facts.settings.suspends else "idleTimeout is 0"
        return Symptom("not-checkable", f"not expected of this pool: its {why}; and no period is seen")
    if few < 4:
        return Symptom("not-checkable", f"{count(few, 'start')} with errors: too few for a period; give longer logs")
    return Symptom("not-checkable", f"no clear period in {few} starts: {_more(facts)}")


def _more(facts: Facts) -> str:
    """What would tell more of idle stops."""
    if facts.settings is not None and facts.settings.tells_idle is False:
        return f"{LOG_IDLE} lacks IdleTimeout on this pool: set it and wait a day"
    if facts.events is None:
        return "requests between them would hide one; give the System event log with --events"
    if facts.lines is None or facts.settings is None:
        return "requests between them would hide one; give the IIS log with --iis-log and settings with --audit"
    return "requests between them hide one"


def _by_idle_stops(facts: Facts) -> Symptom | None:
    checked = facts.events
    if checked is None or not facts.zoned:
        return None
    if facts.own_clock:
        return Symptom(
            "contradicted",
            f"{checked.stops} starts came after an idle stop, but they keep a clock of their own{_rhythm(facts)}, and "
            f"the stops do not: a job's requests do that",
        )
    if checked.stops >= 2 and rare(checked.stops, checked.covered, checked.chance):
        text = f"{count(checked.stops, 'start')} of {checked.covered} came within a minute after an idle stop"
        return Symptom("seen", text + _rhythm(facts))
    if checked.idles.of >= ENOUGH and checked.idles.seen < FEW * checked.idles.of:
        after = f"after {checked.idles.seen} of {checked.idles.of} idle stops of the pool"
        return Symptom("contradicted", f"errors came {after} only")
    period = facts.period
    told = facts.settings is not None and facts.settings.tells_idle
    unexplained = checked.covered >= ENOUGH and 2 * checked.matched < checked.covered and not checked.stops
    if told and unexplained and period and period.confidence >= SURE and period.seconds <= LONGEST_IDLE:
        return Symptom(
            "contradicted",
            f"the errors come each {minutes(period.seconds)}; idle stops of this pool are logged, and none is there",
        )
    return None


def _rhythm(facts: Facts) -> str:
    period = facts.period
    return f", each {minutes(period.seconds)}" if period and period.confidence >= SURE else ""


def _by_rests(facts: Facts) -> Symptom | None:
    """By the time since the last request, where IIS's log tells it and the idle time-out is known."""
    if facts.lines is None or not facts.idle:
        return None
    known = [
        cause
        for cause, last, at in zip(facts.causes, facts.lines.last, facts.lines.at, strict=True)
        if last is not None and at is not None
    ]
    idle = sum(cause.kind == "idle" for cause in known)
    if idle < ENOUGH or idle < 0.8 * sum(cause.kind != "recycle" for cause in known):
        return None
    wanted = f"{minutes(facts.idle)} to {minutes(facts.idle + JITTER)}"
    return Symptom(
        "seen",
        f"{count(idle, 'start')} of {len(known)} came {wanted} after the last request or start: "
        f"the pool's idle time-out, and 0 to 2 minutes",
    )


def _by_period(facts: Facts) -> Symptom | None:
    period, idle = facts.period, facts.idle
    if period is None or period.confidence < SURE:
        return None
    each = f"each {minutes(period.seconds)} ({period.gaps} of {len(facts.starts)} starts)"
    if period.seconds < SHORTEST:
        return Symptom("not-checkable", f"{each}: too short for an idle time-out")
    busy = _asked_meanwhile(facts)
    if idle and period.fits(idle) and 2 * busy > len(facts.starts):
        return Symptom(
            "not-checkable",
            f"{each}: that would be the pool's idle time-out of {minutes(idle)}, but before {busy} of them it had "
            f"requests that should have kept it from being idle",
        )
    if idle and period.fits(idle):
        return Symptom("seen", f"{each}: the pool's idle time-out of {minutes(idle)}, and 0 to 2 minutes")
    if all(cause.kind == "recycle" for cause in facts.causes[1:]):
        return Symptom("not-checkable", f"{each}, but each of them after a recycle or start")
    if facts.by_the_clock:
        return Symptom(
            "not-checkable",
            f"{each}, always at the same minutes of the clock, as a schedule or a job does and an idle time-out does "
            f"not: give --events, and --iis-log",
        )
    if period.seconds > LONGEST_IDLE:
        return Symptom("not-checkable", f"{each}: too long for an idle time-out that is told by its period alone")
    if idle is None:
        low, high = max(0.0, period.longest - JITTER), period.shortest
        default = " (IIS's default is 20:00)" if low <= _DEFAULT_IDLE <= high else ""
        return Symptom("seen", f"{each}, as an idle time-out of about {minutes(low)} to {minutes(high)} gives{default}")
    if not idle:
        return Symptom("contradicted", f"{each}, but a worker of this pool is never ended when idle")
    if period.longest < idle - SLACK and not (facts.events and facts.events.shortened):
        return Symptom("contradicted", f"{each}, but the pool's idle time-out is {minutes(idle)}")
    return Symptom("not-checkable", f"{each}, longer than the pool's idle time-out of {minutes(idle)}: {_more(facts)}")


def _asked_meanwhile(facts: Facts) -> int:
    """Before how many starts the IIS log has a request to the pool within its idle time-out."""
    if facts.lines is None or not facts.idle:
        return 0
    pairs = zip(facts.starts, facts.lines.last, strict=True)
    return sum(last is not None and (start - last).total_seconds() < facts.idle - SLACK for start, last in pairs)


def local_request(facts: Facts) -> Symptom:
    if facts.remote and facts.remote > _STRAY * (facts.remote + facts.local):
        told = facts.remote + facts.local
        return Symptom("contradicted", f"{facts.remote} of {told} requests came from another client than the server")
    if facts.preload:
        return Symptom("seen", f"{count(facts.preload, 'request')} with the user agent of Application Initialization")
    if facts.local:
        return Symptom("seen", f"{count(facts.local, 'request')} from the server itself")
    return Symptom("not-checkable", "the log does not tell the client: have it log its address and user agent")


def not_in_iis_log(facts: Facts) -> Symptom:
    lines = facts.lines
    if not facts.starts or not facts.zoned:
        return Symptom("not-checkable", _NO_ZONE if facts.starts else _NO_TIME)
    if lines is None:
        return Symptom("not-checkable", "give the IIS log with --iis-log")
    if not lines.checked:
        return Symptom("not-checkable", "the IIS log given does not reach over the errors: give that of their days")
    if lines.chance > _BUSY:
        return Symptom("not-checkable", "so busy that a line stands at nearly any time: only the client would tell")
    stray = (
        f" (at {lines.matched} others one stands, as it does at {lines.chance:.0%} of all moments)"
        if lines.matched
        else ""
    )
    if lines.matched / lines.checked - lines.chance <= _STRAY:
        return Symptom(
            "seen", f"no request is logged at the time of {count(lines.checked - lines.matched, 'start')}{stray}"
        )
    return Symptom(
        "contradicted",
        f"a request is logged at the time of {lines.matched} of {lines.checked} starts, and at {lines.chance:.0%} of "
        f"other moments: a client's request raised them",
    )


_CHECKS: dict[SymptomName, Callable[[Facts], Symptom]] = {
    "after-recycle": after_recycle,
    "periodic": periodic,
    "local-request": local_request,
    "not-in-iis-log": not_in_iis_log,
}
