"""How entries begin, whose exception it is, and what is no exception of the family."""

from datetime import UTC, datetime
from typing import Any

import pytest

from remediate.iis.codes import CODES
from remediate.logs import read_blocks
from remediate.values.logs import LoggedException

EXCEPTION = "System.Web.HttpException (0x80070032): boo\n   at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()\n"
WALL = datetime(2026, 11, 25, 14, 0, 1)
WHOLE = datetime(2026, 11, 25, 14, 0)


def only(text: str, name: str = "x.log") -> LoggedException:
    (occurrence,) = read_blocks([text.encode()], name).occurrences
    return occurrence


@pytest.mark.parametrize(
    ("begin", "time"),
    [
        ("2026-11-25 14:00:01,123 ERROR", WALL.replace(microsecond=123000)),
        ("2026-11-25 14:00:01.1234567 ERROR", WALL.replace(microsecond=123456)),
        ("2026-11-25T14:00:01Z ERROR", WALL.replace(tzinfo=UTC)),
        ("2026-11-25T14:00:01.5+01:00 ERROR", datetime(2026, 11, 25, 13, 0, 1, 500000, UTC)),
        ("2026-11-25 14:00:01 -0530 ERROR", datetime(2026, 11, 25, 19, 30, 1, tzinfo=UTC)),
        ("[2026-11-25 14:00:01 ERR]", WALL),
        ("[12] [ERROR] 2026-11-25 14:00:01", WALL),
        ("ERROR 2026-11-25 14:00:01 [12]", WALL),
        ("ERROR|2026/11/25 14:00:01|", WALL),
        ("25.11.2026 14:00:01", WALL),
        ("25.11.2026, 14.00.01", WALL),
        ("25 Nov 2026 14:00:01,000", WALL),
        ("25/Nov/2026:14:00:01 +0000", WALL.replace(tzinfo=UTC)),
        ("20261125 14:00:01", WALL),
        ("11/25/2026 2:00:01 PM", WALL),
        ("25/11/2026 14:00:01", WALL),
        ("11/25/2026 12:00:01 AM", datetime(2026, 11, 25, 0, 0, 1)),
        ("2026-11-25 14:00", WHOLE),
    ],
)
def test_the_usual_forms_of_time_begin_an_entry(begin: str, time: datetime) -> None:
    assert only(f"{begin} before\n{begin} failed\n{EXCEPTION}{begin} after\n").time == time
    assert only(f"{begin} before\n{begin} failed\n{EXCEPTION}{begin} after\n").line == 2


@pytest.mark.parametrize(
    "begin", ["2026-13-45 14:00:01", "2026-11-25 25:00:01", "31.02.2026 14:00:01", "0001-01-01 00:00:00 +14:00"]
)
def test_a_time_that_does_not_exist_is_not_known_and_counted(begin: str) -> None:
    reading = read_blocks([f"{begin} ERROR\n{EXCEPTION}".encode()], "x.log")
    assert [o.time for o in reading.occurrences] == [None]
    assert reading.source.unparsed == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app-20261105.log", datetime(2026, 11, 5, 14, 0, 1)),
        ("app.2026-05-11.log", datetime(2026, 5, 11, 14, 0, 1)),
        ("app.log", None),
    ],
)
def test_the_date_in_a_files_name_tells_the_order_of_day_and_month(name: str, expected: datetime | None) -> None:
    assert only(f"05/11/2026 14:00:01 ERROR\n{EXCEPTION}", name).time == expected


def test_dates_that_contradict_each_other_tell_nothing() -> None:
    text = f"05/11/2026 14:00:01 ERROR\n{EXCEPTION}24/11/2026 1:00:00 a\n11/24/2026 1:00:00 b\n"
    assert only(text).time is None


def test_clocks_without_a_date_are_of_the_day_in_the_name_until_they_go_back() -> None:
    """After midnight nobody knows how many days went by."""
    text = "".join(f"[{clock} ERR] failed\n{EXCEPTION}" for clock in ("23:40:00", "23:59:00", "00:20:00", "23:59:30"))
    times = [o.time for o in read_blocks([text.encode()], "app-20261125.log").occurrences]
    assert times == [datetime(2026, 11, 25, 23, 40), datetime(2026, 11, 25, 23, 59), None, None]
    assert [o.time for o in read_blocks([text.encode()], "app.log").occurrences] == [None] * 4


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("form", ["0x{:08X}", "0X{:08x}", "{:08X}", "({:08x})", "HRESULT: 0x{:08x}.", "{decimal}"])
def test_every_spelling_of_every_code_is_known(code: str, form: str) -> None:
    number = int(code, 16)
    written = form.format(number, decimal=number - (1 << 32))
    assert only(f"2026-11-25 14:00:01 ERROR COMException {written}\n").code == code


@pytest.mark.parametrize(
    "text",
    [
        "0x80070032 alone",
        "System.Web.HttpException (0x80004005): another code",
        "COMException 0x80070033",
        "COMException 0x800700321",
        "COMException 180070032",
        "COMException 80070032-4d1f-4f0e-9a52-0123456789ab",
        "COMException 4d1f4f0e-80070032",
        "COMException -21470248460",
        "COMException 1.80070032",
    ],
)
def test_what_only_looks_like_it_is_no_hit(text: str) -> None:
    assert read_blocks([f"2026-11-25 14:00:01 ERROR {text}\n".encode()], "x.log").occurrences == ()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("MachineName=WEB01", {"host": "WEB01"}),
        ('"ComputerName": "WEB 01"', {"host": "WEB 01"}),
        ("log4net:HostName=WEB01,", {"host": "WEB01"}),
        ("Host: shop.example", {}),
        ("at /LM/W3SVC/12/ROOT/a/b-1-133774411922334455", {"application": "/LM/W3SVC/12/ROOT/a/b"}),
        ("at /LM/W3SVC/12/ROOT-2-133774411922334455", {"application": "/LM/W3SVC/12/ROOT"}),
        ("[/LM/W3SVC/1/ROOT/]", {"application": "/LM/W3SVC/1/ROOT"}),
        ('{"Application":"Contoso Shop"}', {"application": "Contoso Shop"}),
        ("Application: w3wp.exe", {}),
        (r"[IIS APPPOOL\Contoso Shop] x", {"pool": "Contoso Shop"}),
        (r'"user":"IIS APPPOOL\\Contoso Shop"', {"pool": "Contoso Shop"}),
        (r"as IIS APPPOOL\shop it did not work, ", {}),
        ("ClientIp=127.0.0.1", {"local": True}),
        ("client ip: [::1]:5000", {"local": True}),
        ("REMOTE_ADDR='::ffff:127.0.0.1'", {"local": True}),
        ("RemoteIpAddress: 203.0.113.7", {"local": False}),
        ("ClientIp=-", {}),
        ("connecting to 127.0.0.1:6379", {}),
        ('User-Agent: "IIS Application Initialization Warmup"', {"preload": True}),
        ("UserAgent=IIS+Application+Initialization+Preload", {"preload": True}),
        ("HTTP_USER_AGENT: Mozilla/5.0", {"preload": False}),
    ],
)
def test_what_an_entry_tells_of_its_origin(told: str, expected: dict[str, Any]) -> None:
    occurrence = only(f"2026-11-25 14:00:01 ERROR {told}\n{EXCEPTION}")
    origin = {name: getattr(occurrence, name) for name in ("host", "application", "pool", "local", "preload")}
    assert origin == {"host": None, "application": None, "pool": None, "local": None, "preload": None, **expected}


@pytest.mark.parametrize("first", ['{\n  "Logging": {"Level": "Info"}\n}\n', "[Header]\n", '[\n  {"a": 1}\n]\n'])
def test_what_a_log_begins_with_hides_none_of_its_entries(first: str) -> None:
    """A dump of the settings, or a header."""
    assert only(f"{first}2026-11-25 14:00:01 ERROR {EXCEPTION}").time == WALL
    entry = f'<log4net:event logger="x" timestamp="2026-11-25T14:00:01Z"><log4net:exception>{EXCEPTION}'
    if first.startswith("[H"):
        assert only(f"{first}{entry}</log4net:exception></log4net:event>").time == WALL.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begin", "time"),
    [
        ("Wed Nov 25 14:00:01 2026 ERROR", WALL),
        ("Nov 25, 2026 2:00:01 PM ERROR", WALL),
        ("November 25 2026 14:00:01 ERROR", WALL),
        ("Nov 25 14:00:01 ERROR", WALL),
        ("Jan  2 14:00:01 ERROR", WALL.replace(2027, 1, 2)),
    ],
)
def test_a_month_s_name_may_come_first(begin: str, time: datetime) -> None:
    """Without a year, the date is the one that is the nearest to that of the file's name."""
    name = "app-20261230.log"
    assert only(f"{begin} {EXCEPTION}", name).time == time


def test_more_than_is_kept_is_counted_by_code() -> None:
    entries = [
        f"2026-11-25 14:00:01 ERROR HttpException {code}\n" for code in ("0x80070032",) * 5 + ("0x80070057",) * 2
    ]
    reading = read_blocks(["".join(entries).encode()], "x.log", kept=3)
    assert [o.code for o in reading.occurrences] == ["0x80070032"] * 3 + ["0x80070057"] * 2
    assert reading.source.left_out == 2
