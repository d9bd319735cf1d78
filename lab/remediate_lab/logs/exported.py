"""Worker events as ``Get-WinEvent | ConvertTo-Json`` writes them, in Windows PowerShell 5.1 and in PowerShell 7.

5.1 writes a date as ``\\/Date(milliseconds)\\/``, 7 as ISO 8601 with the zone's offset. One event alone is an object,
and no list of one. The message is the English one.
"""

import json
import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from remediate.values.logs import WorkerEvent
from remediate_lab.clock.moments import to_ms
from remediate_lab.logs.events import pool_fields, process_id

_WHY = {
    5074: "reached its allowed processing time limit",
    5075: "reached its allowed request limit",
    5076: "reached its scheduled recycle time",
    5077: "reached its virtual memory limit",
    5078: "reported itself as unhealthy",
    5117: "reached its private bytes memory limit",
}


def render(events: Sequence[WorkerEvent], computer: str, version: int, zone: tzinfo) -> str:
    """The text; ``version`` is 5 or 7."""
    values = [_value(event, computer, version, zone) for event in events if event.pool is not None]
    text = json.dumps(values[0] if len(values) == 1 else values, indent=4 if version == 5 else 2)
    # 5.1 escapes the slashes of a date.
    return (re.sub(r'"/Date\((\d+)\)/"', r'"\/Date(\1)\/"', text) if version == 5 else text) + "\n"


def _value(event: WorkerEvent, computer: str, version: int, zone: tzinfo) -> dict[str, Any]:
    time = f"/Date({to_ms(event.time)})/" if version == 5 else event.time.astimezone(zone).isoformat()
    process = process_id(event)
    return {
        "Id": event.id, "Version": 0, "Qualifiers": 16384, "Level": 4, "Task": 0, "Opcode": 0,
        "Keywords": 36028797018963968, "RecordId": to_ms(event.time), "ProviderName": "Microsoft-Windows-WAS",
        "ProviderId": "524b5d04-133c-4a62-8362-64e8edb9ce40", "LogName": "System", "ProcessId": 0, "ThreadId": 0,
        "MachineName": computer, "UserId": None, "TimeCreated": time, "ActivityId": None, "RelatedActivityId": None,
        "ContainerLog": "System", "MatchedQueryIds": [], "Bookmark": {}, "LevelDisplayName": "Information",
        "OpcodeDisplayName": "Info", "TaskDisplayName": None, "KeywordsDisplayNames": ["Classic"],
        "Properties": [{"Value": value} for _, value in pool_fields(event)], "Message": _message(event, process),
    }  # fmt: skip


def _message(event: WorkerEvent, process: str) -> str:
    pool = event.pool
    if event.id == 5079:
        return f"An administrator has requested a recycle of all worker processes in application pool '{pool}'."
    if event.id == 5080:
        return (
            f"The worker processes serving application pool '{pool}' are being recycled due to 1 or more configuration "
            "changes in the application pool properties which necessitate a restart of the processes."
        )
    if event.id == 5081:
        return (
            f"The worker processes serving application pool '{pool}' are being recycled due to an inconsistency in the "
            "configuration store."
        )
    if event.id == 5009:
        return (
            f"A process serving application pool '{pool}' terminated unexpectedly. The process id was '{process}'. The "
            "process exit code was '0xc0000005'."
        )
    if event.id == 5010:
        return (
            f"A process serving application pool '{pool}' failed to respond to a ping. The process id was '{process}'."
        )
    if event.id == 5139:
        return (
            f"A listener channel for protocol 'http' in worker process '{process}' serving application pool '{pool}' "
            "reported a listener channel failure. The data field contains the error number."
        )
    if event.id == 5011:
        return (
            f"A process serving application pool '{pool}' suffered a fatal communication error with the Windows "
            f"Process Activation Service. The process id was '{process}'. The data field contains the error number."
        )
    who = f"A worker process with process id of '{process}' serving application pool '{pool}'"
    if event.id in _WHY:
        return f"{who} has requested a recycle because the worker process {_WHY[event.id]}."
    return f"{who} was shutdown due to inactivity. A new worker process will be started when needed."
