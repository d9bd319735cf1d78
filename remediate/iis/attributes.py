"""The attributes that matter, what their values mean, and the two fixes. Facts: the IIS 10 configuration schema."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from remediate.model import FixName, Pool, Recycle, Writable

START_MODE: Writable = "startMode"
IDLE_TIMEOUT: Writable = "processModel.idleTimeout"
IDLE_ACTION = "processModel.idleTimeoutAction"
# What together makes the fault periodic.
CONDITION = (START_MODE, IDLE_TIMEOUT, IDLE_ACTION)

# The characters that the configuration API refuses in an application pool's name. A file edited by hand can hold
# one all the same; such a pool is reported, and never changed.
ILLEGAL_IN_NAMES = frozenset('\\/"|<>:*?][+=;,@&')

_TIME = re.compile(r"(?:(\d{1,5})\.)?(\d{1,5}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True)
class Fix:
    """A fix sets one attribute to one value."""

    attribute: Writable
    set: str


FIXES: dict[FixName, Fix] = {
    "idle-timeout": Fix(IDLE_TIMEOUT, "00:00:00"),
    "on-demand": Fix(START_MODE, "OnDemand"),
}


def seconds(text: str) -> int:
    """A time span of IIS, ``[d.]hh:mm:ss`` with hours above 23 allowed, in seconds; ValueError for anything else."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time span: write [d.]hh:mm:ss")
    days, hours, minutes, secs = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + secs


def legal_name(name: str) -> bool:
    """Whether the configuration API would take this as a pool's name."""
    return bool(name) and name.isprintable() and not ILLEGAL_IN_NAMES.intersection(name)


def recycle_forecast(pool: Pool, attribute: str) -> Recycle:
    """What writing the attribute does to the pool's running worker.

    For idleTimeout: a recycle, unless disallowRotationOnConfigChange defers it to the next start (verified for
    IIS 7). For startMode nobody has published it: ``unknown``.
    """
    if pool.state == "Stopped":
        return "none"
    if attribute != IDLE_TIMEOUT:
        return "unknown"
    return "deferred" if pool.value("recycling.disallowRotationOnConfigChange") == "true" else "now"


def defaults_forecast(inheriting: Iterable[Pool]) -> Recycle:
    """What writing applicationPoolDefaults does to the workers of inheriting pools: nobody has published it."""
    return "unknown" if any(pool.state != "Stopped" for pool in inheriting) else "none"
