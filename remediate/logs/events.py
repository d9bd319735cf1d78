"""Windows events: XML as `wevtutil qe /f:xml` or Event Viewer write it, JSON as event_json.py lists it.

Of the System log, what happened to workers, and boots; of the Application log, ASP.NET's event 1309. Events are known
by source and id. What 1309 says stands in unnamed data, one after the other; each is known by its form: the application
by `/LM/W3SVC/`, the pool by the account `IIS APPPOOL\\...`, the client by being an address.

Where the data of an event were not exported, its message is read: the pool is the name in quotes that is no number.
Where the data have no names, the pool's is known by its place.
"""

import re
from functools import partial

from msgspec.structs import replace

from remediate.iis.events import MEANING, UNHANDLED, WAS
from remediate.logs.event_json import Event, of_json
from remediate.logs.fragments import Node, fragments, parse
from remediate.logs.objects import objects
from remediate.logs.origin import Origin, address_in, is_address, of_text
from remediate.logs.tally import Tally
from remediate.logs.timestamps import moment
from remediate.logs.window import Window
from remediate.values.logs import WorkerEvent

_EVENT_ID = re.compile(rb"<EventID[^<>]*>\s*(\d{1,6})\s*<")
# Get-EventLog names IIS's activation service so.
_SHORT = {WAS: "WAS"}
# With the version of .NET behind it.
_ASP_NET = "asp.net "
_IDS = {*MEANING, UNHANDLED}
# The name that WAS gives to the pool among its data.
_POOL_NAME = "AppPoolID"
_MARKS = "'\"\u2018-\u201f\u00ab\u00bb\u300c\u300d"
_QUOTED = re.compile(rf"[{_MARKS}]([^{_MARKS}\r\n]{{1,256}})[{_MARKS}]")


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
        event = of_json(value)
        if event is not None and event.id in _IDS:
            _keep(event, line, tally)


def _keep(event: Event, line: int, tally: Tally) -> None:
    if not _is_of_its_source(event):
        return
    if event.id == UNHANDLED:
        text = "\n".join((*(value for _, value in event.data), event.message))
        occurrence = tally.judge(text)
        if occurrence is not None:
            tally.unparsed += event.time is None
            tally.keep(replace(occurrence, time=event.time), partial(_origin, event, text), line)
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


def _is_of_its_source(event: Event) -> bool:
    """An export may have been made without the source; then a number that is no one else's is enough."""
    if event.source is None:
        return event.id > 1000
    source = event.source.casefold()
    if event.id == UNHANDLED:
        return source.startswith(_ASP_NET)
    provider = MEANING[event.id].provider
    return source in (provider.casefold(), _SHORT.get(provider, provider).casefold())


def _pool(event: Event) -> str | None:
    named = next((value for name, value in event.data if name.casefold() == _POOL_NAME.casefold()), None)
    values, said, place = [value for _, value in event.data], _QUOTED.findall(event.message), MEANING[event.id].place
    by_place = [texts[place] for texts in (values, said) if place is not None and place < len(texts)]
    other = next((value for value in (*values, *said) if value and not value.isdigit()), None)
    # The words of a message may stand in another order where Windows speaks another language; its data do not.
    return named or (by_place[0] if values and by_place else None) or other or next(iter(by_place), None)


def _origin(event: Event, text: str) -> Origin:
    address = next((value for _, value in event.data if is_address(value)), None) or address_in(event.message)
    origin = of_text(text)
    return replace(origin, host=event.host or origin.host, address=address or origin.address)


def _of_xml(nodes: tuple[Node, ...], code: int) -> Event:
    def first(name: str) -> Node | None:
        return next((node for node in nodes if node.name == name), None)

    provider, created, computer = first("Provider"), first("TimeCreated"), first("Computer")
    time = None if created is None else moment(created.attributes.get("SystemTime", ""))
    return Event(
        source=None if provider is None else provider.attributes.get("Name"),
        id=code,
        time=time if time is not None and time.tzinfo is not None else None,
        host=(computer.text.strip() or None) if computer else None,
        data=tuple((node.attributes.get("Name", ""), node.text) for node in nodes if node.name == "Data"),
    )
