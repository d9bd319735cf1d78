"""A server reports its time zone to an audit: by both engines, with the name that Windows gives it."""

import json
from pathlib import Path
from typing import Any

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Up, remediate

ZONES: dict[str, dict[str, str]] = {
    "host": {},
    "host-2": {"time_zone": "India Standard Time"},
    "host-3": {"time_zone": "W. Europe Standard Time", "time_zone_rules": "Etc/GMT-1"},
    "host-4": {"time_zone": "Mars Standard Time", "time_zone_rules": "Etc/GMT+2"},
    "host-5": {"time_zone": "America/Phoenix"},
}


def audit(state: Path) -> tuple[dict[str, Any], str]:
    """The inspections by host, and what stands on standard error."""
    done = remediate("audit", "-i", state / "inventory" / "hosts.yml", "--format", "json")
    return {host["host"]: host for host in json.loads(done.stdout)["hosts"]}, done.stderr


def test_each_server_reports_its_own_zone(up: Up, engine: str) -> None:
    """The name as the server has it, and its offsets of the past year. One that is not known, or has other offsets than
    the zone of that name, is a warning; all are inspected."""
    state = up("--from-configs", PLAIN, "--servers", str(len(ZONES)), "--engine", engine)
    names = sorted(path.name for path in (state / "servers").iterdir())
    for name, knobs in zip(names, ZONES.values(), strict=True):
        write_knobs(state / "servers" / name / "Windows", **knobs)
    hosts, errors = audit(state)
    assert [hosts[name]["status"] for name in names] == ["inspected"] * len(ZONES)
    reported = [hosts[name]["time_zone"] for name in names]
    assert reported == [
        {"id": "UTC", "offsets": [0] * 13},
        {"id": "India Standard Time", "offsets": [330] * 13},
        {"id": "W. Europe Standard Time", "offsets": [60] * 13},
        {"id": "Mars Standard Time", "offsets": [-120] * 13},
        {"id": "America/Phoenix", "offsets": [-420] * 13},
    ]
    warnings = [hosts[name]["warning"] for name in names]
    assert [warnings[n] for n in (0, 1, 4)] == [None] * 3
    assert "its time zone 'W. Europe Standard Time' (Europe/Berlin) was at UTC+0200 on " in warnings[2]
    assert "its time zone 'Mars Standard Time' is not known here" in warnings[3]
    assert warnings[2] in errors and warnings[3] in errors


def test_daylight_saving_time_is_among_the_offsets(up: Up, engine: str) -> None:
    """Of the thirteen, some are of summer and some of winter, wherever today is in the year."""
    state = up("--from-configs", PLAIN, "--servers", "1", "--engine", engine)
    (windows,) = (state / "servers").glob("*/Windows")
    write_knobs(windows, time_zone="W. Europe Standard Time")
    ((_, host),) = audit(state)[0].items()
    assert set(host["time_zone"]["offsets"]) == {60, 120} and host["warning"] is None
