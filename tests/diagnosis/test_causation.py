"""What explains an error, and what confirms the fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.causation import Cover, chance_of_explanation, confirms, explained, followed, is_pattern, rare
from remediate.diagnose.observations import cause_of
from remediate.values.logs import WorkerEvent
from tests.diagnosis.values import at, event


@pytest.mark.parametrize(
    ("before", "kind", "why"),
    [
        ([event(-4)], "idle", "idle-stop"),
        ([event(-59)], "idle", "idle-stop"),
        ([event(-61)], "unexplained", ""),
        ([event(-4, "shortened")], "idle", "shortened"),
        ([event(-4, "recycle", cause="time")], "recycle", "time"),
        ([event(-4, "recycle", cause="configuration"), event(-40)], "recycle", "configuration"),
        ([event(-50, "recycle", cause="time"), event(-5)], "idle", "idle-stop"),
        ([event(-100, "boot", None)], "recycle", "boot"),
        ([event(-200, "boot", None)], "unexplained", ""),
        ([event(-4, "failure")], "recycle", "failure"),
        ([event(0.9)], "idle", "idle-stop"),  # a log of whole seconds cuts them off
        ([event(1)], "unexplained", ""),
        ([event(-20, "failure"), event(-4)], "recycle", "failure"),  # to be ruled out first, whatever came later
        ([], "unexplained", ""),
    ],
)
def test_the_nearest_event_explains_an_error(before: list[WorkerEvent], kind: str, why: str) -> None:
    """Within a minute, after a boot within three; a failure before all others."""
    (found,) = explained([at(0)], before)
    cause = cause_of(found)
    assert (cause.kind, cause.why) == (kind, why)


@pytest.mark.parametrize(
    ("before", "confirming"),
    [
        (event(-60), True),
        (event(-60, "shortened"), True),
        (event(-60, "recycle"), True),
        (event(-60, "boot", None), True),
        (event(-61, "boot", None), False),  # explained still: Windows logs its start long before IIS serves
        (event(-1, "failure"), False),
        (None, False),
    ],
)
def test_what_is_evidence_of_the_fault(before: WorkerEvent | None, confirming: bool) -> None:
    """Within a minute of a start after which IIS sends a request of its own; a failure has a cause of its own."""
    assert confirms(before, at(0)) is confirming


@pytest.mark.parametrize(
    ("confirming", "covered", "marks", "pattern"),
    [(1, 1, False, False), (1, 1, True, True), (2, 2, False, True), (4, 5, False, True), (3, 4, False, False)],
)
def test_one_error_is_no_pattern_and_a_fifth_may_be_others(
    confirming: int, covered: int, marks: bool, pattern: bool
) -> None:
    """At least 80 % of two errors or more; or of one that has the request's own marks."""
    assert is_pattern(confirming, covered, 0.0001, marks=marks) is pattern
    assert not is_pattern(confirming, covered, 0.9, marks=marks), "nor is what chance would do"


def test_events_followed() -> None:
    assert followed([event(0), event(1000), event(2000)], [at(5), at(2059)]) == (2, 3)


def test_how_much_of_the_time_lies_after_an_event() -> None:
    """A minute after each and a second before it, and where they overlap once."""
    cover = Cover(at(0), at(1000))
    assert chance_of_explanation([event(100), event(130), event(900)], cover) == pytest.approx((91 + 61) / 1000)


@given(st.lists(st.floats(0, 1e6), max_size=30), st.floats(1, 1e6))
def test_a_chance_is_a_share(seconds: list[float], length: float) -> None:
    assert 0 <= chance_of_explanation([event(second) for second in seconds], Cover(at(0), at(length))) <= 1


@pytest.mark.parametrize(
    ("seen", "of", "chance", "is_rare"),
    [(1, 1, 0.0005, True), (1, 1, 0.05, False), (3, 3, 0.05, True), (10, 200, 0.05, False), (0, 5, 0.0, False)],
)
def test_what_chance_would_hardly_do(seen: int, of: int, chance: float, is_rare: bool) -> None:
    assert rare(seen, of, chance) is is_rare


def test_the_best_of_many_looks_is_less_rare() -> None:
    assert rare(3, 3, 0.05) and not rare(3, 3, 0.05, trials=105)
