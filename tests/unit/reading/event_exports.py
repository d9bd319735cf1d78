"""The events of tests/cases/logs, as other programs export them.

Written by hand after: Elastic's "Winlogbeat fields" and its published examples of version 5 and 7 (unnamed data are
param1, param2, ... in the order of their names, for Go sorts them); NXLog's reference of im_msvistalog, and published
lines of it (versions up to 4 write the server's own time, without its zone). The texts of 1309 are ASP.NET's, by the
positions that its published source has.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any
from xml.etree import ElementTree

from msgspec import Struct

from tests.unit.reading import samples
from tests.unit.reading.rendering import ZONE

_NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"


class Exported(Struct, frozen=True):
    """``time`` is in UTC; ``data``: name, or "", and value."""

    provider: str
    id: int
    time: datetime
    host: str
    data: tuple[tuple[str, str], ...]

    @property
    def channel(self) -> str:
        return "Application" if self.id == 1309 else "System"

    @property
    def message(self) -> str:
        """As Event Viewer shows it, in English."""
        return web_event([value for _, value in self.data]) if self.id == 1309 else "translated"


def events() -> list[Exported]:
    """Those of system.xml, and the first one of application.xml."""
    system = ElementTree.fromstring(samples.text("system.xml"))
    application = samples.text("application.xml")
    first = ElementTree.fromstring(application[: application.index("</Event>") + len("</Event>")])
    return [*map(_exported, system), _exported(first)]


def _exported(element: Any) -> Exported:
    def find(path: str) -> Any:
        return element.find("/".join(_NS + part for part in path.split("/")))

    data = tuple((one.get("Name", ""), one.text or "") for one in element.iter(f"{_NS}Data"))
    time = datetime.fromisoformat(find("System/TimeCreated").get("SystemTime")[:23].rstrip("Z") + "+00:00")
    provider, id = find("System/Provider").get("Name"), int(find("System/EventID").text)
    return Exported(provider, id, time, find("System/Computer").text, data)


def web_event(v: Sequence[str], newline: str = "\n") -> str:
    """The text of an event 1309 with these data, by position."""
    sections = {
        "": {"Event code": v[0], "Event message": v[1], "Event time": v[2], "Event time (UTC)": v[3], "Event ID": v[4],
             "Event sequence": v[5], "Event occurrence": v[6], "Event detail code": v[7]},
        "Application information": {"Application domain": v[8], "Trust level": v[9], "Application Virtual Path": v[10],
                                    "Application Path": v[11], "Machine name": v[12]},
        "Process information": {"Process ID": v[14], "Process name": v[15], "Account name": v[16]},
        "Exception information": {"Exception type": v[17], "Exception message": v[18]},
        "Request information": {"Request URL": v[19], "Request path": v[20], "User host address": v[21], "User": v[22],
                                "Is authenticated": v[23], "Authentication Type": v[24], "Thread account name": v[25]},
        "Thread information": {"Thread ID": v[26], "Thread account name": v[27], "Is impersonating": v[28],
                               "Stack trace": v[29]},
        "Custom event details": {},
    }  # fmt: skip
    lines: list[str] = []
    for title, values in sections.items():
        lines += [" ", f"{title}: "] if title else []
        lines += [f"{'    ' if title else ''}{name}: {value} " for name, value in values.items()]
    return newline.join(newline.join(lines).splitlines()) + newline


def _data(event: Exported) -> dict[str, str]:
    named = {name or f"param{place}": value for place, (name, value) in enumerate(event.data, 1) if value}
    return dict(sorted(named.items()))


def _winlogbeat(event: Exported) -> str:
    value = {
        "@timestamp": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "@metadata": {"beat": "winlogbeat", "type": "_doc", "version": "8.15.0"},
        "ecs": {"version": "8.0.0"},
        "event": {"code": str(event.id), "kind": "event", "provider": event.provider, "created": "2026-11-26T01:00Z"},
        "host": {"name": event.host.lower()},
        "log": {"level": "information"},
        "message": event.message,
        "winlog": {
            "api": "wineventlog", "channel": event.channel, "computer_name": event.host, "event_data": _data(event),
            "event_id": str(event.id), "keywords": ["Classic"], "process": {"pid": 0, "thread": {"id": 0}},
            "provider_guid": "{524b5d04-133c-4a62-8362-64e8edb9ce40}", "provider_name": event.provider,
            "record_id": "1021",
        },
    }  # fmt: skip
    return json.dumps(value) + "\n"


def _winlogbeat_6(event: Exported) -> str:
    value = {
        "@timestamp": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "beat": {"hostname": "WEB01", "name": "WEB01", "version": "6.8.23"}, "computer_name": event.host,
        "event_data": _data(event), "event_id": event.id, "keywords": ["Classic"], "level": "Information",
        "log_name": event.channel, "message": event.message, "process_id": 0, "record_number": "1021",
        "source_name": event.provider, "thread_id": 0, "type": "wineventlog",
    }  # fmt: skip
    return json.dumps(value) + "\n"


def _elasticsearch(event: Exported) -> str:
    return json.dumps({"_index": "winlogbeat", "_id": "x", "_source": json.loads(_winlogbeat(event))}) + "\n"


def _nxlog(event: Exported, time: str, id: object) -> str:
    named = {name: value for name, value in event.data if name and name != "ProcessID"}
    value = {
        "EventTime": time, "Hostname": event.host, "Keywords": 36028797018963968, "EventType": "INFO",
        "SeverityValue": 2, "Severity": "INFO", "EventID": id, "SourceName": event.provider,
        "ProviderGuid": "{524B5D04-133C-4A62-8362-64E8EDB9CE40}", "Version": 0, "Task": 0, "OpcodeValue": 0,
        "RecordNumber": 1021, "ProcessID": 0, "ThreadID": 0, "Channel": event.channel, "Message": event.message,
        **named, "EventReceivedTime": "2026-11-26 01:00:00", "SourceModuleName": "eventlog",
        "SourceModuleType": "im_msvistalog",
    }  # fmt: skip
    return json.dumps(value) + "\n"


def nxlog_4(event: Exported, zone: tzinfo = ZONE) -> str:
    return _nxlog(event, event.time.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f"), event.id)


def _nxlog_5(event: Exported) -> str:
    return _nxlog(event, event.time.astimezone(ZONE).isoformat(timespec="microseconds"), event.id)


def _nxlog_epoch(event: Exported) -> str:
    milliseconds = round(event.time.timestamp() * 1000)
    return _nxlog(event, "TIME", str(event.id)).replace('"TIME"', str(milliseconds))


def _get_event_log(event: Exported) -> str:
    value = {
        "EventID": event.id, "MachineName": event.host, "Index": 1021, "Message": event.message,
        "Source": "WAS" if event.provider == "Microsoft-Windows-WAS" else event.provider,
        "ReplacementStrings": [value for _, value in event.data], "InstanceId": 0x80000000 + event.id,
        "TimeGenerated": f"/Date({round(event.time.timestamp() * 1000)})/",
    }  # fmt: skip
    return json.dumps(value) + "\n"


def _get_event_log_selected(event: Exported) -> str:
    """With Select-Object InstanceId: the number has the severity in its high bits."""
    value = json.loads(_get_event_log(event))
    del value["EventID"]
    return json.dumps(value) + "\n"


def _xml(event: Exported, source: str) -> str:
    data = "".join(
        f"<Data Name='{n}'>{_escaped(v)}</Data>" if n else f"<Data>{_escaped(v)}</Data>" for n, v in event.data
    )
    provider = source if event.provider == "Microsoft-Windows-WAS" else event.provider
    return (
        f"<Event xmlns='{_NS[1:-1]}'><System><Provider Name='{provider}'/><EventID>{event.id}</EventID>"
        f"<TimeCreated SystemTime='{event.time.isoformat()}'/><Computer>{event.host}</Computer></System>"
        f"<EventData>{data}</EventData></Event>\n"
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


SHAPES: dict[str, Callable[[Exported], str]] = {
    "winlogbeat": _winlogbeat,
    "winlogbeat 6": _winlogbeat_6,
    "winlogbeat in Elasticsearch": _elasticsearch,
    "NXLog 5": _nxlog_5,
    "NXLog, time as a number": _nxlog_epoch,
    "Get-EventLog": _get_event_log,
    "Get-EventLog, InstanceId alone": _get_event_log_selected,
    "XML of the source WAS": lambda event: _xml(event, "WAS"),
    "XML in other letters": lambda event: _xml(event, "microsoft-windows-was"),
}
