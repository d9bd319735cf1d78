"""The fault's four symptoms: seen, contradicted, or not checkable, and what would make it so. Pure.

What nobody logged did not not happen: a symptom is contradicted only by something that was seen.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from remediate.causation import rare, words
from remediate.diagnose.observations import EventCheck, Observations
from remediate.diagnose.reasons import GIVE_ZONE, count, minutes, moment
from remediate.diagnose.server_index import RECYCLE_FLAGS
from remediate.diagnose.thresholds import (
    BUSY,
    DEFAULT_IDLE,
    ENOUGH,
    FEW_FOLLOWED,
    JITTER,
    LONGEST_IDLE,
    MOST_IDLE,
    SHORTEST_IDLE,
    SLACK,
    STRAY,
    SURE,
)
from remediate.diagnose.timing import Period
from remediate.iis.events import LOG_IDLE, LOG_RECYCLE
from remediate.values.diagnoses import Symptom, SymptomName

_NO_ZONE = f"the log's time zone is not known: {GIVE_ZONE}"
_NO_TIME = "the log has no time for these errors"


def symptoms(observed: Observations) -> dict[SymptomName, Symptom]:
    return {check.name: check.run(observed) for check in CHECKS}


def after_recycle(observed: Observations) -> Symptom:
    if not observed.starts or not observed.zoned:
        return Symptom("not-checkable", _NO_ZONE if observed.starts else _NO_TIME)
    checked = observed.events
    if checked is None:
        return Symptom("not-checkable", "give the server's System event log with --events")
    if not checked.covered:
        reach = f"{moment(checked.cover.since)} to {moment(checked.cover.until)}"
        return Symptom("not-checkable", f"the events are of {reach}, and no error is: give those of the errors' days")
    after, recycles = checked.explained - checked.stops - checked.failures, checked.recycles
    if after and (rare(after, checked.covered, checked.chance) or 2 * recycles.seen >= recycles.of):
        of = f" ({recycles.seen} of {recycles.of} that are logged)" if recycles.of else ""
        came = f"{count(after, 'error')} came {words('recycle')}, or {words('boot')}{of}"
        return Symptom("seen", "; ".join((came, *_failures(checked))))
    if recycles.of >= ENOUGH and recycles.seen < FEW_FOLLOWED * recycles.of:
        seen = f"after {recycles.seen} of {recycles.of} recycles or boots"
        return Symptom("contradicted", f"errors came {seen} only")
    found = "the events show no recycle or boot that an error came after"
    return Symptom("not-checkable", "; ".join((found, *_failures(checked), *_unlogged(observed))))


def _failures(checked: EventCheck) -> Iterator[str]:
    if checked.failures:
        came = f"{count(checked.failures, 'error')} came {words('failure')}"
        yield f"{came}: that is no sign of this fault, and has a cause of its own to look for first"


def _unlogged(observed: Observations) -> Iterator[str]:
    if observed.settings is not None and observed.settings.unlogged:
        flags = ", ".join(RECYCLE_FLAGS[cause] for cause in observed.settings.unlogged)
        yield f"{LOG_RECYCLE} of this pool lacks {flags}: set them and wait for a recycle"


def periodic(observed: Observations) -> Symptom:
    if not observed.starts:
        return Symptom("not-checkable", _NO_TIME)
    for check in (_by_idle_stops, _by_idle_gaps, _by_period):
        found = check(observed)
        if found is not None:
            return found
    few = len(observed.starts)
    if observed.settings is not None and not observed.settings.idle:
        why = "idleTimeoutAction is Suspend" if observed.settings.suspends else "idleTimeout is 0"
        return Symptom("not-checkable", f"not expected of this pool: its {why}; and no period is seen")
    if few < 4:
        return Symptom("not-checkable", f"{count(few, 'start')} with errors: too few for a period; give longer logs")
    return Symptom("not-checkable", f"no clear period in {few} starts: {_more(observed)}")


def _more(observed: Observations) -> str:
    """What would show more of idle stops."""
    if observed.settings is not None and observed.settings.logs_idle_stops is False:
        return f"{LOG_IDLE} lacks IdleTimeout on this pool: set it and wait a day"
    if observed.events is None:
        return "requests between them would hide one; give the System event log with --events"
    if observed.lines is None or observed.settings is None:
        return "requests between them would hide one; give the IIS log with --iis-log and settings with --audit"
    return "requests between them hide one"


def _by_idle_stops(observed: Observations) -> Symptom | None:
    checked = observed.events
    if checked is None or not observed.zoned:
        return None
    if observed.own_clock:
        return Symptom(
            "contradicted",
            f"{checked.stops} starts came after an idle stop, but they keep a clock of their own{_rhythm(observed)}, "
            f"and the stops do not: a job's requests do that",
        )
    if checked.stops >= 2 and rare(checked.stops, checked.covered, checked.chance):
        text = f"{count(checked.stops, 'start')} of {checked.covered} came {words('idle-stop')}"
        return Symptom("seen", text + _rhythm(observed))
    if checked.idles.of >= ENOUGH and checked.idles.seen < FEW_FOLLOWED * checked.idles.of:
        after = f"after {checked.idles.seen} of {checked.idles.of} idle stops of the pool"
        return Symptom("contradicted", f"errors came {after} only")
    period = observed.period
    logged = observed.settings is not None and observed.settings.logs_idle_stops
    unexplained = checked.covered >= ENOUGH and 2 * checked.explained < checked.covered and not checked.stops
    if logged and unexplained and period and period.confidence >= SURE and period.seconds <= LONGEST_IDLE:
        return Symptom(
            "contradicted",
            f"the errors come each {minutes(period.seconds)}; idle stops of this pool are logged, and none is there",
        )
    return None


def _rhythm(observed: Observations) -> str:
    period = observed.period
    return f", each {minutes(period.seconds)}" if period and period.confidence >= SURE else ""


def _by_idle_gaps(observed: Observations) -> Symptom | None:
    """By the time since the last request, where IIS's log has it and the idle time-out is known."""
    if observed.lines is None or not observed.idle:
        return None
    known = [
        cause
        for cause, last, at in zip(observed.causes, observed.lines.last, observed.lines.at, strict=True)
        if last is not None and at is not None
    ]
    idle = sum(cause.kind == "idle" for cause in known)
    if idle < ENOUGH or idle < MOST_IDLE * sum(cause.kind != "recycle" for cause in known):
        return None
    wanted = f"{minutes(observed.idle)} to {minutes(observed.idle + JITTER)}"
    return Symptom(
        "seen",
        f"{count(idle, 'start')} of {len(known)} came {wanted} after the last request or start: "
        f"the pool's idle time-out, and 0 to 2 minutes",
    )


def _by_period(observed: Observations) -> Symptom | None:
    """By the gaps between the errors alone: the first check that has an answer."""
    period = observed.period
    if period is None or period.confidence < SURE:
        return None
    found = next(found for check in _PERIOD_CHECKS if (found := check(observed, period)) is not None)
    each = f"each {minutes(period.seconds)} ({period.gaps} of {len(observed.starts)} starts)"
    return Symptom(found.state, each + found.text)


def _too_short(_observed: Observations, period: Period) -> Symptom | None:
    too_short = period.seconds < SHORTEST_IDLE
    return Symptom("not-checkable", ": too short for an idle time-out") if too_short else None


def _of_the_idle_timeout(observed: Observations, period: Period) -> Symptom | None:
    idle = observed.idle
    if not idle or not period.fits(idle):
        return None
    busy = _asked_meanwhile(observed)
    if 2 * busy <= len(observed.starts):
        return Symptom("seen", f": the pool's idle time-out of {minutes(idle)}, and 0 to 2 minutes")
    return Symptom(
        "not-checkable",
        f": that would be the pool's idle time-out of {minutes(idle)}, but before {busy} of them it had requests that "
        f"should have kept it from being idle",
    )


def _of_recycles(observed: Observations, _period: Period) -> Symptom | None:
    if any(cause.kind != "recycle" for cause in observed.causes[1:]):
        return None
    return Symptom("not-checkable", ", but each of them after a recycle or start")


def _of_a_clock(observed: Observations, _period: Period) -> Symptom | None:
    if not observed.by_the_clock:
        return None
    return Symptom(
        "not-checkable",
        ", always at the same minutes of the clock, as a schedule or a job does and an idle time-out does not: give "
        "--events, and --iis-log",
    )


def _too_long(_observed: Observations, period: Period) -> Symptom | None:
    too_long = period.seconds > LONGEST_IDLE
    return Symptom("not-checkable", ": too long to show an idle time-out by itself") if too_long else None


def _of_unknown_settings(observed: Observations, period: Period) -> Symptom | None:
    if observed.idle is not None:
        return None
    low, high = max(0.0, period.longest - JITTER), period.shortest
    default = f" (IIS's default is {minutes(DEFAULT_IDLE)})" if low <= DEFAULT_IDLE <= high else ""
    return Symptom("seen", f", as an idle time-out of about {minutes(low)} to {minutes(high)} gives{default}")


def _of_another_time(observed: Observations, period: Period) -> Symptom:
    """The idle time-out is known, and the period does not fit it."""
    if not observed.idle:
        return Symptom("contradicted", ", but a worker of this pool is never ended when idle")
    idle = minutes(observed.idle)
    if period.longest < observed.idle - SLACK and not (observed.events and observed.events.shortened):
        return Symptom("contradicted", f", but the pool's idle time-out is {idle}")
    return Symptom("not-checkable", f", longer than the pool's idle time-out of {idle}: {_more(observed)}")


_PERIOD_CHECKS: tuple[Callable[[Observations, Period], Symptom | None], ...] = (
    _too_short, _of_the_idle_timeout, _of_recycles, _of_a_clock, _too_long, _of_unknown_settings, _of_another_time,
)  # fmt: skip


def _asked_meanwhile(observed: Observations) -> int:
    """Before how many starts the IIS log has a request to the pool within its idle time-out."""
    if observed.lines is None or not observed.idle:
        return 0
    pairs = zip(observed.starts, observed.lines.last, strict=True)
    return sum(last is not None and (start - last).total_seconds() < observed.idle - SLACK for start, last in pairs)


def local_request(observed: Observations) -> Symptom:
    if observed.remote and observed.remote > STRAY * (observed.remote + observed.local):
        known = observed.remote + observed.local
        return Symptom(
            "contradicted", f"{observed.remote} of {known} requests came from another client than the server"
        )
    if observed.preload:
        return Symptom(
            "seen", f"{count(observed.preload, 'request')} with the user agent of Application Initialization"
        )
    if observed.local:
        return Symptom("seen", f"{count(observed.local, 'request')} from the server itself")
    return Symptom("not-checkable", "the log does not name the client: have it log its address and user agent")


def not_in_iis_log(observed: Observations) -> Symptom:
    lines = observed.lines
    if not observed.starts or not observed.zoned:
        return Symptom("not-checkable", _NO_ZONE if observed.starts else _NO_TIME)
    if lines is None:
        return Symptom("not-checkable", "give the IIS log with --iis-log")
    if not lines.checked:
        return Symptom("not-checkable", "the IIS log given does not reach over the errors: give that of their days")
    if lines.chance > BUSY:
        return Symptom(
            "not-checkable", "so busy that a line stands at nearly any time: only the client's address would decide"
        )
    stray = (
        f" (at {lines.matched} others one stands, as it does at {lines.chance:.0%} of all moments)"
        if lines.matched
        else ""
    )
    if lines.matched / lines.checked - lines.chance <= STRAY:
        return Symptom(
            "seen", f"no request is logged at the time of {count(lines.checked - lines.matched, 'start')}{stray}"
        )
    return Symptom(
        "contradicted",
        f"a request is logged at the time of {lines.matched} of {lines.checked} starts, and at {lines.chance:.0%} of "
        f"other moments: a client's request raised them",
    )


class Check(Struct, frozen=True):
    """A symptom as the documentation has it: when it is ``seen`` and when ``contradicted``; and the check that runs."""

    name: SymptomName
    seen: str
    contradicted: str
    run: Callable[[Observations], Symptom]


_AFTER = f"{words('recycle')} or {words('boot')}"

CHECKS = (
    Check(
        "after-recycle",
        f"errors {_AFTER}, more than by chance or after half of them",
        f"errors after less than {FEW_FOLLOWED:.0%} of {ENOUGH} recycles and boots or more",
        after_recycle,
    ),
    Check(
        "periodic",
        f"errors {words('idle-stop')}, more than by chance; or a period of the idle time-out and 0 to "
        f"{JITTER / 60:.0f} minutes; or the same time after the last request",
        "another period, shorter than the time-out; errors after less than "
        f"{FEW_FOLLOWED:.0%} of {ENOUGH} idle stops or more; a clock of their own",
        periodic,
    ),
    Check(
        "local-request",
        "the server's own address, or Application Initialization's user agent",
        f"another client's address at more than {STRAY:.0%}",
        local_request,
    ),
    Check(
        "not-in-iis-log",
        "no line at the errors' times",
        f"lines at {STRAY:.0%} of them more than at other moments",
        not_in_iis_log,
    ),
)
