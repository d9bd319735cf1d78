"""A server's answer about its event logs, whatever it holds."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from remediate.collection import collection
from remediate.iis.events import MEANING
from remediate.iis.frames import STREAMS
from remediate.iis.inspection import parse_answer
from remediate.values.fleet import Failed, Inspection
from remediate.values.logs import Evidence
from remediate_lab.emulated.events import QUERIES
from tests.unit.test_inspection import GOOD

LOG: dict[str, Any] = {"oldest": "2026-10-01T00:00:00Z", "complete": True, "detail": None}
ERROR: dict[str, Any] = {
    "time": "2026-11-25T10:00:04Z", "code": "0x80070032", "application": "/lm/w3svc/2/ROOT/Shop", "local": True,
    "raised": True, "flushed": True, "entity_read": False,
}  # fmt: skip
TOLD: dict[str, Any] = {
    "since": "2026-11-18T12:00:00Z", "until": "2026-11-25T12:00:00Z", "logs": {"System": LOG, "Application": LOG},
    "events": [
        {"time": "2026-11-25T10:00:00Z", "id": 5186, "pool": "Shop"},
        {"time": "2026-11-24T00:00:00Z", "id": 12, "pool": None},
    ],
    "errors": [ERROR],
}  # fmt: skip


def parse(told: Any, *applications: tuple[str, int | None]) -> Inspection | Failed:
    served = [{"path": path, "site": site} for path, site in applications]
    pool = {"name": "Shop", "state": "Started", "attributes": GOOD, "applications": served}
    answer = {
        "format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0",
        "defaults": GOOD, "pools": [pool], "evidence": told,
    }  # fmt: skip
    return parse_answer("web01", json.dumps(answer).encode())


def read(told: Any, *applications: tuple[str, int | None]) -> Evidence:
    answer = parse(told, *applications)
    assert isinstance(answer, Inspection) and answer.evidence is not None
    return answer.evidence


def test_events_have_their_meaning_and_order() -> None:
    told = read(TOLD)
    assert [(e.time, e.kind, e.pool) for e in told.events] == [
        (datetime(2026, 11, 24, tzinfo=UTC), "boot", None),
        (datetime(2026, 11, 25, 10, tzinfo=UTC), "idle-stop", "Shop"),
    ]
    without = parse(None)
    assert isinstance(without, Inspection) and without.evidence is None


@pytest.mark.parametrize(
    ("domain", "applications", "owner"),
    [
        ("/lm/w3svc/2/ROOT/Shop", [("Site/shop", 2)], ("Site/shop", "Shop")),
        ("/LM/W3SVC/2/ROOT", [("Site/", 2), ("Site/shop", 2)], ("Site/", "Shop")),
        ("/LM/W3SVC/2/ROOT/a/b", [("Site/a", 2), ("Site/a/b", 2)], ("Site/a/b", "Shop")),
        ("/LM/W3SVC/2/ROOT/shop", [("Site/shop", 3)], ("/LM/W3SVC/2/ROOT/shop", None)),
        ("/LM/W3SVC/2/ROOT/shop", [("Site/shop", None)], ("/LM/W3SVC/2/ROOT/shop", None)),
        ("/LM/W3SVC/2/ROOT/shop", [("A/shop", 2), ("B/Shop", 2)], ("/LM/W3SVC/2/ROOT/shop", None)),
        (None, [("Site/shop", 2)], (None, None)),
    ],
)
def test_an_error_has_its_applications_pool(
    domain: str | None, applications: list[tuple[str, int | None]], owner: tuple[str, str]
) -> None:
    """Only where the site's number and the path leave no doubt."""
    (error,) = read(TOLD | {"errors": [ERROR | {"application": domain}]}, *applications).errors
    assert (error.application, error.pool) == owner


def test_an_event_without_its_pool_is_nobodys() -> None:
    """It is counted, and said."""
    told = read(TOLD | {"events": [{"time": "2026-11-25T10:00:00Z", "id": 5186, "pool": None}]})
    assert (told.events, told.logs["System"].detail) == ((), "1 of its events name no application pool")


@pytest.mark.parametrize(
    "time", ["1999-11-25T10:00:00Z", "2026-11-18T11:59:59Z", "2026-11-25T12:00:01Z", "9999-12-31T23:59:59Z"]
)
def test_what_was_not_asked_for_is_left_out(time: str) -> None:
    """An event before the days that were asked for, or after the server's own clock, is counted, and proves nothing."""
    told = read(TOLD | {"events": [TOLD["events"][0] | {"time": time}], "errors": [ERROR | {"time": time}]})
    assert (told.events, told.errors) == ((), ())
    said = "1 of its events are of a time that was not asked for"
    assert {name: log.detail for name, log in told.logs.items()} == {"System": said, "Application": said}


def test_the_first_and_the_last_second_were_asked_for() -> None:
    events = [{"time": TOLD[end], "id": 5186, "pool": "Shop"} for end in ("since", "until")]
    told = read(TOLD | {"events": events})
    assert len(told.events) == 2 and told.logs["System"].detail is None


WRONG: list[dict[str, Any]] = [
    {"since": None},
    {"since": "2026-11-18T12:00:00+02:00"},
    {"since": "2026-11-26T12:00:00Z"},  # after the end
    {"logs": {"System": LOG | {"oldest": "2026-10-01T00:00:00-01:00"}, "Application": LOG}},
    {"events": [{"time": "2026-11-25T10:00:00+14:00", "id": 5186, "pool": "Shop"}]},
    {"events": [{"time": "0001-01-01T00:00:00+23:59", "id": 5186, "pool": "Shop"}]},
    {"errors": [ERROR | {"time": "2026-11-25T10:00:04-05:00"}]},
    {"since": "2026-11-18T12:00:00"},  # no zone
    {"since": "yesterday"},
    {"logs": {"System": LOG}},
    {"logs": {"System": LOG | {"oldest": 5}, "Application": LOG}},
    {"events": {}},
    {"events": [{"time": "2026-11-25T10:00:00Z", "id": 4624, "pool": "Shop"}]},
    {"events": [{"time": "2026-11-25T10:00:00Z", "id": "5186", "pool": "Shop"}]},
    {"events": [{"time": "2026-11-25T10:00:00Z", "id": 5186, "pool": "x" * 2000}]},
    {"events": [TOLD["events"][0]] * 20_000},
    {"errors": [ERROR | {"code": "0x8007\x1b[31m"}]},
    {"errors": [ERROR | {"local": "yes"}]},
    {"errors": [{key: value for key, value in ERROR.items() if key != "raised"}]},
    {"errors": None},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong}"[:60])
def test_what_cannot_be_judged_is_a_failure(wrong: dict[str, Any]) -> None:
    """One line; it never passes for evidence of nothing."""
    failed = parse(TOLD | wrong)
    assert isinstance(failed, Failed)
    assert "cannot be read" in failed.detail and failed.detail.isprintable()


def test_a_logs_trouble_is_one_short_line() -> None:
    told = read(TOLD | {"logs": {"System": LOG | {"detail": "a\r\n b" + "c" * 5000}, "Application": LOG}})
    detail = told.logs["System"].detail
    assert detail is not None and detail.startswith("a bc") and len(detail) == 300


SCRIPT = (collection() / "plugins" / "module_utils" / "IisEvents.psm1").read_text()
# Of the script: the ids that stand in a query, ranges spelled out; and id -> the place of the pool's name in the data.
RANGES = [range(int(low), int(high) + 1) for low, high in re.findall(r"EventID>=(\d+) and EventID<=(\d+)", SCRIPT)]
ASKED = {int(number) for number in re.findall(r"EventID=(\d+)", SCRIPT)} | {n for ids in RANGES for n in ids}
PLACES = dict(re.findall(r"\b(\d+) = (\d|\$null)", SCRIPT))


def test_what_is_asked_for_is_what_is_understood() -> None:
    """The ids of the script and of what they mean: one list, idle stops of both kinds in it."""
    assert MEANING.keys() | {1309} == ASKED and {5010, 5081, 5186, 5195} <= ASKED
    assert {int(number) for number in PLACES} == ASKED


def test_no_query_has_so_many_conditions_that_windows_refuses_it() -> None:
    """Below twenty, the time and the providers among them."""
    queries = re.findall(r"(?s)asked = (\".*?) ?\}", SCRIPT)
    assert len(queries) == len(QUERIES)
    for query in queries:
        assert 1 < len(re.findall("[<>]?=", query)) < 19


def test_the_place_of_the_pools_name_is_one_table() -> None:
    """By Microsoft's message texts; in the script and in Python."""
    second = {5074, 5075, 5076, 5077, 5078, 5117, 5186, 5195}
    first = {5002, 5009, 5010, 5011, 5079, 5080, 5081, 5139}
    for place, numbers in ((0, first), (1, second)):
        assert {int(number) for number, at in PLACES.items() if at == str(place)} == numbers
        assert {number for number in numbers if MEANING[number].place == place} == numbers


def test_the_frames_of_clients_are_the_same_in_the_script() -> None:
    found = re.findall(r"@\{ name = '([a-z-]+)'; frames = '([^']+)' \}", SCRIPT)
    assert found == [(name, stream.frames) for name, stream in STREAMS.items()]
