"""Observations and symptoms -> the verdict, its reasons in plain words, and the fix that follows. Pure.

`RULES` is the order of decisions: the first row that holds decides. docs/diagnosis.md shows the same rows. *confirmed*
needs two sources, so no row gives it by one log alone.
"""

from collections.abc import Callable

from msgspec import Struct

from remediate.causation import MOST, PATTERN, RARE, confirming_words, is_pattern
from remediate.diagnose import reasons
from remediate.diagnose.observations import Observations
from remediate.diagnose.reasons import Symptoms
from remediate.diagnose.thresholds import ENOUGH, FEW_EXPLAINED, MANY_STARTS, SELDOM, SHORT_GAP
from remediate.iis.codes import FAULT
from remediate.iis.frames import STREAMS
from remediate.values.diagnoses import Remedy, Verdict


class Judgement(Struct, frozen=True):
    """``reasons``: what was logged, the words of the rule that decided, and what follows."""

    verdict: Verdict
    reasons: tuple[str, ...]
    fixes: tuple[Remedy, ...] = ()


class Rule(Struct, frozen=True, kw_only=True):
    """``when`` is the condition as the documentation has it, ``holds`` the same as it runs. ``words``: the reasons."""

    name: str
    when: str
    verdict: Verdict
    holds: Callable[[Observations, Symptoms], bool]
    words: Callable[[Observations, Symptoms], tuple[str, ...]]


def judge(observed: Observations, symptoms: Symptoms) -> Judgement:
    """The first rule that holds decides; the other reasons say what else is known."""
    rule = next(rule for rule in RULES if rule.holds(observed, symptoms))
    chosen = tuple(reasons.fixes(observed, symptoms)) if rule.verdict in ("confirmed", "consistent") else ()
    more: tuple[str, ...] = ()
    if chosen:
        more = (*reasons.attributed(observed), *reasons.settings_of(observed), *reasons.advice(observed, chosen))
    elif rule.verdict == "undetermined":
        more = (*reasons.attributed(observed), *reasons.settings_of(observed), *reasons.to_collect(observed, symptoms))
    frames = reasons.frames(observed) if chosen or rule.verdict == "undetermined" else ()
    return Judgement(
        rule.verdict, (reasons.exception(observed), *frames, *rule.words(observed, symptoms), *more), chosen
    )


def _follow_events(observed: Observations) -> bool:
    """Whether the starts follow events as the fault's do."""
    checked = observed.events
    # A job that keeps to the clock may come after each idle stop: it is what starts the worker again.
    if checked is None or (observed.by_the_clock and 2 * checked.stops > checked.covered):
        return False
    return is_pattern(checked.confirming, checked.covered, checked.chance, marks=observed.has_own_marks)


def _follow_none(observed: Observations) -> bool:
    """Whether a part of the errors follows no event though others do, and Windows logs all that could be one."""
    logged = observed.settings is None or not observed.settings.unlogged
    checked = observed.events
    return (
        observed.apart is not None and logged and checked is not None and checked.covered > 0 and not checked.explained
    )


def _follow_few(observed: Observations) -> bool:
    """Whether few starts follow an event, and Windows logs all that could be one."""
    checked, settings = observed.events, observed.settings
    if checked is None or settings is None or not settings.logs_idle_stops or settings.unlogged:
        return False
    return checked.covered >= ENOUGH and checked.explained < FEW_EXPLAINED * checked.covered


def _too_often(observed: Observations, symptoms: Symptoms) -> bool:
    return (
        not reasons.seen(symptoms) and len(observed.starts) >= MANY_STARTS and reasons.median_gap(observed) < SHORT_GAP
    )


def _as_a_job(observed: Observations, symptoms: Symptoms) -> bool:
    short = observed.period is not None and observed.period.seconds < SELDOM
    return not reasons.seen(symptoms) and observed.by_the_clock and short


def _of_a_connection(observed: Observations, _symptoms: Symptoms) -> bool:
    return observed.streaming is not None and STREAMS[observed.streaming].only


def _of_a_clients_response(observed: Observations, symptoms: Symptoms) -> bool:
    if observed.streaming is None or {"local-request", "not-in-iis-log"} & {*reasons.seen(symptoms)}:
        return False
    # An idle worker has no client whom its end could disturb; a recycled one has.
    checked = observed.events
    return not (checked is not None and _follow_events(observed) and 2 * checked.stops >= checked.explained)


def _not_in_iis_log(observed: Observations, symptoms: Symptoms) -> bool:
    enough = observed.lines is not None and observed.lines.checked >= ENOUGH
    seen = {*reasons.seen(symptoms)}
    return (
        enough
        and observed.settings is not None
        and "not-in-iis-log" in seen
        and bool(seen & {"periodic", "local-request"})
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="other code", verdict="other-cause",
        when=f"another code than {FAULT}",
        holds=lambda observed, _: observed.code != FAULT, words=reasons.of_code,
    ),
    Rule(
        name="upload", verdict="other-cause",
        when="ReadEntityCoreSync in the stack",
        holds=lambda observed, _: observed.entity_read,
        words=reasons.fixed("ReadEntityCoreSync stands in the stack: a client's upload was being read when it ended"),
    ),
    Rule(
        name="other stack", verdict="unsupported",
        when="a stack without RaiseCommunicationError, or without ExplicitFlush",
        holds=lambda observed, _: not observed.framed and observed.stack == "whole",
        words=reasons.fixed(
            "the stack is in the log, without RaiseCommunicationError or without ExplicitFlush: no flush raised this"
        ),
    ),
    Rule(
        name="contradicted", verdict="unsupported",
        when="a symptom is contradicted",
        holds=lambda _, symptoms: bool(reasons.contradicted(symptoms)),
        words=lambda _, symptoms: reasons.contradicted(symptoms),
    ),
    Rule(
        name="start mode", verdict="unsupported",
        when="the pool is not AlwaysRunning",
        holds=lambda observed, _: observed.settings is not None and not observed.settings.always_running,
        words=reasons.of_mode,
    ),
    Rule(
        name="unmanaged", verdict="unsupported",
        when="the pool runs no managed code",
        holds=lambda observed, _: observed.settings is not None and not observed.settings.managed,
        words=reasons.fixed("the pool runs no managed code, so the error is not from an application of it"),
    ),
    Rule(
        name="no stack", verdict="undetermined",
        when="no stack in the log, or only its beginning or its end",
        holds=lambda observed, _: not observed.framed, words=reasons.of_stack,
    ),
    Rule(
        name="the other part", verdict="unsupported",
        when="other errors of the application follow events; no event explains these, and Windows logs all that could",
        holds=lambda observed, _: _follow_none(observed),
        words=reasons.fixed("events explain other errors of this application, and none of these"),
    ),
    Rule(
        name="few explained", verdict="unsupported",
        when=f"events explain less than {FEW_EXPLAINED:.0%} of {ENOUGH} starts or more; Windows logs all that could",
        holds=lambda observed, _: _follow_few(observed), words=reasons.of_few,
    ),
    Rule(
        name="too often", verdict="unsupported",
        when=f"no symptom; {MANY_STARTS} starts or more, and half of the gaps are under {SHORT_GAP / 60:.0f} minutes",
        holds=_too_often, words=reasons.of_gaps,
    ),
    Rule(
        name="job", verdict="unsupported",
        when=f"no symptom; a period under {SELDOM // 3600} hours that keeps to the minutes of the clock",
        holds=_as_a_job, words=reasons.of_job,
    ),
    Rule(
        name="client's connection", verdict="undetermined",
        when="the frames write to a connection that a client opened",
        holds=_of_a_connection, words=reasons.of_client,
    ),
    Rule(
        name="client's response", verdict="undetermined",
        when="the frames write a client's response; and neither the server's address or user agent, nor the IIS log, "
        "nor idle stops before half of the errors outweigh that",
        holds=_of_a_clients_response, words=reasons.of_client,
    ),
    Rule(
        name="events", verdict="confirmed",
        when=f"at least {MOST:.0%} of the starts came {confirming_words()}; these are {PATTERN} or more, or a request "
        f"has the server's address or user agent; by chance less often than once in {RARE:,}; they keep no clock of a "
        f"job",
        holds=lambda observed, _: _follow_events(observed), words=reasons.of_events,
    ),
    Rule(
        name="IIS log", verdict="confirmed",
        when="the IIS log of the pool's site and of the errors' days has no request at their times, the pool is "
        "AlwaysRunning, and its idle time-out fits the times or the request is the server's own",
        holds=_not_in_iis_log, words=reasons.of_iis_log,
    ),
    Rule(
        name="symptom", verdict="consistent",
        when="a symptom was seen",
        holds=lambda _, symptoms: bool(reasons.seen(symptoms)), words=reasons.of_seen,
    ),
    Rule(name="else", verdict="undetermined", when="else", holds=lambda *_: True, words=reasons.of_nothing),
)  # fmt: skip
