"""Times as loggers write them, and the order of day and month where only the rest of the file can tell it.

A time that tells its zone is given in UTC; the others are wall clocks.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from msgspec import Struct

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?i:{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DATE = rf"""
      (?P<y1>\d{{4}})[-/.](?P<m1>\d\d?)[-/.](?P<d1>\d\d?)
    | (?P<y2>(?:19|20)\d\d)(?P<m2>[01]\d)(?P<d2>[0-3]\d)
    | (?P<d3>\d\d?)\.(?P<m3>\d\d?)\.(?P<y3>\d{{4}})
    | (?P<a>\d\d?)[/-](?P<b>\d\d?)[/-](?P<y4>\d{{4}})
    | (?P<d5>\d\d?)[ /-](?P<name>{_MONTH})[ /-](?P<y5>\d{{4}})
    | (?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]{{0,6}},?[ ])?
      (?P<name6>{_MONTH})[ ]{{1,2}}(?P<d6>\d\d?)(?:,?[ ](?P<y6>\d{{4}})(?!:))?"""
_CLOCK = r"""
    (?P<hour>\d\d?)[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?)?(?![\d:])
    (?:(?:\s|\xc2\xa0|\xe2\x80\xaf)?(?P<half>[AaPp])\.?[Mm]\b\.?)?
    (?:\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?"""
_ALONE = r"(?=\d\d:\d\d:\d\d)" + _CLOCK.replace("?P<", "?P<alone_")
# What may stand before the time: a level, a thread, something in brackets.
_BEFORE = r"""
    (?:\xef\xbb\xbf)?
    (?:(?:(?i:trace|debug|verbose|info|information|warn|warning|error|fatal|critical)|[\[(][^\])\r\n]{1,40}[\])]|\d{1,6})
       [ \t|:;,-]{1,3}){0,3}?
    [\["'(<|]?\s?"""


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode("latin-1"), re.X)


# Where a date begins with the month's name, the year may come last.
_YEAR = r"(?:[ ](?P<y7>(?:19|20)\d\d)(?!\d))?"
DATED = _compiled(rf"{_BEFORE}(?:{_DATE})(?:T|[ ,:-]{{1,2}}){_CLOCK}{_YEAR}")
# In a log whose entries have no date.
UNDATED = _compiled(rf"{_BEFORE}(?:(?:{_DATE})(?:T|[ ,:-]{{1,2}}){_CLOCK}|{_ALONE})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_NUMBER = re.compile(r"\d{9,17}(?:\.\d{1,9})?")
_FILE_DATE = re.compile(r"(?<!\d)(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?:\d\d){0,3}(?!\d)")


class Stamp(Struct, frozen=True):
    """A time, read with the day first and with the month first; the two differ where that is open."""

    day_first: datetime | None
    month_first: datetime | None


class DayOrder:
    """What the dates of one file tell about the order of day and month in it."""

    def __init__(self, day: date | None) -> None:
        self._day = day
        self._orders: set[str] = set()

    def see(self, stamp: Stamp | None) -> None:
        """A date that can be read in one way only tells of all others; so does one that is the file's own date."""
        if stamp is None or stamp.day_first == stamp.month_first:
            return
        for order, here, other in (
            ("day", stamp.day_first, stamp.month_first),
            ("month", stamp.month_first, stamp.day_first),
        ):
            if here is not None and (other is None or here.date() == self._day):
                self._orders.add(order)

    def settle(self, stamp: Stamp) -> datetime | None:
        """The time meant; None where the file does not tell, or contradicts itself."""
        if stamp.day_first == stamp.month_first or None in (stamp.day_first, stamp.month_first):
            return stamp.day_first or stamp.month_first
        if len(self._orders) != 1:
            return None
        return stamp.day_first if "day" in self._orders else stamp.month_first


def file_date(name: str) -> date | None:
    """The date in a file's name: app-20261125.log, app.2026-11-25.log."""
    match = _FILE_DATE.search(name)
    try:
        return None if match is None else date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def read_stamp(match: re.Match[bytes], day: date | None = None) -> Stamp | None:
    """The time of a match of DATED or UNDATED; ``day`` is the file's, for a clock without a date. None: there is no
    such time, or no day is known."""
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    if "alone_hour" in found:
        found = {name.removeprefix("alone_"): value for name, value in found.items()}
        time = None if day is None else _time(day.year, day.month, day.day, found)
        return None if time is None else Stamp(time, time)
    if "a" in found:
        a, b, year = int(found["a"]), int(found["b"]), int(found["y4"])
        stamp = Stamp(_time(year, b, a, found), _time(year, a, b, found))
        return None if stamp == Stamp(None, None) else stamp
    if "name" in found:
        time = _time(int(found["y5"]), _month(found["name"]), int(found["d5"]), found)
    elif "name6" in found:
        time = _of_month_and_day(found, day)
    else:
        place = next(n for n in "123" if f"y{n}" in found)
        time = _time(int(found[f"y{place}"]), int(found[f"m{place}"]), int(found[f"d{place}"]), found)
    return None if time is None else Stamp(time, time)


def _month(name: bytes) -> int:
    return _MONTHS.index(name[:3].decode().casefold()) + 1


def _of_month_and_day(found: dict[str, bytes], near: date | None) -> datetime | None:
    """Without a year, as in syslog, it is the day that is the nearest to the file's."""
    month, day, year = _month(found["name6"]), int(found["d6"]), found.get("y6", found.get("y7"))
    if year is not None:
        return _time(int(year), month, day, found)
    if near is None:
        return None
    times = [time for n in (-1, 0, 1) if (time := _time(near.year + n, month, day, found)) is not None]
    return min(times, key=lambda time: abs(time.date() - near), default=None)


def number_time(text: str) -> datetime | None:
    """The time of a text that is a number since 1970, or JSON's `/Date(1795611600000)/` of Windows PowerShell."""
    if match := _JSON_DATE.fullmatch(text):
        return epoch(int(match[1]), milliseconds=True)
    return epoch(float(text)) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> datetime | None:
    """The time that a text begins with, where only one reading is possible."""
    match = DATED.match(text.encode())
    stamp = None if match is None else read_stamp(match)
    return stamp.day_first if stamp is not None and stamp.day_first == stamp.month_first else None


def epoch(number: float, *, milliseconds: bool = False) -> datetime | None:
    """The time of a number of seconds, milliseconds or microseconds since 1970, which is known by its size; None where
    it means none of these."""
    size = abs(number)
    unit = 1e3 if milliseconds or 1e11 <= size < 1e14 else 1e6 if 1e14 <= size < 1e17 else 1
    try:
        time = _EPOCH + timedelta(microseconds=round(number * 1e6 / unit))
    except (OverflowError, ValueError):
        return None
    return time if 1900 <= time.year <= 2500 and (milliseconds or size >= 1e8) else None


def _time(year: int, month: int, day: int, found: dict[str, bytes]) -> datetime | None:
    hour = int(found["hour"])
    if half := found.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in b"Pp" else 0)
    # A year far away is no time of a log, and would leave the calendar with its zone.
    if not 1900 <= year <= 2500:
        return None
    micro = int(found.get("fraction", b"0").ljust(6, b"0")[:6])
    try:
        time = datetime(year, month, day, hour, int(found["minute"]), int(found.get("second", 0)), micro)
        zone = found.get("zone")
        return time if zone is None else time.replace(tzinfo=_offset(zone)).astimezone(UTC)
    except ValueError:
        return None


def _offset(zone: bytes) -> timezone:
    if zone[:1] not in b"+-":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if zone[:1] == b"-" else offset)
