"""Moments as whole milliseconds since 1970 in UTC, which the simulation counts in, and as aware datetimes."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


def to_time(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def times_of_day(seconds: int, begin: int, end: int, zone: tzinfo) -> Iterator[int]:
    """When the wall clock of that zone shows so many seconds after midnight, day by day.

    A time that a change of the clock leaves out is taken as the clock would have shown it without the change; of one
    that comes twice, the first.
    """
    day = to_time(begin).astimezone(zone).date() - timedelta(days=1)
    hour, rest = divmod(seconds, 3600)
    while True:
        moment = to_ms(datetime.combine(day, time(hour, *divmod(rest, 60)), zone).astimezone(UTC))
        if moment >= end:
            return
        if moment >= begin:
            yield moment
        day += timedelta(days=1)
