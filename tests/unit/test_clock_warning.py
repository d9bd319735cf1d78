"""When a server's clock is said to be off, and by how much."""

from datetime import UTC, datetime, timedelta

import pytest

from remediate.iis.clock import clock_warning

BEGAN = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ENDED = BEGAN + timedelta(minutes=3)


def said(clock: datetime) -> str | None:
    return clock_warning(clock.strftime("%Y-%m-%dT%H:%M:%SZ"), BEGAN, ENDED)


@pytest.mark.parametrize("seconds", [-60, 0, 90, 180, 240])
def test_what_the_inspection_s_own_time_explains_is_no_difference(seconds: int) -> None:
    """Nor is a minute before or after."""
    assert said(BEGAN + timedelta(seconds=seconds)) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-61, "1 min behind ours"),
        (-3600, "60 min behind ours"),
        (180 + 61, "1 min ahead of ours"),
        (180 + 7200, "2 h ahead of ours"),
        (-86400 * 400, "400 days behind ours"),
    ],
)
def test_more_is_said_from_the_nearer_end(seconds: int, words: str) -> None:
    assert f"its clock is {words}, and so are" in str(said(BEGAN + timedelta(seconds=seconds)))


@pytest.mark.parametrize("clock", [None, "", "yesterday", "2026-11-28T12:00:00+00:00", "9" * 5000])
def test_what_is_no_time_is_no_difference(clock: str | None) -> None:
    assert clock_warning(clock, BEGAN, ENDED) is None
