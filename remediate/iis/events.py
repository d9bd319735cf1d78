"""What the events of IIS's activation service mean, and what Windows logs of them. Pure.

Sources: Microsoft's event documentation ("IIS Application Pool Recycling", "IIS Worker Process Availability", "IIS
Worker Process Dynamic Idle"), the messages' texts, and the IIS configuration schema. The ids that a server is asked for
are the same, in the collection's IisEvents.psm1.
"""

from dataclasses import dataclass

from remediate.values.logs import RecycleCause, WorkerEventKind

WAS = "Microsoft-Windows-WAS"
# The event of an unhandled exception, and who writes it: ASP.NET, by its version.
UNHANDLED = 1309
ASP_NET = ("ASP.NET 4.0.30319.0", "ASP.NET 2.0.50727.0")
LOG_RECYCLE = "recycling.logEventOnRecycle"
LOG_IDLE = "processModel.logEventOnProcessModel"


@dataclass(frozen=True)
class Meaning:
    """``flag`` must stand in the pool's ``attribute``, or the event is not logged; None: it is always logged.

    ``place``: which of its data is the pool's name, from 0, where the data have no names; None: it is about no pool.
    """

    kind: WorkerEventKind
    cause: RecycleCause | None = None
    attribute: str | None = None
    flag: str | None = None
    place: int | None = 0
    provider: str = WAS


def _recycle(cause: RecycleCause, flag: str, place: int = 1) -> Meaning:
    return Meaning("recycle", cause, LOG_RECYCLE, flag, place)


MEANING: dict[int, Meaning] = {
    5186: Meaning("idle-stop", None, LOG_IDLE, "IdleTimeout", place=1),
    5195: Meaning("shortened", place=1),
    5074: _recycle("time", "Time"),
    5075: _recycle("requests", "Requests"),
    5076: _recycle("schedule", "Schedule"),
    5077: _recycle("virtual-memory", "Memory"),
    5078: _recycle("unhealthy", "IsapiUnhealthy"),
    5079: _recycle("administrator", "OnDemand", place=0),
    5080: _recycle("configuration", "ConfigChange", place=0),
    5081: Meaning("recycle", "inconsistent"),
    5117: _recycle("private-memory", "PrivateMemory"),
    5002: Meaning("failure"),
    5009: Meaning("failure"),
    5010: Meaning("failure"),
    5011: Meaning("failure"),
    5139: Meaning("failure"),
    # Windows' own, about no pool: the kernel, and the event log, started.
    12: Meaning("boot", place=None, provider="Microsoft-Windows-Kernel-General"),
    6005: Meaning("boot", place=None, provider="EventLog"),
}
