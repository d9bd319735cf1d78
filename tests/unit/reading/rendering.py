"""One exception, written by every kind of logger there is a reader for."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

# The wall clock of the machine.
ZONE = timezone(timedelta(hours=1))
APPLICATION = "/LM/W3SVC/2/ROOT/shop"
_NS = "http://schemas.microsoft.com/win/2004/08/events/event"


class Thrown(Struct, frozen=True):
    """``stack``: which of the telling methods are in it; ``at``: the word before a frame; ``time`` is in UTC."""

    code: str
    time: datetime
    stack: tuple[str, ...]
    at: str

    def __str__(self) -> str:
        frames = "".join(f"\n   {self.at} System.Web.Hosting.IIS7WorkerRequest.{name}()" for name in self.stack)
        return (
            f"System.Web.HttpException ({self.code}): «{self.code}». ---> System.Runtime.InteropServices.COMException "
            f"({self.code}): & «HRESULT: {self.code}»\n   --- «» ---{frames}"
        )

    def local(self, form: str) -> str:
        """The time on the wall, to the millisecond where the form ends with `%f`."""
        written = self.time.astimezone(ZONE).strftime(form)
        return written[:-3] if form.endswith("%f") else written


def _log4net(thrown: Thrown) -> str:
    return f"{thrown.local('%Y-%m-%d %H:%M:%S,%f')} [7] ERROR Contoso - {APPLICATION} MachineName=WEB01\n{thrown}\n"


def _nlog(thrown: Thrown) -> str:
    return f"{thrown.local('%Y-%m-%d %H:%M:%S.%f')}0|ERROR|Contoso|HostName: WEB01, in {APPLICATION}-1-13421|{thrown}\n"


def _serilog(thrown: Thrown) -> str:
    properties = json.dumps({"MachineName": "WEB01", "Application": APPLICATION})
    return f"{thrown.local('%Y-%m-%d %H:%M:%S.%f')} +01:00 [ERR] failed {properties}\n{thrown}\n"


def _clef(thrown: Thrown) -> str:
    time = thrown.time.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    named = {"MachineName": "WEB01", "Application": APPLICATION}
    return json.dumps({"@t": time, "@m": "failed", "@l": "Error", "@x": str(thrown), **named}) + "\n"


def _elmah(thrown: Thrown) -> str:
    time = thrown.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    detail = quoteattr(str(thrown)).replace("&#10;", "&#xD;&#xA;")
    return f'<error application="{APPLICATION}" host="WEB01" message="«»" detail={detail} time="{time}" />\n'


def _xml_event(thrown: Thrown, prefix: str, time: str, exception: str) -> str:
    return (
        f'<{prefix}event logger="Contoso" timestamp="{time}" level="ERROR" thread="7" domain="{APPLICATION}-1-13421">'
        f'<{prefix}message>failed</{prefix}message><{prefix}properties><{prefix}data name="log4net:HostName" '
        f'value="WEB01" /></{prefix}properties><{prefix}{exception}>{escape(str(thrown))}</{prefix}{exception}>'
        f"</{prefix}event>\n"
    )


def _log4net_xml(thrown: Thrown) -> str:
    return _xml_event(thrown, "log4net:", thrown.time.astimezone(ZONE).isoformat(), "exception")


def _log4j_xml(thrown: Thrown) -> str:
    return _xml_event(thrown, "log4j:", str(round(thrown.time.timestamp() * 1000)), "throwable")


def _bare_xml(thrown: Thrown) -> str:
    return _xml_event(thrown, "", thrown.time.isoformat(), "exception")


def _data(thrown: Thrown) -> tuple[str, ...]:
    return ("3005", "«»", f"{APPLICATION}-1-13421", "Full", "C:\\inetpub\\shop\\", "4711", str(thrown))


def _event(thrown: Thrown) -> str:
    time = thrown.time.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    data = "".join(f"<Data>{escape(value)}</Data>" for value in _data(thrown))
    return (
        f"<Event xmlns='{_NS}'><System><Provider Name='ASP.NET 4.0.30319.0'/><EventID Qualifiers='32768'>1309</EventID>"
        f"<TimeCreated SystemTime='{time}'/><Computer>WEB01</Computer></System><EventData>{data}</EventData></Event>\n"
    )


def _exported(thrown: Thrown) -> str:
    event = {
        "Id": 1309, "ProviderName": "ASP.NET 4.0.30319.0", "MachineName": "WEB01",
        "TimeCreated": thrown.time.astimezone(ZONE).isoformat(timespec="microseconds"),
        "Properties": [{"Value": value} for value in _data(thrown)],
    }  # fmt: skip
    return json.dumps(event, indent=2) + "\n"


SHAPES: dict[str, Callable[[Thrown], str]] = {
    "log4net": _log4net,
    "nlog": _nlog,
    "serilog": _serilog,
    "clef": _clef,
    "elmah": _elmah,
    "log4net XML": _log4net_xml,
    "log4j XML": _log4j_xml,
    "XML without a prefix": _bare_xml,
    "event": _event,
    "exported event": _exported,
}
