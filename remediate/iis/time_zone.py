"""A server's time zone: from what it reports to one that the times of its logs may be read in. Pure.

Windows' names are translated by the table of Unicode CLDR, as tzlocal ships it. A name alone proves little: daylight
saving time may be switched off on the server, the server may lack a change of the law that is known here, and the
answer is hostile input. So the zone must have had each of the offsets that the server reports for the past year.
"""

import re
from datetime import timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import win_tz

from remediate.iis.clock import clock_time
from remediate.values.fleet import TimeZone

# Between two of the reported offsets; IisRead.psm1 has the same.
_APART = timedelta(days=30)
# Other years are no server's, and leave the calendar.
_YEARS = range(1990, 2201)
# An IANA name: no path, and nothing that steers a terminal.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")


def zone_of(reported: TimeZone | None, clock: str | None) -> tuple[ZoneInfo | None, str | None]:
    """The zone that an inspection reports beside that ``clock``; where it cannot be used None, and a warning."""
    try:
        return (None if reported is None else _checked(reported, clock)), None
    except ValueError as error:
        return None, f"{error}; logs are not read in it: give `remediate diagnose` --time-zone"


def _checked(reported: TimeZone, clock: str | None) -> ZoneInfo:
    """The zone, if it had the reported offsets. ValueError: why it cannot be used, in words."""
    zone = _named(reported.id)
    time = clock_time(clock)
    if time is None or time.year not in _YEARS:
        raise ValueError("its clock gives no time by which its time zone could be checked")
    for number, minutes in enumerate(reported.offsets):
        moment = (time - number * _APART).astimezone(zone)
        said = moment.astimezone(timezone(timedelta(minutes=minutes)))
        if moment.utcoffset() != said.utcoffset():
            raise ValueError(
                f"its time zone {reported.id!r} ({zone.key}) was at UTC{moment:%z} on {moment:%Y-%m-%d}, but the "
                f"server reports UTC{said:%z} (daylight saving time may be switched off there)"
            )
    return zone


def _named(name: str) -> ZoneInfo:
    translated = win_tz.get(name, name)
    try:
        if _NAME.fullmatch(translated):
            return ZoneInfo(translated)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"its time zone {name!r} is not known here")
