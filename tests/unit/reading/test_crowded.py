"""Several errors in one file are several, each with its time, whatever stands around them."""

import json
from pathlib import Path

import pytest

from remediate.logs import Zone, in_utc, read_blocks
from tests.conftest import remediate
from tests.unit.reading.crowded import SHAPES, TIMES
from tests.unit.reading.rendering import ZONE

NO_FRAMES = "ELMAH's CSV"


@pytest.mark.parametrize("shape", SHAPES)
def test_each_error_is_one_with_its_time(shape: str) -> None:
    """In a syslog without a year it is that of the file's name."""
    render, zoned = SHAPES[shape]
    reading = read_blocks([render(TIMES).encode()], "app-20261125.log")
    in_order = in_utc(reading, lambda _: Zone("ZONE", ZONE, "option")).occurrences
    assert [one.time and one.time.replace(microsecond=0) for one in in_order] == TIMES
    assert (reading.source.unparsed, reading.source.untimed, reading.source.code_only) == (0, 0, 0)
    assert (reading.source.time_zone == "UTC") == zoned
    assert {(one.code, one.raised, one.flushed) for one in reading.occurrences} == {
        ("0x80070032", shape != NO_FRAMES, shape != NO_FRAMES)
    }


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "details" in shape])
def test_event_viewer_s_details_name_what_they_are_of(shape: str) -> None:
    """On one line nothing tells where the pool's name ends."""
    reading = read_blocks([SHAPES[shape][0](TIMES).encode()], "x.txt")
    pool = None if "one line" in shape else "Contoso Shop"
    assert {(one.application, one.pool, one.local) for one in reading.occurrences} == {
        ("/LM/W3SVC/2/ROOT/shop", pool, True)
    }


@pytest.mark.parametrize("option", [(), ("--events",)])
def test_event_viewer_s_details_are_events_too(option: tuple[str, ...], tmp_path: Path) -> None:
    """As a log, and as what is given of event 1309."""
    log = tmp_path / "pasted.txt"
    log.write_text(SHAPES["Event Viewer's details"][0](TIMES))
    done = remediate("diagnose", *option, log, "--format", "json")
    (stream,) = json.loads(done.stdout)["streams"]
    assert (stream["count"], stream["pool"]) == (30, "Contoso Shop")
    assert (stream["first"], stream["last"]) == ("2026-11-25T13:00:01Z", "2026-11-25T23:09:01Z")


def test_days_and_months_that_could_be_either_are_no_times(tmp_path: Path) -> None:
    """On 11/12 nobody knows which is the month: thirty errors, and the report says that their times are not known."""
    log = tmp_path / "pasted.txt"
    days = [time.replace(day=12) for time in TIMES[:14]]
    log.write_text(SHAPES["Event Viewer's details"][0](days))
    done = remediate("diagnose", log)
    assert "14 without a time that was recognised" in done.stdout


def test_a_syslog_without_a_year_says_so(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(SHAPES["syslog of RFC 3164"][0](TIMES))
    done = remediate("diagnose", log, "--format", "json")
    value = json.loads(done.stdout)
    assert [stream["count"] for stream in value["streams"]] == [30]
    assert value["sources"][0]["untimed"] == 30
    shown = remediate("diagnose", log).stdout
    assert "30 without a time that was recognised" in shown and " 0 not understood" not in shown


@pytest.mark.parametrize("shape", SHAPES)
def test_where_the_blocks_begin_does_not_matter(shape: str) -> None:
    data = SHAPES[shape][0](TIMES).encode()
    whole = read_blocks([data], "app-20261125.log")
    for size in (7, 1000, 4093):
        assert read_blocks([data[n : n + size] for n in range(0, len(data), size)], "app-20261125.log") == whole
