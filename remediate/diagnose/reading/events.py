"""Windows events: XML as `wevtutil qe /f:xml` or Event Viewer write it, JSON as `Get-WinEvent | ConvertTo-Json` does.

Of the System log, what happened to workers, and boots; of the Application log, ASP.NET's event 1309. Events are known
by source and id. What 1309 says stands in unnamed data, one after the other; each is known by its form: the application
by `/LM/W3SVC/`, the pool by the account `IIS APPPOOL\\...`, the client by being an address. All times are UTC.

JSON of Windows PowerShell 5.1 has `\\/Date(1795611600000)\\/`, of 7 an ISO date with an offset. Where the data of an
event were not exported, its message is read: the pool is the name in quotes that is no number. Where the data have no
names, the pool's is known by its place.
"""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from remediate.diagnose.reading.exceptions import judge
from remediate.diagnose.reading.fragments import Node, fragments, parse
from remediate.diagnose.reading.objects import objects
from remediate.diagnose.reading.origin import Origin, of_text, placed
from remediate.diagnose.reading.tally import Tally
from remediate.diagnose.reading.timestamps import moment
from remediate.diagnose.reading.window import Window
from remediate.evidence import WorkerEvent
from remediate.iis.events import MEANING

_EVENT_ID = re.compile(rb"<EventID[^<>]*>\s*(\d{1,6})\s*<")
# The event of ASP.NET for an unhandled exception.
_UNHANDLED = 1309
# What the source of an event begins with; that of all others is IIS's activation service.
_SOURCES = {12: "Microsoft-Windows-Kernel-General", 6005: "EventLog", _UNHANDLED: "ASP.NET "}
_WAS = "Microsoft-Windows-WAS"
_IDS = {*MEANING, _UNHANDLED}
# The name that WAS gives to the pool among its data.
_POOL_NAME = "AppPoolID"
# What stands for each of the data where the export did not go deep enough.
_NOT_EXPORTED = "System.Diagnostics.Eventing.Reader.EventProperty"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_MARKS = "'\"\u2018-\u201f\u00ab\u00bb\u300c\u300d"
_QUOTED = re.compile(rf"[{_MARKS}]([^{_MARKS}\r\n]{{1,256}})[{_MARKS}]")


class _Event(Struct, frozen=True, kw_only=True):
    """``data``: name, or "", and value, in order."""

    source: str | None
    id: int
    time: datetime | None
    host: str | None
    data: tuple[tuple[str, str], ...]
    message: str = ""


def read_events_xml(window: Window, tally: Tally) -> None:
    for fragment in fragments(window, "Event"):
        match = None if fragment.text is None else _EVENT_ID.search(fragment.text)
        if fragment.text is None:
            tally.unparsed += 1
        elif match is not None and int(match[1]) in _IDS:
            nodes = parse(fragment.text)
            if nodes is None:
                tally.unparsed += 1
            else:
                _keep(_of_xml(nodes, int(match[1])), fragment.line, tally)


def read_events_json(window: Window, tally: Tally) -> None:
    for line, value in objects(window, tally):
        id = value.get("Id", value.get("EventID", value.get("InstanceId")))
        if isinstance(id, int) and id in _IDS:
            _keep(_of_json(value, id), line, tally)


def _keep(event: _Event, line: int, tally: Tally) -> None:
    if not _is_of_its_source(event):
        return
    if event.id == _UNHANDLED:
        text = "\n".join((*(value for _, value in event.data), event.message))
        occurrence = judge(text)
        if occurrence is not None:
            tally.unparsed += event.time is None
            tally.keep(placed(replace(occurrence, time=event.time), _origin(event, text)), line)
        return
    meaning = MEANING[event.id]
    pool = None if meaning.kind == "boot" else _pool(event)
    # A worker's event that names no pool could be anybody's.
    if event.time is None or (pool is None and meaning.kind != "boot"):
        tally.unparsed += 1
    else:
        tally.keep_event(
            WorkerEvent(
                time=event.time, id=event.id, kind=meaning.kind, cause=meaning.cause, host=event.host, pool=pool
            )
        )


def _is_of_its_source(event: _Event) -> bool:
    """An export may have been made without the source; then a number that is no one else's is enough."""
    if event.source is None:
        return event.id > 1000
    return event.source.startswith(_SOURCES.get(event.id, _WAS))


def _pool(event: _Event) -> str | None:
    named = next((value for name, value in event.data if name.casefold() == _POOL_NAME.casefold()), None)
    values, said, place = [value for _, value in event.data], _QUOTED.findall(event.message), MEANING[event.id].place
    by_place = [texts[place] for texts in (values, said) if place < len(texts)]
    other = next((value for value in (*values, *said) if value and not value.isdigit()), None)
    # The words of a message may stand in another order where Windows speaks another language; its data do not.
    return named or (by_place[0] if values and by_place else None) or other or next(iter(by_place), None)


def _origin(event: _Event, text: str) -> Origin:
    address = next((value for _, value in event.data if _is_address(value)), None)
    origin = of_text(text)
    return replace(origin, host=event.host or origin.host, address=address or origin.address)


def _is_address(value: str) -> bool:
    try:
        ip_address(value.strip())
    except ValueError:
        return False
    return "." in value or ":" in value


def _of_xml(nodes: tuple[Node, ...], id: int) -> _Event:
    def first(name: str) -> Node | None:
        return next((node for node in nodes if node.name == name), None)

    provider, created, computer = first("Provider"), first("TimeCreated"), first("Computer")
    return _Event(
        source=None if provider is None else provider.attributes.get("Name"),
        id=id,
        time=_utc(None if created is None else created.attributes.get("SystemTime")),
        host=(computer.text.strip() or None) if computer else None,
        data=tuple((node.attributes.get("Name", ""), node.text) for node in nodes if node.name == "Data"),
    )


def _of_json(value: dict[str, Any], id: int) -> _Event:
    def text(*names: str) -> str | None:
        return next((found for name in names if isinstance(found := value.get(name), str) and found), None)

    created = value.get("TimeCreated", value.get("TimeGenerated"))
    if isinstance(created, dict):
        created = created.get("value", created.get("DateTime"))
    properties = value.get("Properties", value.get("ReplacementStrings"))
    items = properties if isinstance(properties, list) else []
    data = [item.get("Value") if isinstance(item, dict) else item for item in items if item != _NOT_EXPORTED]
    return _Event(
        source=text("ProviderName", "Source"),
        id=id,
        time=_utc(created),
        host=text("MachineName"),
        data=tuple(("", str(v)) for v in data if v is not None),
        message=text("Message") or "",
    )


def _utc(time: object) -> datetime | None:
    if not isinstance(time, str):
        return None
    if match := _JSON_DATE.fullmatch(time):
        try:
            return _EPOCH + timedelta(milliseconds=int(match[1]))
        except OverflowError:
            return None
    found = moment(time)
    return None if found is None or found.tzinfo is None else found
