"""Event logs for the lab's servers, written by hand after Microsoft's published examples of these events.

The layout is that of `wevtutil qe LOG /f:xml /e:Events`. The data of 1309 is in the order of System.Web's
EventLogWebEventProvider: positions, no names.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

LOGS = "System32/winevt/Logs"
ASPNET = "ASP.NET 4.0.30319.0"
WAS = "Microsoft-Windows-WAS"
# The article's exception, in English; only its code and its frames' names count.
FLUSHED = (
    "An error occurred while communicating with the remote host. The error code is 0x80070032.\n"
    "   at System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result, Boolean throwOnDisconnect)\n"
    "   at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()\n"
    "   at System.Web.HttpResponse.Flush(Boolean finalFlush, Boolean async)\n\n"
    "The request is not supported. (Exception from HRESULT: 0x80070032)\n\n"
)


def ago(**time: float) -> datetime:
    """A moment before now, to the second."""
    return (datetime.now(UTC) - timedelta(**time)).replace(microsecond=0)


def event(
    time: datetime | str, provider: str, number: int, channel: str, data: Iterable[tuple[str | None, str]]
) -> str:
    """One event; a time that is a text stands in it as it is."""
    moment = time if isinstance(time, str) else time.strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
    fields = "".join(
        f"<Data{'' if name is None else f' Name={quoteattr(name)}'}>{escape(text)}</Data>" for name, text in data
    )
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name={quoteattr(provider)} /><EventID Qualifiers="16384">{number}</EventID><Level>4</Level>'
        f'<TimeCreated SystemTime="{moment}" /><Channel>{channel}</Channel><Computer>WEB01</Computer><Security />'
        f"</System><EventData>{fields}</EventData></Event>"
    )


def worker(time: datetime | str, number: int, pool: str | None) -> str:
    """An event of the activation service about a pool; None: without its name."""
    data: list[tuple[str | None, str]] = [("ProcessID", "4528")]
    return event(
        time, "Microsoft-Windows-WAS", number, "System", [*data, *([] if pool is None else [("AppPoolID", pool)])]
    )


def boot(time: datetime, provider: str = "Microsoft-Windows-Kernel-General", number: int = 12) -> str:
    return event(time, provider, number, "System", [("StartTime", "x")])


def unhandled(
    time: datetime | str, domain: str, exception: str = FLUSHED, address: str = "127.0.0.1", *, url: str = "",
    user: str = "", stack: str = "   at Contoso.Shop.Global.Application_Start()", provider: str = ASPNET,
) -> str:  # fmt: skip
    """Event 1309."""
    texts = [
        "3005", "An unhandled exception has occurred.", "11/25/2026 3:00:00 PM", "11/25/2026 2:00:00 PM",
        "466059b1d1de499db9e947d6e68391ed", "2", "1", "0", domain, "Full", "/shop", "C:\\inetpub\\shop\\", "WEB01", "",
        "4528", "w3wp.exe", "IIS APPPOOL\\Contoso Shop", "HttpException", exception, f"http://localhost/shop{url}",
        f"/shop{url}", address, user, str(bool(user)), "", "IIS APPPOOL\\Contoso Shop", "26",
        "IIS APPPOOL\\Contoso Shop", "False", stack, "",
    ]  # fmt: skip
    return event(time, provider, 1309, "Application", [(None, text) for text in texts])


def write_log(windows: Path, name: str, events: Iterable[str]) -> None:
    """The log's file, with the events in the order of their records: the oldest first."""
    file = windows / LOGS / f"{name}.xml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"<Events>{''.join(events)}</Events>", encoding="utf-8")


def every(first: datetime, step: timedelta, count: int) -> list[datetime]:
    return [first + number * step for number in range(count)]
