"""Windows' event logs as ``wevtutil qe LOG /f:xml /e:Events`` prints them: one ``<Events>``, an event a line.

System: Microsoft-Windows-WAS, Kernel-General, EventLog. The names of the data of 5011 are as seen in published events;
those of the others follow them and the order of the documented messages. Application: ASP.NET's 1309, whose data have
no names, in the order of published events.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from xml.sax.saxutils import escape

from remediate.evidence import WorkerEvent
from remediate.lab.clock.history import Error
from remediate.lab.clock.moments import to_ms
from remediate.lab.logs.stack import thrown

EMPTY = "<Events>\n</Events>\n"
_SCHEMA = "http://schemas.microsoft.com/win/2004/08/events/event"
_WAS = "Name='Microsoft-Windows-WAS' Guid='{524B5D04-133C-4A62-8362-64E8EDB9CE40}' EventSourceName='WAS'"
_KERNEL = "Name='Microsoft-Windows-Kernel-General' Guid='{A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D}'"
ASPNET = "ASP.NET 4.0.30319.0"
# Of the same rule, an application's events are at least so far apart.
_THROTTLE = timedelta(seconds=60)


def _event(provider: str, number: int, level: int, task: int, time: datetime, computer: str, data: str) -> str:
    # Nine digits, as published events have.
    when = f"{time:%Y-%m-%dT%H:%M:%S.%f}000Z"
    channel = "Application" if provider.startswith("Name='ASP.NET") else "System"
    qualifiers = {4: 16384, 3: 32768, 2: 49152}[level]
    return (
        f"<Event xmlns='{_SCHEMA}'><System><Provider {provider}/><EventID Qualifiers='{qualifiers}'>{number}</EventID>"
        f"<Version>0</Version><Level>{level}</Level><Task>{task}</Task><Opcode>0</Opcode>"
        f"<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='{when}'/>"
        f"<EventRecordID>{to_ms(time)}</EventRecordID><Correlation/>"
        f"<Execution ProcessID='0' ThreadID='0'/><Channel>{channel}</Channel><Computer>{escape(computer)}</Computer>"
        f"<Security/></System><EventData>{data}</EventData></Event>\n"
    )


def system(events: Iterable[WorkerEvent], computer: str, idle: Mapping[str, int]) -> Iterator[str]:
    """The events of the System log; ``idle`` are the pools' idle time-outs in seconds, which 5186 tells."""
    for event in events:
        if event.id == 12:
            data = "".join(f"<Data Name='{name}'>{value}</Data>" for name, value in (
                ("MajorVersion", "10"), ("MinorVersion", "0"), ("BuildVersion", "17763"), ("QfeVersion", "0"),
                ("ServiceVersion", "0"), ("BootMode", "0"), ("StartTime", f"{event.time:%Y-%m-%dT%H:%M:%S.%f}000Z"),
            ))  # fmt: skip
            yield _event(_KERNEL, 12, 4, 1, event.time, computer, data)
        elif event.id == 6005:
            yield _event("Name='EventLog'", 6005, 4, 0, event.time, computer, "<Binary>E6070B0004001100</Binary>")
        else:
            level = 3 if event.kind == "failure" else 4
            yield _event(_WAS, event.id, level, 0, event.time, computer, _pool_data(event, idle))


def process_id(event: WorkerEvent) -> str:
    """Of the worker that the event is about: any number that Windows would give."""
    return str(2000 + int(event.time.timestamp()) % 9000 * 4)


def _pool_data(event: WorkerEvent, idle: Mapping[str, int]) -> str:
    pool = event.pool or ""
    minutes = str(idle.get(pool, 0) // 60)
    named = {"AppPoolID": pool}
    if event.id not in (5079, 5080):
        process = process_id(event)
        named = {"AppPoolID": pool, "ProcessID": process} if event.id == 5011 else {"ProcessID": process} | named
    if event.kind in ("idle-stop", "shortened"):
        named["Minutes"] = minutes
    if event.kind == "shortened":
        named["ReducedMinutes"] = str(max(1, int(minutes) // 4))
    return "".join(f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in named.items())


def unhandled(errors: Iterable[Error], computer: str, zone: tzinfo, language: str = "en") -> Iterator[str]:
    """Event 1309 for each error, where the application caught none of them; at most one a minute by application."""
    last: dict[str, datetime] = {}
    for number, error in enumerate(errors, 1):
        if error.application in last and error.time - last[error.application] < _THROTTLE:
            continue
        last[error.application] = error.time
        data = "".join(
            f"<Data>{escape(value)}</Data>" for value in _positional(error, number, computer, zone, language)
        )
        yield _event(f"Name='{ASPNET}'", 1309, 3, 3, error.time, computer, data)


def _positional(error: Error, number: int, computer: str, zone: tzinfo, language: str) -> tuple[str, ...]:
    machine, path = computer.partition(".")[0], "/" + error.application.partition("/")[2]
    said = thrown(error.code, language)
    stem = f"{path.rstrip('/')}/{error.page}"
    account = f"IIS APPPOOL\\{error.pool}"
    identity = hashlib.sha256(f"{computer}/{error.application}/{error.time}".encode()).hexdigest()[:32]
    domain = f"/LM/W3SVC/{error.site}/ROOT{path.rstrip('/')}-1-134082048000000000"
    return (
        "3005", "An unhandled exception has occurred.", _american(error.time.astimezone(zone)), _american(error.time),
        identity, str(number), "1", "0", domain, "Full", path, f"C:\\inetpub\\{error.pool}\\", machine, "", "4856",
        "w3wp.exe", account, "HttpException", f"{said.message}\n{said.frames}\n", f"http://localhost{stem}", stem,
        error.client, "", "False", "", account, "12", account, "False", f"{said.frames}\n",
    )  # fmt: skip


def _american(time: datetime) -> str:
    return f"{time.month}/{time.day}/{time.year} {time.hour % 12 or 12}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}"


def log(events: Iterable[str]) -> str:
    """One well-formed document."""
    return f"<Events>\n{''.join(events)}</Events>\n"
