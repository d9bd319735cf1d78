"""Thirty errors in one file, in shapes that need more than a time at the beginning of a line to be told apart.

Written by hand after: ELMAH's ErrorLogDownloadHandler (CSV), RFC 3164 and RFC 5424 (syslog), Docker's json-file driver,
Kubernetes' CRI logs, Elasticsearch's search answers, and the text of ASP.NET's event 1309 as Event Viewer shows it.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from tests.unit.reading.event_exports import web_event
from tests.unit.reading.rendering import ZONE, Thrown

TIMES = [datetime(2026, 11, 25, 13, 0, 1, tzinfo=UTC) + timedelta(minutes=21 * n) for n in range(30)]
THROWN = [Thrown("0x80070032", time, ("RaiseCommunicationError", "ExplicitFlush"), "at") for time in TIMES]
FRAMES = (
    "   at System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result, Boolean throwOnDisconnect)\n"
    "   at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()"
)
MESSAGE = "An error occurred while communicating with the remote host. The error code is 0x80070032."


def _elmah_csv(times: Sequence[datetime]) -> str:
    head = "Application,Host,Time,Unix Time,Type,Source,User,Status Code,Message,URL,XMLREF,JSONREF\r\n"
    return head + "".join(
        f"/LM/W3SVC/2/ROOT/shop,WEB01,{time:%Y-%m-%d %H:%M:%S},{time.timestamp():.4f},System.Web.HttpException,"
        f'System.Web,"CORP\\o""ps",500,"{MESSAGE}\r\nSecond line, with a comma",http://x/detail?id=1,http://x/2,http://x/3\r\n'
        for time in times
    )


def _objects(times: Sequence[datetime]) -> list[dict[str, object]]:
    return [
        {
            "time": time.isoformat().replace("+00:00", "Z"),
            "level": "Error",
            "exception": str(one),
            "n": [{"a": 1}, {"a": 2}],
        }
        for time, one in zip(times, THROWN, strict=False)
    ]


def _epoch(unit: float) -> Callable[[Sequence[datetime]], str]:
    return lambda times: "".join(
        json.dumps(value | {"time": round(time.timestamp() * unit) if unit > 1 else time.timestamp()}) + "\n"
        for value, time in zip(_objects(times), times, strict=True)
    )


def _search(times: Sequence[datetime]) -> str:
    hits = [{"_index": "app", "_id": str(n), "_source": value} for n, value in enumerate(_objects(times))]
    return json.dumps({"took": 1, "hits": {"total": {"value": len(hits)}, "hits": hits}}, indent=2)


def _text(one: Thrown, time: str) -> str:
    return f"{time}fine\n{time}failed\n{one}\n"


def _docker(times: Sequence[datetime], own_time: bool) -> str:
    lines = []
    for time, one in zip(times, THROWN, strict=False):
        stamp = time.isoformat().replace("+00:00", ".123456789Z")
        text = _text(one, f"{time:%Y-%m-%d %H:%M:%S}.000 +00:00 " if own_time else "") if own_time else (
            f"fail: App[1]\n      failed\n      {one}\n".replace("\n   ", "\n         ")
        )  # fmt: skip
        lines += [{"log": line, "stream": "stdout", "time": stamp} for line in text.splitlines(keepends=True)]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _prefixed(times: Sequence[datetime], prefix: Callable[[datetime], str]) -> str:
    return "".join(
        f"{prefix(time)}{line}\n"
        for time, one in zip(times, THROWN, strict=False)
        for line in ("fine", f"failed: {one}".replace("\n", f"\n{prefix(time)}"))
    )


def _cri(time: datetime) -> str:
    return f"{time.isoformat().replace('+00:00', '.123456789Z')} stdout F "


def _rfc3164(time: datetime) -> str:
    return f"<131>{time.astimezone(ZONE):%b %d %H:%M:%S} WEB01 shop[4711]: "


def _rfc5424(time: datetime) -> str:
    return f"<131>1 {time.isoformat()} WEB01 shop 4711 - - "


def details(times: Sequence[datetime], labels: dict[str, str] | None = None, form: str = "%m/%d/%Y %I:%M:%S %p") -> str:
    """Pasted one after the other, with whatever a person writes between."""
    texts = []
    for time in times:
        data = [
            "3005", "An unhandled exception has occurred.", time.astimezone(ZONE).strftime(form), time.strftime(form),
            "0f7c2a0c9a4b4f6f8a0d", "12", "1", "0", "/LM/W3SVC/2/ROOT/shop-1-134211852001234567", "Full", "/shop",
            "C:\\inetpub\\shop\\", "WEB01", "", "3005", "w3wp.exe", "IIS APPPOOL\\Contoso Shop", "HttpException",
            f"{MESSAGE}\n{FRAMES}\n\nThe request is not supported. (Exception from HRESULT: 0x80070032)",
            "http://localhost/shop/", "/shop/", "127.0.0.1", "", "False", "", "IIS APPPOOL\\Contoso Shop", "9",
            "IIS APPPOOL\\Contoso Shop", "False", FRAMES,
        ]  # fmt: skip
        text = web_event(data, "\r\n")
        for english, other in (labels or {}).items():
            text = text.replace(english, other)
        texts.append(text + "\r\n")
    return "We see this each 21 minutes:\r\n\r\n" + "and again\r\n".join(texts)


def _one_line(times: Sequence[datetime]) -> str:
    return details(times).replace("\r\n", " ").replace("Event code", "\nEvent code")


GERMAN = {
    "Event code:": "Ereigniscode:", "Event message:": "Ereignismeldung:", "Event time:": "Ereigniszeit:",
    "Event time (UTC):": "Ereigniszeit (UTC):", "Machine name": "Computername", "User host address": "Hostadresse",
    "   at ": "   bei ", "An error occurred": "Fehler", "Application domain": "Anwendungsdomäne",
    "Process ID": "Prozess-ID", "Account name": "Kontoname",
}  # fmt: skip


# Shape -> the text, and whether its times have a zone.
SHAPES: dict[str, tuple[Callable[[Sequence[datetime]], str], bool]] = {
    "ELMAH's CSV": (_elmah_csv, True),
    "JSON array on one line": (lambda times: json.dumps(_objects(times)), True),
    "JSON array, indented": (lambda times: json.dumps(_objects(times), indent=2), True),
    "JSON objects, indented": (lambda times: "\n".join(json.dumps(one, indent=2) for one in _objects(times)), True),
    "JSON array in an object": (lambda times: json.dumps({"count": 30, "logs": _objects(times)}), True),
    "Elasticsearch's answer": (_search, True),
    "JSON lines, seconds": (_epoch(1), True),
    "JSON lines, milliseconds": (_epoch(1000), True),
    "Docker, the log's own times": (lambda times: _docker(times, True), True),
    "Docker, no times in the log": (lambda times: _docker(times, False), True),
    "Kubernetes": (lambda times: _prefixed(times, _cri), True),
    "syslog of RFC 5424": (lambda times: _prefixed(times, _rfc5424), True),
    "syslog of RFC 3164": (lambda times: _prefixed(times, _rfc3164), False),
    "Event Viewer's details": (details, True),
    "Event Viewer's details, German": (lambda times: details(times, GERMAN, "%d.%m.%Y %H:%M:%S"), True),
    "Event Viewer's details on one line": (_one_line, True),
}  # fmt: skip
