"""The time zone of a simulated server: what it reports, and what makes a real PowerShell report the same.

.NET takes the local zone's name from TZ, and its rules from the file of that name below TZDIR. So a server has such a
folder of its own, in which the file of ``Europe/Berlin`` may be called ``W. Europe Standard Time``, as in Windows.
"""

from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from remediate_lab.knobs import Knobs, read_knobs

_FOLDER = "TimeZones"
_MONTHS, _MONTH = 13, timedelta(days=30)


def zone_id(knobs: Knobs) -> str:
    return knobs.get("time_zone", "UTC")


def rules(knobs: Knobs) -> ZoneInfo:
    """The zone by which the server's wall clock goes."""
    name = zone_id(knobs)
    return ZoneInfo(knobs.get("time_zone_rules", win_tz.get(name, name)))


def reported(knobs: Knobs, now: datetime) -> dict[str, Any]:
    """As Get-IisTimeZone of IisRead.psm1 answers."""
    zone = rules(knobs)
    moments = [(now - _MONTH * n).astimezone(zone) for n in range(_MONTHS)]
    offsets = [offset // timedelta(minutes=1) for moment in moments if (offset := moment.utcoffset()) is not None]
    return {"id": zone_id(knobs), "offsets": offsets}


def environment(windows: Path) -> dict[str, str]:
    """The variables for a PowerShell of that server; its folder of zones is written."""
    knobs = read_knobs(windows)
    file = windows / _FOLDER / zone_id(knobs)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((files("tzdata") / "zoneinfo" / rules(knobs).key).read_bytes())
    return {"TZ": zone_id(knobs), "TZDIR": str(windows / _FOLDER)}
