"""The logs that the lab writes are what they say they are: read here by ElementTree, json and plain splitting alone."""

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from remediate.iis.events import MEANING
from remediate.values.logs import WorkerEvent
from remediate_lab.clock.simulation import simulate
from remediate_lab.clock.traffic import TRAFFIC
from remediate_lab.clock.world import EVERY_RECYCLE, App, Incident, PoolSettings, Span
from remediate_lab.logs import events, exported, w3c
from remediate_lab.logs.entries import Layout, entries
from remediate_lab.logs.files import LOGS, SHAPES, Encoding, Form, application_log

BEGIN = datetime(2026, 11, 9, tzinfo=UTC)
SPAN = Span(BEGIN, BEGIN + timedelta(days=2))
APP = App("Default Web Site/shop", 1, preload=True)
# A name that is legal for IIS and awkward for XML and JSON.
NASTY = "a'b`n Ünï {0} $(x)"
POOL = PoolSettings(name=NASTY, always_running=True, logged=EVERY_RECYCLE, applications=(APP,))
INCIDENTS = [
    Incident(time=BEGIN + timedelta(hours=5), kind="boot"),
    Incident(time=BEGIN + timedelta(hours=9), kind="administrator"),
    Incident(time=BEGIN + timedelta(hours=11), kind="failure"),
    Incident(time=BEGIN + timedelta(hours=20), kind="shortage", minutes=90),
]
HISTORY = simulate("web01", [POOL], SPAN, seed=1, traffic=TRAFFIC["leaving"], incidents=INCIDENTS).history
RECORDS = entries(HISTORY, "WEB01", (APP,), SPAN, 1)
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-8-bom", "utf-16-le-bom", "utf-16-be-bom", "utf-16-le")
FRAMES = {"en": "at", "de": "bei", "fr": "à", "es": "en", "ru": "в", "zh": "在"}
NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"
# What the beginning of an entry looks like, and how its time is written.
BEGINS = {
    "log4net": (r"(\S+ \S+) \[\d+\] (?:INFO |ERROR) \S+ \[/LM/W3SVC/1/ROOT/shop-1-\d+\] - ", "%Y-%m-%d %H:%M:%S,%f"),
    "nlog": (r"([^|]+)\|(?:INFO|ERROR)\|[^|]+\|WEB01\|0002:/LM/W3SVC/1/ROOT/shop-1-\d+\|", "%Y-%m-%d %H:%M:%S.%f"),
    "serilog": (r"(\S+ \S+ [+-]\d\d:\d\d) \[(?:INF|ERR)\] WEB01 /LM/", "%Y-%m-%d %H:%M:%S.%f %z"),
    "plain": (r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ", "%Y-%m-%d %H:%M:%S"),
}


def codes() -> Counter[str]:
    return Counter(error.code for error in HISTORY.errors)


def texts(shape: str, layout: Layout, form: Form) -> str:
    """The whole log, its parts oldest first."""
    files = application_log(shape, "app.log", RECORDS, layout, form)
    names = sorted(files, key=lambda name: -int((re.findall(r"\.(\d+)", name) or [0])[0]))
    data = [gzip.decompress(files[name]) if name.endswith(".gz") else files[name] for name in names]
    name = {"utf-8-bom": "utf-8-sig", "utf-16-le-bom": "utf-16", "utf-16-be-bom": "utf-16"}
    return "".join(one.decode(name.get(form.encoding, form.encoding)) for one in data)


@pytest.mark.parametrize("language", FRAMES)
@pytest.mark.parametrize("shape", BEGINS)
def test_a_text_log_has_each_error_with_its_time_and_frames(shape: str, language: str) -> None:
    """In the wall clock of the zone; the frames' first word in the language, the codes and methods in none."""
    zone = ZoneInfo("America/Chicago")
    lines = texts(shape, Layout(zone, language), Form(newline="\n")).splitlines()
    pattern, spelling = BEGINS[shape]
    begins = [(number, match[1]) for number, line in enumerate(lines) if (match := re.match(pattern, line))]
    assert len(begins) == len(RECORDS)
    frame = re.compile(rf"   {FRAMES[language]} System\.Web\.Hosting\.IIS7WorkerRequest\.RaiseCommunicationError\(")
    ends = [number for number, _ in begins[1:]] + [len(lines)]
    found = []
    for (number, text), end in zip(begins, ends, strict=True):
        entry = "\n".join(lines[number:end])
        assert bool(frame.search(entry)) == ("0x8007" in entry)
        if frame.search(entry):
            time = datetime.strptime(text, spelling)
            found.append(
                (re.findall("0x8007[0-9A-F]{4}", entry)[0], time if time.tzinfo else time.replace(tzinfo=zone))
            )
    exact = timedelta(seconds=1 if shape == "plain" else 0.001)
    for (code, time), error in zip(found, HISTORY.errors, strict=True):
        assert code == error.code and timedelta() <= error.time - time < exact


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_line_ends_and_rotation_change_nothing_else(encoding: Encoding, parts: int) -> None:
    plain = texts("log4net", Layout(language="zh"), Form(newline="\n"))
    form = Form(encoding, "\r\n", parts, gzipped=True)
    assert len(application_log("log4net", "app.log", RECORDS, Layout(), form)) == parts
    whole = texts("log4net", Layout(language="zh"), form)
    assert whole.replace("\r\n", "\n") == plain and whole.count("\r\n") == plain.count("\n")


def test_clef_is_a_json_object_a_line() -> None:
    found = [json.loads(line) for line in texts("clef", Layout(), Form()).splitlines()]
    assert len(found) == len(RECORDS)
    assert {event.get("@l", "Information") for event in found} == {"Information", "Error"}
    errors = [event for event in found if "@x" in event]
    times = [datetime.fromisoformat(event["@t"]) for event in errors]
    assert times == [error.time for error in HISTORY.errors]
    assert [event["ClientIp"] for event in errors] == [error.client for error in HISTORY.errors]
    assert all(error.code in event["@x"] for event, error in zip(errors, HISTORY.errors, strict=True))


def test_elmah_is_a_file_for_each_error() -> None:
    files = application_log("elmah", "shop.log", RECORDS, Layout(), Form())
    assert len(files) == len(HISTORY.errors)
    seen: Counter[str] = Counter()
    for name, data in files.items():
        root = ElementTree.fromstring(data)
        time = datetime.fromisoformat(root.attrib["time"])
        assert name.startswith(f"shop/error-{time:%Y-%m-%d%H%M%S}Z-") and root.attrib["application"].endswith("/shop")
        code = next(error.code for error in HISTORY.errors if error.time == time)
        assert code in root.attrib["message"] and "\n   at System.Web.Hosting" in root.attrib["detail"]
        address = root.find("serverVariables/item[@name='REMOTE_ADDR']/value")
        assert address is not None and (address.get("string") == "127.0.0.1") == (code == "0x80070032")
        seen[code] += 1
    assert seen == codes()


def test_the_system_log_is_one_document() -> None:
    root = ElementTree.fromstring(events.log(events.system(HISTORY.logged, "WEB01.lab.example", {NASTY: 1200})))
    assert root.tag == "Events"
    found = []
    for event in root:
        text = event.findtext(f"{NAMESPACE}System/{NAMESPACE}EventID")
        created = event.find(f"{NAMESPACE}System/{NAMESPACE}TimeCreated")
        assert text is not None and created is not None
        named = {data.get("Name"): data.text for data in event.iter(f"{NAMESPACE}Data")}
        found.append((int(text), datetime.fromisoformat(created.attrib["SystemTime"][:26] + "+00:00"), named))
    assert [(number, time) for number, time, _ in found] == [(event.id, event.time) for event in HISTORY.logged]
    assert {number for number, _, _ in found} >= {12, 6005, 5079, 5011, 5186, 5195}
    assert all((named.get("AppPoolID") == NASTY) == (number not in (12, 6005)) for number, _, named in found)
    assert {named["Minutes"] for number, _, named in found if number == 5186} == {"20"}
    assert ElementTree.fromstring(events.EMPTY).tag == "Events"


# As published events and Microsoft's message texts have them: level, qualifiers, the data in their order.
FIELDS = {
    5002: ("2", "49152", ["AppPoolID"]),
    5009: ("3", "32768", ["AppPoolID", "ProcessID", "ExitCode"]),
    5010: ("3", "32768", ["AppPoolID", "ProcessID"]),
    5011: ("3", "32768", ["AppPoolID", "ProcessID"]),
    5074: ("4", "16384", ["ProcessID", "AppPoolID"]),
    5079: ("4", "16384", ["AppPoolID"]),
    5080: ("4", "16384", ["AppPoolID"]),
    5081: ("4", "16384", ["AppPoolID"]),
    5117: ("4", "16384", ["ProcessID", "AppPoolID"]),
    5139: ("3", "32768", ["AppPoolID", "ProcessID", "param3", "ProtocolID"]),
    5186: ("4", "16384", ["ProcessID", "AppPoolID", "Minutes"]),
    5195: ("4", "16384", ["ProcessID", "AppPoolID", "Minutes", "ReducedMinutes"]),
}


@pytest.mark.parametrize("number", FIELDS)
def test_an_event_of_the_activation_service_is_like_a_published_one(number: int) -> None:
    """Its provider, keywords and qualifiers; the order of its data; and the number of an error, where it has one."""
    told = WorkerEvent(time=BEGIN, id=number, kind=MEANING[number].kind, pool=NASTY)
    (event,) = ElementTree.fromstring(events.log(events.system([told], "WEB01", {NASTY: 1200})))
    head = event.find(f"{NAMESPACE}System")
    assert head is not None
    fields = {child.tag.removeprefix(NAMESPACE): child for child in head}
    assert fields["Provider"].attrib == {
        "Name": "Microsoft-Windows-WAS", "Guid": "{524B5D04-133C-4A62-8362-64E8EDB9CE40}", "EventSourceName": "WAS",
    }  # fmt: skip
    assert (fields["Keywords"].text, fields["Channel"].text) == ("0x80000000000000", "System")
    names = [data.get("Name") for data in event.iter(f"{NAMESPACE}Data")]
    assert (fields["Level"].text, fields["EventID"].get("Qualifiers"), names) == FIELDS[number]
    assert names.index("AppPoolID") == MEANING[number].place
    assert (event.find(f"{NAMESPACE}EventData/{NAMESPACE}Binary") is not None) == (number in (5011, 5139))


def test_every_kind_of_failure_is_played_in_turn() -> None:
    incidents = [Incident(time=BEGIN + timedelta(hours=hour), kind="failure") for hour in range(1, 6)]
    incidents.append(Incident(time=BEGIN + timedelta(hours=9), kind="inconsistent"))
    history = simulate("web01", [replace(POOL, logged=())], SPAN, seed=1, incidents=incidents).history
    assert [e.id for e in history.logged if e.kind == "failure"] == [5011, 5009, 5010, 5139, 5011]
    assert [e.id for e in history.logged if e.kind == "recycle"] == [5081], "no flag is needed for it"


def test_event_1309_is_throttled_and_positional() -> None:
    zone = ZoneInfo("Europe/Berlin")
    root = ElementTree.fromstring(events.log(events.unhandled(HISTORY.errors, "WEB01.lab.example", zone)))
    times = []
    for event in root:
        assert event.findtext(f"{NAMESPACE}System/{NAMESPACE}EventID") == "1309"
        data = [element.text or "" for element in event.iter(f"{NAMESPACE}Data")]
        assert not any(element.attrib for element in event.iter(f"{NAMESPACE}Data"))
        assert data[0] == "3005" and data[8].startswith("/LM/W3SVC/1/ROOT/shop-")
        local, utc = (datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p") for text in data[2:4])
        assert local - utc == timedelta(hours=1)
        times.append(utc.replace(tzinfo=UTC))
        error = next(error for error in HISTORY.errors if error.time.replace(microsecond=0) == times[-1])
        assert error.code in data[18] and data[21] == error.client and "RaiseCommunicationError" in data[-1]
        # Message and stack of the outer exception, then those of the inner one.
        assert data[18].index("RaiseCommunicationError") < (
            data[18].rfind(error.code) if "HRESULT" in data[18] else 9e9
        )
    assert min(later - time for time, later in pairwise(times)) >= timedelta(seconds=59)
    # Each error has an event, or one stands within the minute before it.
    for error in HISTORY.errors:
        assert any(timedelta() <= error.time - time <= timedelta(seconds=61) for time in times)


@pytest.mark.parametrize("version", [5, 7])
def test_the_export_is_json(version: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    of_pools = [event for event in HISTORY.logged if event.pool]
    text = exported.render(HISTORY.logged, "WEB01", version, zone)
    found = json.loads(text)
    assert [event["Id"] for event in found] == [event.id for event in of_pools]
    assert [_exported_time(event["TimeCreated"]) for event in found] == [event.time for event in of_pools]
    assert all({"Value": NASTY} in event["Properties"] and NASTY in event["Message"] for event in found)
    assert ("\\/Date(" in text) == (version == 5)
    alone = json.loads(exported.render(of_pools[:1], "WEB01", version, zone))
    assert isinstance(alone, dict) and alone["Id"] == of_pools[0].id


def _exported_time(text: str) -> datetime:
    number = re.fullmatch(r"/Date\((\d+)\)/", text)
    return datetime.fromtimestamp(int(number[1]) / 1000, UTC) if number else datetime.fromisoformat(text)


def test_the_w3c_log_has_a_line_for_each_request_and_none_for_the_preload() -> None:
    """Also where its fields change at a day's border; each file says which it has."""
    files = w3c.days(HISTORY.requests, (w3c.DEFAULT, w3c.SHORT))
    assert list(files) == ["W3SVC1/u_ex261109.log", "W3SVC1/u_ex261110.log"]
    found: list[dict[str, Any]] = []
    for name, parts in files.items():
        fields: list[str] = []
        for line in "".join(parts).splitlines():
            if line.startswith("#Fields: "):
                fields = line.split()[1:]
            elif not line.startswith("#"):
                values = dict(zip(fields, line.split(" "), strict=True))
                found.append(values | {"day": name[-10:-4]})
    assert len({len(values) for values in found}) == 2
    assert [f"{values['day']} {values['time']}" for values in found] == [
        f"{request.time:%y%m%d %H:%M:%S}" for request in HISTORY.requests
    ]
    assert {values["c-ip"] for values in found} == {request.client for request in HISTORY.requests}
    assert "Preload" not in json.dumps(found) and "127.0.0.1" not in json.dumps(found)
    gone = [values for values in found if values.get("sc-win32-status", "0") != "0"]
    first_day = [e for e in HISTORY.errors if e.cause == "client" and e.time < BEGIN + timedelta(days=1)]
    assert len(gone) == len(first_day)


def test_every_shape_is_tried() -> None:
    assert set(LOGS) == {*BEGINS, "clef", "elmah"} and set(SHAPES) == set(LOGS) - {"elmah"}


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """A hand-edited configuration may call a pool anything that XML can hold."""
    name = "</Data></Event>\"'&<>]]>"
    event = WorkerEvent(time=BEGIN, id=5079, kind="recycle", cause="administrator", pool=name)
    path = tmp_path / "System.xml"
    path.write_text(events.log(events.system([event], name, {})), encoding="utf-8")
    (found,) = ElementTree.parse(path).getroot().iter(f"{NAMESPACE}Data")
    assert found.text == name
    assert json.loads(exported.render([event], name, 5, UTC))["Properties"] == [{"Value": name}]
