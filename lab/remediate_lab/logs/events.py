"""Windows' event logs as ``wevtutil qe LOG /f:xml /e:Events`` prints them: one ``<Events>``, an event a line.

System: Microsoft-Windows-WAS, Kernel-General, EventLog. The names and the order of the data of 5011, 5074, 5079, 5117
and 5139 are as seen in published events; those of the others follow them and the documented messages. Application:
ASP.NET's 1309, whose data have no names, in the order of its published source.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from xml.sax.saxutils import escape

from remediate.values.logs import WorkerEvent
from remediate_lab.clock.history import Error
from remediate_lab.clock.moments import to_ms
from remediate_lab.logs.stack import Thrown, thrown

EMPTY = "<Events>\n</Events>\n"
_SCHEMA = "http://schemas.microsoft.com/win/2004/08/events/event"
_WAS = "Name='Microsoft-Windows-WAS' Guid='{524B5D04-133C-4A62-8362-64E8EDB9CE40}' EventSourceName='WAS'"
_KERNEL = "Name='Microsoft-Windows-Kernel-General' Guid='{A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D}'"
ASPNET = "ASP.NET 4.0.30319.0"
# Warnings, and an error; the others inform.
_LEVELS = {5002: 2, 5009: 3, 5010: 3, 5011: 3, 5139: 3}
# What names the pool alone; and what names it before the process, with what stands behind that.
_POOL_ALONE = (5002, 5079, 5080, 5081)
_POOL_FIRST: dict[int, tuple[tuple[str, str], ...]] = {
    5009: (("ExitCode", "c0000005"),), 5010: (), 5011: (), 5139: (("param3", "0"), ("ProtocolID", "http")),
}  # fmt: skip
# An error's number, as four bytes.
_BINARY = {5011: "6D000780", 5139: "05400080"}
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
            yield _event(_WAS, event.id, _LEVELS.get(event.id, 4), 0, event.time, computer, _pool_data(event, idle))


def process_id(event: WorkerEvent) -> str:
    """Of the worker that the event is about: any number that Windows would give."""
    return str(2000 + int(event.time.timestamp()) % 9000 * 4)


def pool_fields(event: WorkerEvent, minutes: str = "20") -> tuple[tuple[str, str], ...]:
    """The data of a pool's event, by name and in their order, which the documented messages tell."""
    pool, process = ("AppPoolID", event.pool or ""), ("ProcessID", process_id(event))
    if event.id in _POOL_ALONE:
        return (pool,)
    if event.id in _POOL_FIRST:
        return (pool, process, *_POOL_FIRST[event.id])
    more = [("Minutes", minutes)] if event.kind in ("idle-stop", "shortened") else []
    more += [("ReducedMinutes", str(max(1, int(minutes) // 4)))] if event.kind == "shortened" else []
    return (process, pool, *more)


def _pool_data(event: WorkerEvent, idle: Mapping[str, int]) -> str:
    minutes = str(idle.get(event.pool or "", 0) // 60)
    data = "".join(f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in pool_fields(event, minutes))
    return f"{data}<Binary>{_BINARY[event.id]}</Binary>" if event.id in _BINARY else data


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
        "w3wp.exe", account, "HttpException", _chained(said), f"http://localhost{stem}", stem,
        error.client, "", "False", "", account, "12", account, "False", f"{said.frames}\n",
    )  # fmt: skip


def _chained(said: Thrown) -> str:
    """Message and stack of each exception, from the outer to the inner, as EventLogWebEventProvider puts them."""
    inner = "" if said.type == said.base_type else f"{said.base_message}\n\n"
    return f"{said.message}\n{said.frames}\n\n{inner}"


def _american(time: datetime) -> str:
    return f"{time.month}/{time.day}/{time.year} {time.hour % 12 or 12}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}"


def log(events: Iterable[str]) -> str:
    """One well-formed document."""
    return f"<Events>\n{''.join(events)}</Events>\n"
