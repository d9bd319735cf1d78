"""A server's clock against ours. Pure.

An inspection reads the server's clock once, and takes a while: only what lies before its beginning or after its end is
a difference, so a slow server is never said to have a wrong clock.
"""

from datetime import UTC, datetime, timedelta

_TOLERATED = timedelta(minutes=1)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def clock_time(clock: str | None) -> datetime | None:
    """The time that an inspection's ``clock`` tells; None where it is no time."""
    try:
        return datetime.strptime(clock or "", _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def clock_warning(clock: str | None, began: datetime, ended: datetime) -> str | None:
    """By how much the clock is off, if it is so by more than a minute; None too where it is no time."""
    told = clock_time(clock)
    if told is None:
        return None
    ahead, behind = told - ended, began - told
    if max(ahead, behind) <= _TOLERATED:
        return None
    by, which = (ahead, "ahead of") if ahead > behind else (behind, "behind")
    return f"its clock is {_rounded(by)} {which} ours, and so are the times of its events and logs"


def _rounded(by: timedelta) -> str:
    minutes = round(by / timedelta(minutes=1))
    if minutes < 120:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"
