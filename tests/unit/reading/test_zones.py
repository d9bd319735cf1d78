"""From wall clocks to UTC, in one zone."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.errors import RemediateError
from remediate.logs import parse_zone
from remediate.logs.zones import to_utc

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def wall(times: Iterable[datetime], zone: tzinfo) -> list[datetime]:
    """What the clock on the wall showed."""
    return [time.astimezone(zone).replace(tzinfo=None) for time in times]


def utc(times: Iterable[datetime | None], zone: tzinfo) -> list[datetime | None]:
    return list(to_utc(list(times), zone))


@pytest.mark.parametrize(
    ("text", "hour"),
    [("UTC", 14), ("utc", 14), ("Z", 14), ("+02:00", 12), ("-0530", 19), ("+05", 9), ("Europe/Berlin", 13)],
)
def test_a_zone_is_utc_an_offset_or_a_name(text: str, hour: int) -> None:
    (time,) = utc([datetime(2026, 11, 25, 14)], parse_zone(text))
    assert time is not None
    assert (time.tzinfo, time.hour) == (UTC, hour)


@pytest.mark.parametrize(
    "text", ["", "CEST", "+25:00", "+02:75", "../etc/passwd", "/etc/localtime", "Europe", "x\0y", "2"]
)
def test_anything_else_is_one_line(text: str) -> None:
    with pytest.raises(RemediateError, match="no time zone; give UTC, an offset"):
        parse_zone(text)


def test_a_time_that_has_its_zone_stays_and_one_that_is_not_known_too() -> None:
    assert utc([NOON, None], BERLIN) == [NOON, None]


@given(st.lists(st.timedeltas(timedelta(seconds=10), timedelta(hours=3)), min_size=1, max_size=40))
def test_times_around_a_changed_clock_are_true_or_not_known(gaps: list[timedelta]) -> None:
    """On the last Sunday of October, from 00:00 UTC: 02:00 to 03:00 on the wall is there twice."""
    moments = [datetime(2026, 10, 25, tzinfo=UTC)]
    for gap in gaps:
        moments.append(moments[-1] + gap)
    told = utc(wall(moments, BERLIN), BERLIN)
    for moment, time in zip(moments, told, strict=True):
        is_twice = 0 <= (moment - moments[0]).total_seconds() < 2 * 3600
        assert time == moment or (time is None and is_twice)


def test_a_clock_that_goes_back_tells_which_of_two_hours_is_meant() -> None:
    """Each 21 minutes, through both hours from two to three."""
    moments = [datetime(2026, 10, 24, 23, 50, tzinfo=UTC) + n * timedelta(minutes=21) for n in range(12)]
    assert utc(wall(moments, BERLIN), BERLIN) == moments


def test_an_hour_that_was_left_out_has_no_time() -> None:
    """On the last Sunday of March, no clock showed half past two."""
    times = [datetime(2026, 3, 29, hour, 30) for hour in (1, 2, 3)]
    assert utc(times, BERLIN) == [
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        None,
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    ]


def test_lines_out_of_order_keep_their_times() -> None:
    """A log that was put together of two does not lose its times."""
    moments = [NOON, NOON - timedelta(days=40), NOON + timedelta(days=1)]
    assert utc(wall(moments, BERLIN), BERLIN) == moments
