"""Hours pass on the servers of a lab, by the command line: before a fix and after it."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Up, remediate, run

CONFIG = "System32/inetsrv/config/applicationHost.config"
EVENTS = "Windows/System32/winevt/Logs"
NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"
# Of the plain configuration: AlwaysRunning with the default time-out of 20 minutes, and with none.
SHOP, REPORTS = "Default Web Site_shop.log", "Default Web Site_reports.log"


def server(state: Path) -> Path:
    """The folder of the lab's first server."""
    return min((state / "servers").iterdir())


def play(state: Path, *options: str, expect: int = 0) -> str:
    done = remediate("lab", "play", "--state", state, *options, expect=expect)
    return done.stdout if expect == 0 else done.stderr


def errors(state: Path, name: str) -> list[datetime]:
    """When an application's NLog text has an error, in UTC."""
    text = (server(state) / "Logs" / "app" / name).read_text(encoding="utf-8")
    times = re.findall(r"^(\S+ \S+)\|ERROR\|.*0x80070032", text, re.MULTILINE)
    return [datetime.strptime(time, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC) for time in times]


def events(state: Path, pool: str, number: int) -> list[datetime]:
    """When the System log tells that event of that pool."""
    root = ElementTree.parse(server(state) / EVENTS / "System.xml").getroot()
    return [
        datetime.fromisoformat(created.attrib["SystemTime"][:26] + "+00:00")
        for event in root
        for created in event.iter(f"{NAMESPACE}TimeCreated")
        if event.findtext(f"{NAMESPACE}System/{NAMESPACE}EventID") == str(number)
        and pool in [data.text for data in event.iter(f"{NAMESPACE}Data")]
    ]


def stands(state: Path) -> datetime:
    return datetime.fromisoformat(json.loads((state / "clock.json").read_text())["now"])


@pytest.mark.parametrize("fix", ["idle-timeout", "on-demand"])
def test_a_fix_shows_in_the_next_hours(up: Up, fix: str) -> None:
    """Before: an error each 21 minutes, each after an idle stop. After: those at recycles are left, or none at all."""
    state = up("--from-configs", PLAIN, "--servers", "1")
    options = ("--traffic", "none", "--log", "nlog")
    play(state, "--hours", "48", "--days", "4", *options)
    before, border = errors(state, SHOP), stands(state)
    near = [later - time for time, later in pairwise(before)]
    assert len(before) > 100 and sorted(near)[len(near) // 2] == pytest.approx(
        timedelta(minutes=21), abs=timedelta(minutes=1)
    )
    assert len(events(state, "Contoso Shop", 5186)) == pytest.approx(len(before), abs=5)
    assert 1 <= len(errors(state, REPORTS)) <= 4, "no idle stop there, and a recycle at 29 hours"

    inventory = state / "inventory" / "hosts.yml"
    plan = state.parent / "plan"
    remediate("plan", "-i", inventory, "--fix", fix, "--out", plan, expect=2)
    remediate("apply", plan, "-i", inventory, "--yes", expect=0)
    play(state, "--to-now", *options)
    after = [time for time in errors(state, SHOP) if time > border]
    stops = [time for time in events(state, "Contoso Shop", 5186) if time > border + timedelta(minutes=30)]
    assert stops == []
    if fix == "on-demand":
        assert after == []
    else:
        # The change itself is a recycle, and each 29 hours bring another one.
        recycles = events(state, "Contoso Shop", 5080) + [
            time for time in events(state, "Contoso Shop", 5074) if time > border
        ]
        assert 2 <= len(after) <= 5 and len(recycles) >= 2
        assert all(
            any(timedelta() < time - recycle < timedelta(minutes=1) for recycle in recycles) for time in after[:2]
        )


def test_a_varied_fleet_is_played(up: Up) -> None:
    """All of it: servers without IIS, old ones, shared configurations, odd names; what is written can be read."""
    state = up("--servers", "40")
    said = play(state, "--hours", "24", "--days", "1", "--unhandled", "--traffic", "leaving", "--zone", "Europe/Berlin")
    assert re.search(r"on 40 servers: [1-9]\d* errors, [1-9]\d* requests", said)
    assert timedelta() <= datetime.now(UTC) - stands(state) < timedelta(minutes=5)
    told = 0
    for folder in (state / "servers").iterdir():
        for name in ("System.xml", "Application.xml"):
            root = ElementTree.parse(folder / EVENTS / name).getroot()
            assert root.tag == "Events" and not [one for one in root if one.tag != f"{NAMESPACE}Event"]
            told += len(root)
    assert told > 500
    logs = [path for path in state.glob("servers/*/Logs/app/**/*") if path.is_file()]
    assert any("0x80070032" in path.read_text(encoding="utf-8") for path in logs)
    assert list(state.glob("servers/web001/Logs/W3SVC1/u_ex*.log"))
    assert not list(state.rglob("*.new"))


def test_a_play_goes_on_where_the_last_one_ended(up: Up) -> None:
    """Event logs grow, and no round of 21 minutes is lost or cut at the border."""
    state = up("--from-configs", PLAIN, "--servers", "1")
    for hours, begin in (("3", ("--days", "14")), ("0.5", ()), ("7", ())):
        play(state, "--hours", hours, *begin, "--traffic", "none", "--log", "nlog")
    assert datetime.now(UTC) - stands(state) == pytest.approx(timedelta(days=14, hours=-10.5), abs=timedelta(minutes=5))
    times = events(state, "Contoso Shop", 5186)
    # An incident of the seed may come between, and takes a round's place.
    assert [later - time for time, later in pairwise(times) if later - time > timedelta(minutes=42)] == []
    assert len(times) == pytest.approx(10.5 * 60 / 21, abs=3)


def test_what_cannot_be_played_is_one_line(up: Up, tmp_path: Path) -> None:
    state = up("--from-configs", PLAIN, "--servers", "2")
    beyond = play(state, "--hours", "48.5", "--days", "2", expect=1)
    assert beyond.count("\n") == 1 and "never passes the real time" in beyond and "--hours 48," in beyond
    for hours in ("nan", "inf", "1e9"):
        assert "--hours 48," in play(state, "--hours", hours, "--days", "2", expect=1)
    assert not (state / "clock.json").exists()
    assert "no such time zone" in play(state, "--to-now", "--zone", "Mars/Olympus", expect=1)
    for options in ((), ("--to-now", "--hours", "1"), ("--hours", "0"), ("--hours", "1", "--traffic", "rush")):
        play(state, *options, expect=64)
    nowhere = play(tmp_path / "nowhere", "--to-now", expect=1)
    assert "no lab there" in nowhere and nowhere.count("\n") == 1
    # One server's broken file is that server's line.
    broken, other = sorted((state / "servers").iterdir())
    (broken / "Windows" / CONFIG).write_text("<configuration><system.applic")
    done = remediate("lab", "play", "--state", state, "--hours", "5", expect=0)
    assert done.stderr.startswith(f"{broken.name}: left out: ") and "on 1 servers" in done.stdout
    assert (other / EVENTS / "System.xml").exists() and not (broken / "Logs").exists()
    (state / "clock.json").write_text("{}")
    assert "is not the lab's clock" in play(state, "--hours", "1", expect=1)


def test_a_stopped_pool_does_nothing(up: Up) -> None:
    state = up("--from-configs", PLAIN, "--servers", "1")
    write_knobs(server(state) / "Windows", stopped="contoso shop")
    play(state, "--hours", "24", "--log", "nlog", "--traffic", "none")
    assert errors(state, SHOP) == [] and events(state, "Contoso Shop", 5186) == []


def test_a_full_disk_is_said_by_its_place(up: Up, tmp_path: Path) -> None:
    """Played here by a bound on each file that is written."""
    state, other = up("--from-configs", PLAIN, "--servers", "1"), tmp_path / "other"
    within = ("sh", "-c", 'ulimit -f 8; exec "$0" "$@"', Path(sys.prefix) / "bin" / "remediate", "lab")
    played = run(*within, "play", "--state", state, "--hours", "48", expect=1).stderr
    assert played.count("\n") == 1
    assert f"{server(state)}: its logs cannot be written, and are not whole now" in played
    begun = run(*within, "up", "--state", other, "--servers", "40", "--port", "5986", expect=1).stderr
    assert begun.count("\n") == 1 and begun.startswith(f"remediate: {other}: ")
    assert not other.exists()


def test_the_readmes_next_line_confirms(up: Up, tmp_path: Path) -> None:
    """The lines of the README about the simulated servers, one after the other, but for the first and the last: what is
    played ends at the real time, so the audit finds it, and the log is diagnosed."""
    block = (Path(__file__).parents[2] / "README.md").read_text().partition("## The simulated servers")[2]
    lines = [
        line.partition("  #")[0].split()
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("    remediate ")
    ]
    assert [line[1:3] for line in (lines[0], lines[-1])] == [["lab", "up"], ["lab", "down"]]
    state = up(*lines[0][3:])
    (tmp_path / ".lab").symlink_to(state)
    (tmp_path / "inventories").mkdir()
    (tmp_path / "inventories" / "lab").symlink_to(state / "inventory")
    command = Path(sys.prefix) / "bin" / "remediate"
    seen = {}
    for line in lines[1:-1]:
        done = run("sh", "-c", 'cd "$1" && shift && exec "$@"', "-", tmp_path, command, *line[1:])
        assert done.returncode == (0 if line[1] == "lab" else 2), done.stderr
        seen[line[1]] = done.stdout
    assert timedelta() <= datetime.now(UTC) - stands(state) < timedelta(minutes=5)
    assert re.search(r"^web001 .* RM001 +finding +confirmed ", seen["audit"], re.MULTILINE)
    assert re.search(r"0x80070032, pool .*: confirmed$", seen["diagnose"], re.MULTILINE)
