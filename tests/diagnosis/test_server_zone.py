"""Times without a zone are read in the zone that is given, or that the server's audit reports; none is guessed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from remediate.lab.chance import Chance
from remediate.model import Diagnosis
from tests.conftest import remediate
from tests.diagnosis.command import diagnosis_of
from tests.diagnosis.test_undetermined import STACK, events
from tests.unit.reading.event_exports import events as exported
from tests.unit.reading.event_exports import nxlog_4

BERLIN = ZoneInfo("Europe/Berlin")
CLOCK = "2026-11-25T12:00:00Z"
# By that clock and each 30 days before it: 25 November, 26 October, ..., 30 March, 28 February, ... Daylight saving
# time was in Berlin from 29 March to 25 October, and in Chicago from 8 March to 1 November 2026.
BERLIN_OFFSETS = [60] * 2 + [120] * 7 + [60] * 4
CHICAGO_OFFSETS = [-360] + [-300] * 8 + [-360] * 4
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
CHANCE = Chance("zones")
# Idle stops of a worker, each 20 to 22 minutes, and an error 3 s after each: with these the zone was once guessed.
STOPS = [BEGIN + timedelta(minutes=21 * n, seconds=CHANCE.below(60)) for n in range(40)]


def log(folder: Path, moments: Sequence[datetime], zone: Any = BERLIN, name: str = "app.log") -> Path:
    """Of log4net, with the server's wall clock and no zone."""
    lines = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S},000 [7] ERROR Shop - failed\n{STACK}" for moment in moments)
    file = folder / name
    file.write_text("".join(lines))
    return file


def audit(folder: Path, **zones: dict[str, Any] | None) -> Path:
    """An audit of servers without pools, by their names and zones; None: of a version that reported no zone."""
    summary = dict.fromkeys(("hosts", "inspected", "unreachable", "failed", "skipped", "pools", "findings", "notes"), 0)
    hosts = [
        {"status": "inspected", "host": name, "machine": name.upper(), "iis_version": "10.0", "clock": CLOCK}
        | ({} if zone is None else {"time_zone": zone})
        for name, zone in zones.items()
    ]
    file = folder / "audit.json"
    file.write_text(json.dumps({
        "format": "remediate.audit", "format_version": 1, "started_at": CLOCK, "finished_at": CLOCK, "hosts": hosts,
        "findings": [], "summary": summary,
    }))  # fmt: skip
    return file


def zone(name: str, offsets: Sequence[int] = BERLIN_OFFSETS) -> dict[str, Any]:
    return {"id": name, "offsets": list(offsets)}


W_EUROPE = zone("W. Europe Standard Time")
UNKNOWN = zone("Mars Standard Time")
SWITCHED_OFF = zone("W. Europe Standard Time", [60] * 13)


def diagnosed(folder: Path, *more: object) -> Diagnosis:
    """By the log and the events after which its errors come."""
    late = [stop + timedelta(seconds=3) for stop in STOPS]
    _, diagnosis = diagnosis_of(folder, log(folder, late), "--events", events(folder, STOPS, 5186), *more)
    return diagnosis


def zone_of(diagnosis: Diagnosis) -> tuple[str, str | None]:
    (source,) = (source for source in diagnosis.sources if source.kind == "text")
    return source.time_zone, source.time_zone_from


def test_no_zone_is_guessed_and_the_report_says_what_would_tell_it(tmp_path: Path) -> None:
    """However well an offset would fit: the times are compared with each other alone, which gives the period."""
    diagnosis = diagnosed(tmp_path)
    (stream,) = diagnosis.streams
    assert zone_of(diagnosis) == ("unknown", None)
    assert stream.verdict == "consistent" and stream.attribution.by_gap > 30
    assert stream.period_seconds == pytest.approx(21 * 60, abs=60)
    for name in ("after-recycle", "not-in-iis-log"):
        symptom = stream.symptoms[name]
        assert symptom.state == "not-checkable"
        assert "--time-zone" in symptom.text and "an audit that reports the server's zone" in symptom.text


def test_a_log_is_read_in_the_zone_that_the_audit_of_its_server_reports(tmp_path: Path) -> None:
    """Windows' name of it is translated, and the report says where the zone is from."""
    diagnosis = diagnosed(tmp_path, "--audit", audit(tmp_path, web01=W_EUROPE))
    (stream,) = diagnosis.streams
    assert zone_of(diagnosis) == ("Europe/Berlin", "audit")
    assert stream.verdict == "confirmed" and stream.attribution.idle == 40 and stream.attribution.by_gap == 0
    assert stream.first == STOPS[0] + timedelta(seconds=3)
    done = remediate("diagnose", tmp_path / "app.log", "--audit", tmp_path / "audit.json")
    assert "time zone Europe/Berlin (by the audit)\n" in done.stdout


def test_the_option_wins_over_the_audit(tmp_path: Path) -> None:
    """By that of New York the errors are six hours later than the audit's zone would have them."""
    diagnosis = diagnosed(tmp_path, "--audit", audit(tmp_path, web01=W_EUROPE), "--time-zone", "America/New_York")
    (stream,) = diagnosis.streams
    assert zone_of(diagnosis) == ("America/New_York", "option")
    assert stream.first == STOPS[0] + timedelta(hours=6, seconds=3)


@pytest.mark.parametrize(
    ("reported", "says"),
    [
        (None, ""),
        (UNKNOWN, "its time zone 'Mars Standard Time' is not known here"),
        (SWITCHED_OFF, "(Europe/Berlin) was at UTC+0200 on 2026-09-26, but the server reports UTC+0100"),
        (zone("../../../etc/passwd"), "is not known here"),
        (zone("Europe"), "is not known here"),
        (zone("\x1b[31m W. Europe Standard Time"), "is not known here"),
    ],
)
def test_a_zone_that_cannot_be_used_is_not_used(reported: Any, says: str, tmp_path: Path) -> None:
    """Unknown, or with other offsets than the zone of that name: a warning, and no failure."""
    found = audit(tmp_path, web01=reported)
    assert zone_of(diagnosed(tmp_path, "--audit", found)) == ("unknown", None)
    done = remediate("diagnose", tmp_path / "app.log", "--audit", found)
    assert done.returncode == 2
    assert ("remediate: warning: web01: " in done.stderr) == bool(says)
    assert says in done.stderr and "\x1b" not in done.stderr


def test_each_server_has_its_own_zone_in_a_log_of_several(tmp_path: Path) -> None:
    """JSON lines of a server in Berlin, one in Chicago, and one that was not audited."""
    zones = {"web01": BERLIN, "web02": ZoneInfo("America/Chicago"), "web03": BERLIN}
    lines = []
    for moment in STOPS:
        for name, place in zones.items():
            time = f"{moment.astimezone(place):%Y-%m-%d %H:%M:%S}"
            lines.append(json.dumps({"time": time, "MachineName": name, "exception": STACK}))
    file = tmp_path / "collected.json"
    file.write_text("\n".join(lines))
    found = audit(tmp_path, web01=W_EUROPE, web02=zone("Central Standard Time", CHICAGO_OFFSETS))
    _, diagnosis = diagnosis_of(tmp_path, file, "--audit", found)
    firsts = {stream.host: stream.first for stream in diagnosis.streams}
    wall_clock = STOPS[0].astimezone(BERLIN).replace(tzinfo=None)
    assert firsts == {"web01": STOPS[0], "web02": STOPS[0], "web03": wall_clock}
    assert diagnosis.sources[0].time_zone == "America/Chicago, Europe/Berlin, unknown"


def test_events_without_a_zone_are_read_in_the_audits(tmp_path: Path) -> None:
    """NXLog up to 4 writes the server's wall clock; of a server whose zone is not known, it is refused."""
    export = tmp_path / "events.json"
    export.write_text("".join(nxlog_4(event, BERLIN) for event in exported()))
    host = exported()[0].host.partition(".")[0].lower()
    by_audit, by_option = (
        diagnosis_of(tmp_path, "--events", export, *more)[1]
        for more in (("--audit", audit(tmp_path, **{host: W_EUROPE})), ("--time-zone", "Europe/Berlin"))
    )
    assert [s.first for s in by_audit.streams] == [s.first for s in by_option.streams] != []
    done = remediate("diagnose", "--events", export, "--audit", audit(tmp_path, other=W_EUROPE), expect=1)
    assert "its events' times have no zone: give --time-zone, or --audit with an audit that reports" in done.stderr


def test_a_time_that_the_clock_showed_twice_or_never_is_compared_with_nothing(tmp_path: Path) -> None:
    """On 25 October 2026 Berlin's clock showed 02:30 twice, on 29 March never. An error there is counted and said."""
    file = tmp_path / "app.log"
    shown = ("2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-11-20 12:00:00")
    file.write_text("".join(f"{time},000 [7] ERROR Shop - failed\n{STACK}" for time in shown))
    _, diagnosis = diagnosis_of(tmp_path, file, "--audit", audit(tmp_path, web01=W_EUROPE))
    (stream,) = diagnosis.streams
    assert stream.count == 3
    assert stream.first == stream.last == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert diagnosis.sources[0].ambiguous == 2
    done = remediate("diagnose", file, "--time-zone", "Europe/Berlin")
    assert "2 at a time that the server's clock showed twice or never" in done.stdout
