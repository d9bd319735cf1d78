"""Whole labs by the command line: many servers, both engines, HTTPS, files at hand, shared configuration."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from remediate_lab.knobs import read_knobs
from tests.conftest import PLAIN, Up, remediate, run, wait_for

ROOT = Path(__file__).parents[2]
CONFIG = "System32/inetsrv/config/applicationHost.config"


def inventory(state: Path) -> Path:
    return state / "inventory" / "hosts.yml"


def hosts(state: Path) -> list[str]:
    return list(yaml.safe_load(inventory(state).read_text())["iis"]["hosts"])


def audit(state: Path, *options: str) -> Any:
    return json.loads(remediate("audit", "-i", inventory(state), "--format", "json", *options).stdout)


def config(state: Path, name: str) -> Path:
    return state / "servers" / name / "Windows" / CONFIG


def test_three_hundred_servers_are_inspected(up: Up) -> None:
    """More than a /24 has addresses; each is a host of the inventory and answers."""
    state = up("--servers", "300", "--auth", "basic")
    assert len(hosts(state)) == 300
    found = audit(state, "--timeout", "150")
    assert found["summary"]["inspected"] == found["summary"]["hosts"] == 300
    assert {host["iis_version"] for host in found["hosts"]} == {None, "7.5", "8.0", "8.5", "10.0"}
    assert "canary" not in json.dumps(found)
    groups = yaml.safe_load(inventory(state).read_text())["iis"]["children"]
    versions = {"iis75": "7.5", "iis80": "8.0", "iis85": "8.5", "iis10": "10.0"}
    listed = {(name, versions[group]) for group, held in groups.items() for name in held["hosts"]}
    assert listed == {(host["host"], host["iis_version"]) for host in found["hosts"] if host["iis_version"]}


@pytest.mark.pwsh
@pytest.mark.usefixtures("pwsh_path")
def test_both_engines_see_the_same(up: Up) -> None:
    """A varied fleet in Python and in a real PowerShell: the same audit but for clocks and PowerShell's version."""
    seen = []
    for engine in ("emulated", "pwsh"):
        state = up("--servers", "20", "--seed", "3", "--engine", engine)
        found = audit(state, "--timeout", "150", "--forks", "8")
        assert found["summary"]["inspected"] == 20, found["hosts"]
        for host in found["hosts"]:
            del host["clock"], host["powershell_version"]
        del found["started_at"], found["finished_at"]
        seen.append(json.loads(json.dumps(found).replace(str(state), "STATE")))
    assert seen[0] == seen[1]


def test_https_and_its_authority(up: Up, engine: str, auth: str) -> None:
    """pywinrm audits and Ansible applies through it; who has the wrong authority is told so, and comes no further."""
    state = up("--auth", auth, "--tls", "--engine", engine)
    variables = yaml.safe_load(inventory(state).read_text())["iis"]["vars"]
    assert (variables["ansible_port"], variables["ansible_winrm_scheme"]) == (5986, "https")
    assert variables["ansible_winrm_server_cert_validation"] == "validate"
    before = config(state, "web001").read_bytes()
    plan = state.parent / "plan"
    remediate("plan", "-i", inventory(state), "--fix", "on-demand", "--out", plan, expect=2)
    remediate("apply", plan, "-i", inventory(state), "--yes", expect=0)
    old = b'name="Contoso Shop" startMode="AlwaysRunning"'
    assert config(state, "web001").read_bytes() == before.replace(old, old.replace(b"AlwaysRunning", b"OnDemand"))

    stranger = up("--tls") / "tls" / "ca.pem"
    wrong = state.parent / "wrong.yml"
    wrong.write_text(inventory(state).read_text().replace(variables["ansible_winrm_ca_trust_path"], str(stranger)))
    assert str(stranger) in wrong.read_text()
    (host,) = json.loads(remediate("audit", "-i", wrong, "--format", "json", expect=3).stdout)["hosts"]
    assert host["status"] == "unreachable"
    assert "is not trusted: it comes from a certificate authority that is not known here" in host["detail"]
    assert "\n" not in host["detail"]


def test_files_at_hand_become_servers(up: Up, tmp_path: Path) -> None:
    """Named after file or folder, dealt in turn, and legal as names of hosts; the bytes are the file's."""
    files = tmp_path / "configs"
    plain = (PLAIN / "applicationHost.config").read_bytes()
    given = ("all.config", "farm/applicationHost.config", "odd [1:3] name.config", "web07.config")
    for name in given:
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_bytes(plain + f"<!-- {name} -->".encode())
    (files / "farm" / "redirection.config").write_text("<configuration />")
    state = up("--from-configs", files, "--servers", "6")
    names = ["host-all", "farm", "odd-1-3-name", "web07", "host-all-2", "farm-2"]
    assert hosts(state) == names
    for name, file in zip(names, given * 2, strict=False):
        assert config(state, name).read_bytes() == (files / file).read_bytes()
    listed = run(Path(sys.prefix) / "bin" / "ansible-inventory", "-i", inventory(state), "--list", expect=0)
    assert set(json.loads(listed.stdout)["_meta"]["hostvars"]) == set(names) and "WARN" not in listed.stderr
    assert audit(state)["summary"]["inspected"] == 6


def differences(before: bytes, after: bytes) -> set[tuple[str, str, str | None]]:
    """Which pools differ in one of the two attributes, as (pool, attribute, value); asserts that nothing else does."""
    trees = [ElementTree.fromstring(data) for data in (before, after)]  # the lab's own
    changed = set()
    for old, new in zip(*(tree.findall(".//applicationPools/add") for tree in trees), strict=True):
        for attribute in ("startMode", "idleTimeout"):
            was, now = (_take(pool, attribute) for pool in (old, new))
            if was != now:
                changed.add((new.get("name", ""), attribute, now))
    one, other = (ElementTree.canonicalize(ElementTree.tostring(tree), strip_text=True) for tree in trees)
    assert one == other
    return changed


def _take(pool: ElementTree.Element, attribute: str) -> str | None:
    """The attribute's value, which is then no longer there, nor is an element for it alone."""
    if attribute == "startMode":
        return pool.attrib.pop(attribute, None)
    model = pool.find("processModel")
    value = None if model is None else model.attrib.pop(attribute, None)
    if model is not None and not model.attrib:
        pool.remove(model)
    return value


def test_an_apply_changes_what_was_planned_and_nothing_else(up: Up, engine: str) -> None:
    """Over a varied fleet: other styles, names and neighbours of a pool stay as they are in the file."""
    state = up("--servers", "5" if engine == "pwsh" else "40", "--seed", "5", "--engine", engine, "--auth", "basic")
    plan = state.parent / "plan"
    remediate("plan", "-i", inventory(state), "--fix", "idle-timeout", "--out", plan, expect=2)
    planned = json.loads(remediate("show", plan, "--format", "json", expect=0).stdout)["changes"]
    before = {name: config(state, name).read_bytes() for name in hosts(state) if config(state, name).exists()}
    remediate("apply", plan, "-i", inventory(state), "--yes", "--batches", "100%", expect=0)
    assert {change["host"] for change in planned} <= set(before)
    for name, data in before.items():
        wanted = {(c["pool"], "idleTimeout", c["set"]) for c in planned if c["host"] == name}
        after = config(state, name).read_bytes()
        assert differences(data, after) == wanted
        assert (after == data) == (not wanted)
        assert after.count(b"\r\n") == (after.count(b"\n") if b"\r\n" in data else 0)
        assert after.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")


def test_a_shared_configuration_is_read_and_committed_where_it_is(up: Up, engine: str) -> None:
    """What one server of the share writes, the others read; nothing is written beside it."""
    state = up("--servers", "40", "--engine", engine)
    bare = [name for name in hosts(state) if not config(state, name).exists()]
    farm = [n for n in bare if read_knobs(state / "servers" / n / "Windows").get("iis_version") != "none"]
    assert len(farm) == 3
    limit = ("--limit", ",".join(farm), "--timeout", "150")
    found = audit(state, *limit)["hosts"]
    # Two slashes, as a share's path has for Windows.
    assert {host["shared_config"] for host in found} == {f"/{state / 'shared' / 'share-1'}"}
    shared = state / "shared" / "share-1" / "applicationHost.config"
    before = shared.read_bytes()
    pool = found[0]["pools"][0]
    expect = pool["attributes"]["processModel.idleTimeout"]["value"]
    change = {"pool": pool["name"], "attribute": "processModel.idleTimeout", "expect": expect, "set": "00:33:00"}
    ansible = Path(sys.prefix) / "bin" / "ansible"
    run(
        ansible, "-i", inventory(state), farm[1], "-m", "remediate.iis.app_pool_settings",
        "-a", json.dumps({"changes": [change], "backup": "remediate-by-hand"}),
        expect=0, ANSIBLE_COLLECTIONS_PATH=str(ROOT / "playbooks" / "collections"),
    )  # fmt: skip
    assert differences(before, shared.read_bytes()) == {(pool["name"], "idleTimeout", "00:33:00")}
    assert not config(state, farm[1]).exists()
    kept = config(state, farm[1]).parents[1] / "backup" / "remediate-by-hand"
    assert (kept / "applicationHost.config").read_bytes() == before
    for host in audit(state, *limit)["hosts"]:
        assert host["pools"][0]["attributes"]["processModel.idleTimeout"]["value"] == "00:33:00"


def test_down_after_a_crash(up: Up, engine: str) -> None:
    """kill -9 of the lab's process: `down` leaves nothing, and the folder is gone."""
    state = up("--engine", engine)
    os.kill(int((state / "lab.pid").read_text()), signal.SIGKILL)
    wait_for(lambda: remediate("lab", "status", "--state", state).returncode == 1, "its end")
    remediate("lab", "down", "--state", state, expect=0)
    assert not state.exists()


def test_the_checkouts_inventory_is_the_labs(up: Up, tmp_path: Path) -> None:
    """`-i inventories/lab` is what `lab up` wrote into .lab; with no lab it is a line that nothing is there."""
    copy = tmp_path / "checkout" / "inventories" / "lab"
    copy.mkdir(parents=True)
    for file in (ROOT / "inventories" / "lab").iterdir():
        (copy / file.name).symlink_to(file.readlink() if file.is_symlink() else file)
    refused = remediate("audit", "-i", copy, expect=1)
    assert "points to ../../.lab/inventory/hosts.yml, which is not there" in refused.stderr.splitlines()[-1]
    (tmp_path / "checkout" / ".lab").symlink_to(up("--servers", "3"))
    done = json.loads(remediate("audit", "-i", copy, "--format", "json").stdout)
    assert done["summary"]["inspected"] == 3
