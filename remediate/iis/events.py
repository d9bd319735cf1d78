"""What the events of Windows' System log say about worker processes. Events are known by source and id, never by text.

5186 and 5195 both tell that a worker was ended for inactivity; 5195, that its time-out had been cut before.
"""

from remediate.evidence import RecycleCause, WorkerEventKind

WAS = "Microsoft-Windows-WAS"

# (source, id) -> what happened, and for a recycle why.
WORKER_EVENTS: dict[tuple[str, int], tuple[WorkerEventKind, RecycleCause | None]] = {
    (WAS, 5186): ("idle-stop", None),
    (WAS, 5195): ("shortened", None),
    (WAS, 5074): ("recycle", "time"),
    (WAS, 5075): ("recycle", "requests"),
    (WAS, 5076): ("recycle", "schedule"),
    (WAS, 5077): ("recycle", "virtual-memory"),
    (WAS, 5078): ("recycle", "unhealthy"),
    (WAS, 5117): ("recycle", "private-memory"),
    (WAS, 5079): ("recycle", "administrator"),
    (WAS, 5080): ("recycle", "configuration"),
    (WAS, 5002): ("failure", None),
    (WAS, 5009): ("failure", None),
    (WAS, 5011): ("failure", None),
    (WAS, 5139): ("failure", None),
    ("EventLog", 6005): ("boot", None),
    ("Microsoft-Windows-Kernel-General", 12): ("boot", None),
}

# The sources of ASP.NET in the Application log, and its event for an unhandled exception.
ASP_NET = ("ASP.NET 4.0.30319.0", "ASP.NET 2.0.50727.0")
UNHANDLED = 1309
