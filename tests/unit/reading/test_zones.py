"""From wall clocks to UTC, by a zone that is given or inferred."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.errors import RemediateError
from remediate.logs import guess_zone, in_zone, parse_zone
from remediate.values.logs import Occurrence, Request, WorkerEvent

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def errors(times: Iterable[datetime | None], code: str = "0x80070032") -> list[Occurrence]:
    return [Occurrence(code=code, time=time) for time in times]


def wall(times: Iterable[datetime], zone: tzinfo) -> list[datetime]:
    """What the clock on the wall showed."""
    return [time.astimezone(zone).replace(tzinfo=None) for time in times]


def utc(times: Iterable[datetime | None], zone: tzinfo) -> list[datetime | None]:
    return [occurrence.time for occurrence in in_zone(errors(times), zone)]


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


def idle(start: datetime, count: int, minutes: float, jitter: float) -> tuple[list[datetime], list[WorkerEvent]]:
    """Errors of an idle worker that was ended each so many minutes and a little more, and the events of it."""
    chance = random.Random(count)  # noqa: S311  # variety, not secrets
    ends = [start]
    for _ in range(count - 1):
        ends.append(ends[-1] + timedelta(minutes=minutes + jitter * chance.random()))
    events = [WorkerEvent(time=end, id=5186, kind="idle-stop", pool="shop") for end in ends]
    return [end + timedelta(seconds=3) for end in ends], events


@pytest.mark.parametrize("zone", ["+02:00", "-03:30", "UTC", "+05:45", "+14:00", "-12:00"])
def test_idle_stops_tell_the_zone_of_the_errors_after_them(zone: str) -> None:
    moments, events = idle(NOON, 30, 20, 2)
    guess = guess_zone(errors(wall(moments, parse_zone(zone))), events=events)
    assert guess is not None
    assert guess.name == zone
    assert guess.by == "30 of 30 errors that followed a worker's end"
    assert utc(wall(moments, guess.zone), guess.zone) == moments


def test_errors_that_come_each_hour_fit_every_whole_hour() -> None:
    """Each shift by an hour explains all but one of them: no zone is guessed."""
    moments, events = idle(NOON, 40, 60, 0)
    assert guess_zone(errors(wall(moments, BERLIN)), events=events) is None


def test_a_changed_clock_is_seen_and_the_zone_has_a_name() -> None:
    """Through the last Sunday of October, most errors before it."""
    moments, events = idle(datetime(2026, 10, 23, tzinfo=UTC), 200, 20, 2)
    guess = guess_zone(errors(wall(moments, BERLIN)), events=events)
    assert guess is not None
    assert guess.name.startswith("Europe/")
    told = utc(wall(moments, BERLIN), guess.zone)
    assert sum(time == moment for time, moment in zip(told, moments, strict=True)) == 200


def test_requests_tell_the_zone_of_errors_that_were_a_clients() -> None:
    """Only of other codes: the server's own request has no line in the IIS log."""
    chance = random.Random(5)  # noqa: S311  # variety, not secrets
    moments = sorted(NOON + timedelta(seconds=chance.randrange(86400)) for _ in range(12))
    others = [NOON + timedelta(seconds=chance.randrange(86400)) for _ in range(300)]
    requests = [Request(time=time.replace(microsecond=0)) for time in sorted([*moments, *others])]
    gone = guess_zone(errors(wall(moments, BERLIN), "0x800704CD"), requests=requests)
    assert gone is not None
    assert (gone.name, gone.by) == ("+01:00", "12 of 12 errors of requests that are in the IIS log")
    assert guess_zone(errors(wall(moments, BERLIN)), requests=requests) is None


def test_a_busy_server_fits_every_zone() -> None:
    moments = [NOON + timedelta(minutes=17 * n) for n in range(30)]
    requests = [Request(time=NOON + timedelta(seconds=2 * n)) for n in range(-30_000, 50_000)]
    assert guess_zone(errors(wall(moments, BERLIN), "0x800704CD"), requests=requests) is None


def test_two_errors_are_too_few() -> None:
    moments, events = idle(NOON, 2, 20, 2)
    assert guess_zone(errors(wall(moments, BERLIN)), events=events) is None


def test_many_errors_at_once_are_one_coincidence() -> None:
    """Ten after each of two idle stops prove no more than two."""
    moments, events = idle(NOON, 2, 20, 2)
    many = [moment + timedelta(milliseconds=70 * n) for moment in moments for n in range(10)]
    assert guess_zone(errors(wall(many, BERLIN)), events=events) is None


def test_witnesses_that_disagree_tell_nothing() -> None:
    moments, events = idle(NOON, 30, 20, 2)
    requests = [Request(time=moment + timedelta(hours=3)) for moment in moments]
    both = errors(wall(moments, BERLIN)) + errors(wall(moments, BERLIN), "0x800704CD")
    assert guess_zone(both, events=events) is not None
    assert guess_zone(both, events=events, requests=requests) is None


def test_errors_before_the_events_begin_do_not_count_against_a_zone() -> None:
    """The application's log is kept for longer than the System log."""
    moments, events = idle(NOON, 200, 20, 2)
    guess = guess_zone(errors(wall(moments, BERLIN)), events=events[150:])
    assert guess is not None
    assert guess.name == "+01:00"


@given(st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)), max_size=8).map(sorted), st.randoms())
def test_two_events_and_any_errors_tell_nothing(times: list[datetime], chance: random.Random) -> None:
    """Two coincidences are none, also of many errors."""
    events = [
        WorkerEvent(
            time=NOON.replace(month=1, day=1) + timedelta(seconds=chance.randrange(172_800)), id=5186, kind="idle-stop"
        )
        for _ in range(2)
    ]
    assert guess_zone(errors(times), events=events) is None
