"""The attributes that matter, what their values mean, and the two fixes. Facts: the IIS 10 configuration schema."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from remediate.collection import plugin_util
from remediate.values.findings import FixName
from remediate.values.fleet import Pool
from remediate.values.plans import Recycle, Writable

# The rule of which pools are at risk: the collection's playbooks keep it too.
AT_RISK = plugin_util("at_risk")
START_MODE: Writable = "startMode"
IDLE_TIMEOUT: Writable = "processModel.idleTimeout"
IDLE_ACTION = "processModel.idleTimeoutAction"
# What together makes the fault periodic.
CONDITION: tuple[str, ...] = AT_RISK.CONDITION
MEANINGS = {START_MODE: ("OnDemand", "AlwaysRunning"), IDLE_ACTION: ("Terminate", "Suspend")}

_TIME = re.compile(r"(?:([0-9]{1,5})\.)?([0-9]{1,5}):([0-5][0-9]):([0-5][0-9])")
_NUMBER = re.compile(r"[0-9]{1,5}")
_WITH_UNIT = re.compile(r"([0-9]{1,5}) ?(s|sec|m|min|h|d)", re.IGNORECASE | re.ASCII)
_TWO_PARTS = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Fix:
    """A fix sets one attribute to one value."""

    attribute: Writable
    set: str


def ends_when_idle(idle: str | None, action: str | None) -> bool:
    """Whether an idle worker is ended. Where IIS does not know idleTimeoutAction (before 8.5), it always is."""
    ends: bool = AT_RISK.ends_when_idle(idle, action)
    return ends


FIXES: dict[FixName, Fix] = {
    "idle-timeout": Fix(IDLE_TIMEOUT, "00:00:00"),
    "on-demand": Fix(START_MODE, "OnDemand"),
}


def seconds(text: str) -> int:
    """A time span of IIS, ``[d.]hh:mm:ss`` with hours above 23 allowed, in seconds.

    ValueError for anything else, which says how to write what was meant. The collection's IisRead.psm1 says the same.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time span: {_what_was_meant(text)}.")
    days, hours, minutes, secs = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + secs


def _what_was_meant(text: str) -> str:
    if _NUMBER.fullmatch(text):
        number = int(text)
        return f".NET would read {number} days; write {time_text(number * 60)} for {number} minutes"
    if unit := _WITH_UNIT.fullmatch(text):
        return f"write {time_text(int(unit[1]) * _UNITS[unit[2].lower()])}"
    if parts := _TWO_PARTS.fullmatch(text):
        first, second = int(parts[1]), int(parts[2])
        long, short = time_text((first * 60 + second) * 60), time_text(first * 60 + second)
        return f"as hh:mm it would be {long}, as mm:ss {short}; write which"
    return "write [d.]hh:mm:ss"


def time_text(total: int) -> str:
    """Seconds as .NET's constant format: ``[d.]hh:mm:ss``."""
    days, rest = divmod(total, 86400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}.{clock}" if days else clock


def legal_name(name: str) -> bool:
    """Whether IIS takes this as a pool's name. What could steer a terminal is legal: output spells it out."""
    legal: bool = AT_RISK.legal_name(name)
    return legal


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
