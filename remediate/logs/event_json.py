"""The fields of an event in JSON, whoever wrote it.

    Get-WinEvent, Get-EventLog | ConvertTo-Json   Id, ProviderName, TimeCreated, Properties, ...
    winlogbeat 7 and newer (ECS)                  winlog: {event_id, provider_name, event_data}, @timestamp
    winlogbeat 5 and 6                            event_id, source_name, event_data, @timestamp
    NXLog's im_msvistalog                         EventID, SourceName, EventTime, and the data as fields of their own

Sources: Elastic's "Winlogbeat fields" and NXLog's reference of im_msvistalog. NXLog up to 4 writes the server's wall
clock; all others' times have a zone. JSON of Windows PowerShell 5.1 has `\\/Date(1795611600000)\\/`, of 7 an ISO date.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from remediate.logs.timestamps import epoch, moment, number_time

_IDS = ("Id", "EventID", "event_id", "InstanceId")
_TIMES = ("TimeCreated", "TimeGenerated", "EventTime", "@timestamp")
_SOURCES = ("ProviderName", "Source", "SourceName", "provider_name", "source_name")
_HOSTS = ("MachineName", "Hostname", "computer_name")
_MESSAGES = ("Message", "message")
# Where winlogbeat, and Elasticsearch's exports around it, keep the event's own fields.
_INSIDE = ("_source", "winlog")
_DATA = ("event_data", "user_data")
# What NXLog writes beside the event's own data, but for names that are read above.
_NXLOG = "SourceModuleType"
_OF_NXLOG = {
    "EventType", "Severity", "ProviderGuid", "Channel", "Domain", "AccountName", "UserID", "AccountType", "Category",
    "Opcode", "Keywords", "EventReceivedTime", "SourceModuleName", "SourceModuleType", "ActivityID",
    *_SOURCES, *_TIMES, *_IDS, *_HOSTS, *_MESSAGES,
}  # fmt: skip
# What stands for each of the data where the export did not go deep enough.
_NOT_EXPORTED = "System.Diagnostics.Eventing.Reader.EventProperty"
_NUMBERED = re.compile(r"param(\d{1,4})")


class Event(Struct, frozen=True, kw_only=True):
    """``data``: name, or "", and value, in order. ``time`` has no zone where the export has none."""

    source: str | None
    id: int
    time: datetime | None
    host: str | None
    data: tuple[tuple[str, str], ...]
    message: str = ""


def of_json(value: Mapping[str, Any]) -> Event | None:
    """The event; None where this is none."""
    fields = dict(value)
    for name in _INSIDE:
        if isinstance(inner := fields.get(name), dict):
            fields |= inner
    code = next((number for name in _IDS if (number := _number(fields.get(name))) is not None), None)
    if code is None:
        return None
    return Event(
        source=_text(fields, _SOURCES), id=code, time=_time(fields), host=_text(fields, _HOSTS), data=_data(fields),
        message=_text(fields, _MESSAGES) or "",
    )  # fmt: skip


def _text(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((found for name in names if isinstance(found := fields.get(name), str) and found), None)


def _number(value: object) -> int | None:
    """The event's id: a number, or the text of one; without the bits of the severity that an InstanceId has."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= 10:
        value = int(value)
    return value & 0xFFFF if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _time(fields: Mapping[str, Any]) -> datetime | None:
    name = next((name for name in _TIMES if fields.get(name) is not None), "")
    time = fields.get(name)
    if isinstance(time, dict):
        time = time.get("value", time.get("DateTime"))
    if isinstance(time, int | float) and not isinstance(time, bool):
        return epoch(time)
    if not isinstance(time, str):
        return None
    if (instant := number_time(time)) is not None:
        return instant
    found = moment(time)
    return found if found is None or found.tzinfo is not None or name == "EventTime" else None


def _data(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    properties = fields.get("Properties", fields.get("ReplacementStrings"))
    if isinstance(properties, list):
        values = [item.get("Value") if isinstance(item, dict) else item for item in properties if item != _NOT_EXPORTED]
        return tuple(("", str(value)) for value in values if value is not None)
    named = next((found for name in _DATA if isinstance(found := fields.get(name), dict)), None)
    if named is None:
        named = {n: v for n, v in fields.items() if n not in _OF_NXLOG} if _NXLOG in fields else {}
        return tuple((name, value) for name, value in named.items() if isinstance(value, str))
    # Unnamed data are param1 to param30, which Go sorts as texts.
    places = {name: int(match[1]) for name in named if (match := _NUMBERED.fullmatch(name))}
    ordered = sorted(named.items(), key=lambda item: places.get(item[0], 0))
    return tuple(("" if name in places else name, str(v)) for name, v in ordered if isinstance(v, str | int | float))
