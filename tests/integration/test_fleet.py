"""A varied fleet: all of it is reported, a dry run tells just what would change, and just that changes."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.conftest import remediate, run
from tests.integration.reading import config_of, difference, findings

PLAIN = Path(sys.prefix) / "bin" / "ansible-playbook"
Changes = dict[tuple[str, str, str], tuple[str, str]]  # host, pool, attribute -> old, new


class Fleet:
    """A lab of its own, made from a seed."""

    def __init__(self, state: Path, servers: int, *options: str) -> None:
        self.state = state
        said = remediate("lab", "up", "--state", state, "--servers", str(servers), *options, expect=0)
        self.inventory = Path(said.stdout.strip())

    @property
    def servers(self) -> dict[str, Path]:
        """Name -> its Windows folder."""
        return {path.name: path / "Windows" for path in sorted((self.state / "servers").iterdir())}

    def files(self) -> dict[str, bytes]:
        """Name -> its configuration file, or that of its share; none without IIS."""
        return {
            name: config_of(windows).read_bytes()
            for name, windows in self.servers.items()
            if "iis_version=none" not in (windows / "lab.txt").read_text(encoding="utf-8")
        }


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    remediate("lab", "down", "--state", tmp_path / "lab", expect=0)


def test_two_hundred_servers_are_all_reported(state: Path) -> None:
    """The findings are those of an independent reading of the servers' files."""
    fleet = Fleet(state, 200, "--seed", "4", "--auth", "basic")
    audit = json.loads(remediate("audit", "-i", fleet.inventory, "--format", "json", expect=2).stdout)
    assert [host["host"] for host in audit["hosts"]] == sorted(fleet.servers)
    assert {host["status"] for host in audit["hosts"]} == {"inspected"}
    expected = set().union(*(findings(name, windows) for name, windows in fleet.servers.items()))
    assert {(f["host"], f["rule"], f["pool"]) for f in audit["findings"]} == expected
    assert {rule for _, rule, _ in expected} == {"RM001", "RM002", "RM004"}


def planned(folder: Path) -> Changes:
    changes = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["changes"]
    return {(c["host"], c["pool"], c["attribute"]): (c["expect"], c["set"]) for c in changes}


def told(output: str) -> Changes:
    """The changes in what ansible-playbook printed: a host's diff comes before its line."""
    found: Changes = {}
    pool, lines = "", []
    for line in output.splitlines():
        if line.startswith("pool: "):
            pool = line.removeprefix("pool: ")
        elif match := re.fullmatch(r"  (\S+): (\S+) -> (\S+)", line):
            lines.append((pool, *match.groups()))
        elif match := re.fullmatch(r"changed: \[(.+)\]", line):
            found |= {(match[1], pool_, attribute): (old, new) for pool_, attribute, old, new in lines}
            lines = []
    assert not lines
    return found


def turned_off(data: bytes, pool: str) -> bytes:
    """The file as somebody else saved it: that pool is OnDemand now."""
    root = ElementTree.fromstring(data)
    (element,) = (e for e in root.findall(".//applicationPools/add") if e.get("name") == pool)
    element.set("startMode", "OnDemand")
    saved: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return saved


@pytest.mark.parametrize(("engine", "servers"), [("emulated", 30), pytest.param("pwsh", 4, marks=pytest.mark.pwsh)])
def test_a_varied_fleet_goes_all_the_way(
    request: pytest.FixtureRequest, state: Path, engine: str, servers: int
) -> None:
    """A dry run prints every change of the plan and no other; apply changes just that; one stale server stays alone."""
    if engine == "pwsh":
        request.getfixturevalue("pwsh_path")
    fleet = Fleet(state, servers, "--seed", "9", "--engine", engine)
    folder, undo = state.with_name("plan"), state.with_name("undo")
    before = fleet.files()
    remediate("plan", "-i", fleet.inventory, "--fix", "idle-timeout", "--out", folder, expect=2)
    wanted = planned(folder)
    left = {(u["host"], u["pool"]) for u in json.loads((folder / "plan.json").read_text())["undecided"]}
    assert {(host, pool) for host, pool, _ in wanted} | left == {
        (host, pool)
        for name, windows in fleet.servers.items()
        for host, rule, pool in findings(name, windows)
        if rule == "RM001"
    }
    hosts = sorted({host for host, _, _ in wanted})
    assert len(hosts) >= servers // 3

    dry = run(PLAIN, "-i", fleet.inventory, folder / "playbook.yml", "--check", "--diff", expect=0)
    assert told(dry.stdout) == wanted
    assert fleet.files() == before

    stale = hosts[-1]
    config = config_of(fleet.servers[stale])
    config.write_bytes(turned_off(before[stale], next(pool for host, pool, _ in wanted if host == stale)))
    edited = config.read_bytes()
    remediate("apply", folder, "-i", fleet.inventory, "--yes", expect=4)
    assert statuses(folder) == {host: "stale" if host == stale else "changed" for host in hosts}
    after = fleet.files()
    assert after[stale] == edited
    for name, data in after.items():
        if name == stale:
            continue
        changed = {
            (name, pool, attribute): new for (pool, attribute), (_, new) in difference(before[name], data).items()
        }
        assert changed == {key: new for key, (_, new) in wanted.items() if key[0] == name}

    remediate("apply", folder, "-i", fleet.inventory, "--yes", expect=4)
    assert fleet.files() == after
    config.write_bytes(before[stale])
    first = min((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    remediate("rollback", first, "--out", undo, expect=0)
    remediate("apply", undo, "-i", fleet.inventory, "--yes", expect=0)
    undone = fleet.files()
    for name, data in before.items():
        # What a pool had set itself is set again in IIS's own spelling: 29 hours are 1.05:00:00.
        assert [pair for pair in difference(data, undone[name]).values() if pair != ("29:00:00", "1.05:00:00")] == []


def statuses(folder: Path) -> dict[str, Any]:
    (made,) = (folder / "runs").iterdir()
    hosts = json.loads(remediate("show", made, "--format", "json", expect=0).stdout)["hosts"]
    return {host["host"]: host["status"] for host in hosts}
