"""What the collection's IisEvents.psm1 says of a server's event logs, made in Python.

The events are in ``Windows/System32/winevt/Logs/System.xml`` and ``Application.xml``, in the order of their records:
one ``<Events>`` of what ``wevtutil qe LOG /f:xml /e:Events`` prints. A log without a file is empty.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from msgspec import Struct

from remediate.iis.events import ASP_NET, MEANING, UNHANDLED
from remediate.iis.local import is_local
from remediate.logs.exceptions import judge
from remediate_lab.knobs import read_knobs

LOGS = Path("System32/winevt/Logs")


class Query(Struct, frozen=True):
    """What is asked of a log, and so many of the newest at most.

    ``places``: provider -> its ids -> the place of the pool's name among the event's data.
    """

    most: int
    places: dict[str, dict[int, int | None]]

    @property
    def ids(self) -> set[int]:
        """Of all providers: the query asks for ids and providers apart."""
        return {number for ids in self.places.values() for number in ids}


def _places(provider: str) -> dict[int, int | None]:
    return {number: meaning.place for number, meaning in MEANING.items() if meaning.provider == provider}


QUERIES: dict[str, Query] = {
    "System": Query(10_000, {provider: _places(provider) for provider in {m.provider for m in MEANING.values()}}),
    "Application": Query(2000, {provider: {UNHANDLED: None} for provider in ASP_NET}),
}
_READER = "System.Diagnostics.Eventing.Reader.EventLog"
_TROUBLES = {
    "denied": "Attempted to perform an unauthorized operation. (System.UnauthorizedAccessException)",
    "missing": f"The specified channel could not be found. ({_READER}NotFoundException)",
    "cleared": f"The query result is stale and must be recreated. ({_READER}ReadingException)",
    "corrupt": f"The data is invalid. ({_READER}InvalidDataException)",
    "garbled": f"The event cannot be rendered. ({_READER}Exception)",
}
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?Z")
_DOMAIN = re.compile(r"(/LM/W3SVC/[0-9]+/ROOT(/.*?)?)(-[0-9]+-[0-9]+)?", re.IGNORECASE)
_LONGEST_NAME = 1024
_SCHEMA = "{http://schemas.microsoft.com/win/2004/08/events/event}"


def evidence(windows: Path, days: int) -> dict[str, Any]:
    """The events of the last ``days`` of one server, ready for JSON."""
    since = _text(datetime.now(UTC) - timedelta(days=days))
    states, values = {}, {}
    for log in QUERIES:
        states[log], values[log] = _read(windows, log, since)
    return {
        "since": since, "until": _text(datetime.now(UTC)), "logs": states,
        "events": values["System"], "errors": values["Application"],
    }  # fmt: skip


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(windows: Path, log: str, since: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is said of a log, and what its events tell, the newest first."""
    faults = dict(fault.split(":", 1) for fault in read_knobs(windows).all("event_log"))
    fault, _, number = faults.get(log, "").partition(":")
    state: dict[str, Any] = {"oldest": None, "complete": True, "detail": None}
    if fault == "disabled":
        state["detail"] = "the log is disabled"
    if fault in ("denied", "missing"):
        return state | {"detail": _trouble(_TROUBLES[fault])}, []
    try:
        records = _records(windows / LOGS / f"{log}.xml")
    except ElementTree.ParseError as error:
        return state | {"detail": _trouble(f"{error} (System.Xml.XmlException)")}, []
    after = int(number or 0) if fault in _TROUBLES else len(records)
    try:
        state["oldest"] = _time(records[0]) if records and after else None
    except ValueError as error:
        state["detail"] = _trouble(f"{error} (System.Management.Automation.RuntimeException)")
    if records and not after:
        state["detail"] = _trouble(_TROUBLES[fault])
    query = QUERIES[log]
    found = [r for r in reversed(records) if _is(r, query) and _raw_time(r)[:19] >= since[:19]][: query.most]
    state["complete"] = len(found) < query.most
    unread = 0
    if len(found) > after and fault == "garbled":
        del found[after]
        unread = 1
    elif len(found) > after:
        found = found[:after]
        state |= {"detail": _trouble(_TROUBLES[fault]), "complete": True}
    values = []
    for record in found:
        try:
            values.append(_value(record, query))
        except ValueError:
            unread += 1
    if unread and state["detail"] is None:
        state["detail"] = f"{unread} of its events could not be read"
    return state, [value for value in values if value is not None]


def _trouble(why: str) -> str:
    return f"not fully readable: {why}"


def _records(file: Path) -> list[ElementTree.Element]:
    if not file.exists():
        return []
    return ElementTree.parse(file).getroot().findall(f"{_SCHEMA}Event")  # noqa: S314  # the lab's own files


def _is(record: ElementTree.Element, query: Query) -> bool:
    return _provider(record) in query.places and _id(record) in query.ids


def _provider(record: ElementTree.Element) -> str:
    named = record.find(f"{_SCHEMA}System/{_SCHEMA}Provider")
    return "" if named is None else named.get("Name", "")


def _id(record: ElementTree.Element) -> int:
    number = record.findtext(f"{_SCHEMA}System/{_SCHEMA}EventID", "")
    return int(number) if number.isdecimal() else 0


def _raw_time(record: ElementTree.Element) -> str:
    created = record.find(f"{_SCHEMA}System/{_SCHEMA}TimeCreated")
    return "" if created is None else created.get("SystemTime", "")


def _time(record: ElementTree.Element) -> str:
    match = _TIME.fullmatch(_raw_time(record))
    if match is None:
        raise ValueError("An event has no time that can be read.")
    return match[1] + "Z"


def _value(record: ElementTree.Element, query: Query) -> dict[str, Any] | None:
    places = query.places[_provider(record)]
    if _id(record) not in places:
        return None
    place = places[_id(record)]
    data = list(record.iter(f"{_SCHEMA}Data"))
    if _id(record) == UNHANDLED:
        return _error(_time(record), ["".join(node.itertext()).strip() for node in data])
    pools = ["".join(node.itertext()) for node in data if node.get("Name") == "AppPoolID"]
    if not pools and place is not None:
        pools = ["".join(node.itertext()) for node in data[place : place + 1]]
    return {"time": _time(record), "id": _id(record), "pool": _name(pools[-1]) if pools else None}


def _name(name: str) -> str:
    if len(name.encode("utf-16-le")) > 2 * _LONGEST_NAME:
        raise ValueError("An event has a name that is too long.")
    return name


def _error(time: str, data: list[str]) -> dict[str, Any] | None:
    if len(data) < 22:
        return None
    told, domain = judge("\n".join([*data[17:19], *data[29:30]])), _DOMAIN.fullmatch(data[8])
    if told is None:
        return None
    return {
        "time": time, "code": told.code, "application": _name(domain[1]) if domain else None,
        "local": is_local(data[21]), "streaming": told.streaming, "raised": told.raised, "flushed": told.flushed,
        "entity_read": told.entity_read,
    }  # fmt: skip
