"""Numbers and times as a person reads them in reasons."""

from datetime import UTC, datetime

from remediate.diagnose.observations import Cause

# What to do where times have no zone.
ZONE_BY = "--time-zone, or --audit with an audit that reports the server's zone"
GIVE_ZONE = f"give {ZONE_BY}"

_CAUSES = {
    "time": "a recycle by time", "requests": "a recycle by the number of requests", "schedule": "a scheduled recycle",
    "virtual-memory": "a recycle by virtual memory", "private-memory": "a recycle by private memory",
    "administrator": "a recycle by an administrator", "configuration": "a recycle by a change of the configuration",
    "unhealthy": "a recycle by ISAPI", "inconsistent": "a recycle by an inconsistent configuration store",
    "recycle": "a recycle", "boot": "a start of Windows",
    "failure": "a failure of the worker",
}  # fmt: skip


def count(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def minutes(seconds: float) -> str:
    """``21:02`` for 1262 seconds, ``29:00:05`` from an hour on."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    clock = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{clock}" if hours else clock


def moment(time: datetime) -> str:
    """To the second; UTC where a zone is known."""
    if time.tzinfo is None:
        return time.strftime("%Y-%m-%d %H:%M:%S")
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def cause_text(cause: Cause) -> str:
    return _CAUSES.get(cause.why, cause.why)
