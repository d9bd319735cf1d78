"""The live tests (tests/live), run here against a server of the lab with a real PowerShell.

What this proves is the tests, and that they leave nothing behind. It proves nothing about Windows.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
import yaml

from remediate.audit.summary import assemble
from remediate.fleet.inventory import WinrmHost
from remediate.plan.planner import Choice, make_plan
from remediate.playbook.directory import write_plan
from remediate.values.fleet import Inspection, Value
from tests.conftest import PLAIN, Up, wait_for
from tests.live.choice import refuse_unfit
from tests.live.server import Look, Server
from tests.unit.values import host, pool

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]
CONFIG = "Windows/System32/inetsrv/config/applicationHost.config"
# Somebody else tests here too, or was killed: those pools are none of ours.
THEIR_POOL = "remediate-live-0a1b2c-periodic"
THEIRS = f'            <add name="{THEIR_POOL}" startMode="AlwaysRunning" autoStart="false" />\n'


def live(folder: Path, *options: str, **env: str) -> "subprocess.Popen[bytes]":
    """pytest over the live tests, as a person starts it: with nothing of the pytest around it."""
    mine = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "REMEDIATE_LIVE_", "REMEDIATE_EXPECT_"))
    }
    command = [sys.executable, "-m", "pytest", "-n", "0", "-rs", f"--junitxml={folder / 'live.xml'}", "tests/live"]
    return subprocess.Popen(
        [*command, f"--basetemp={folder / 'live'}", *options], cwd=ROOT, env=mine | env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(process: "subprocess.Popen[bytes]", folder: Path) -> tuple[str, dict[str, int]]:
    """What it printed, and how many tests there were of each kind."""
    said = process.communicate(timeout=900)[0].decode()
    (suite,) = ElementTree.parse(folder / "live.xml").getroot().iter("testsuite")
    return said, {key: int(suite.attrib[key]) for key in ("tests", "failures", "errors", "skipped")}


@pytest.fixture
def inventory(up: Up, pwsh_path: Path) -> Path:
    """Of one server with a real PowerShell, and a pool of another live run."""
    assert pwsh_path
    state = up("--from-configs", PLAIN, "--servers", "1", "--engine", "pwsh")
    config = config_of(state / "inventory" / "hosts.yml")
    text = config.read_bytes()
    mark = b"            <applicationPoolDefaults"
    assert text.count(mark) == 1
    config.write_bytes(text.replace(mark, THEIRS.encode() + mark))
    return state / "inventory" / "hosts.yml"


def config_of(inventory: Path) -> Path:
    (name,) = yaml.safe_load(inventory.read_text())["iis"]["hosts"]
    return inventory.parents[1] / "servers" / str(name) / CONFIG


@pytest.mark.pwsh
def test_all_of_it_passes_and_nothing_is_left(inventory: Path, tmp_path: Path) -> None:
    """None is skipped; the file is byte for byte what it was, and the pool of another run is still in it, and told."""
    config = config_of(inventory)
    before = config.read_bytes()
    said, count = ended(live(tmp_path, REMEDIATE_LIVE_INVENTORY=str(inventory)), tmp_path)
    assert count["tests"] == 8, said
    assert (count["failures"], count["errors"], count["skipped"]) == (0, 0, 0), said
    assert "REMEDIATE_LIVE_SWEEP=0a1b2c" in said
    assert config.read_bytes() == before
    backups = config.parents[1] / "backup"
    assert not backups.exists() or not list(backups.iterdir())


@pytest.mark.pwsh
def test_it_clears_up_after_failures_and_after_a_killed_run(inventory: Path, tmp_path: Path) -> None:
    """A failing run takes its own pools away; a killed one leaves them, and the next takes them when it is told to."""
    config = config_of(inventory)
    before = config.read_bytes()
    killed = live(tmp_path, REMEDIATE_LIVE_INVENTORY=str(inventory))
    wait_for(lambda: b"remediate-live-nobody" in config.read_bytes(), "the pools of the run")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    ids = set(re.findall(rb"remediate-live-([0-9a-f]{6})-", config.read_bytes())) - {b"0a1b2c"}
    (left,) = ids
    # Applying fails: where the backups belong there is a file.
    backup = config.parents[1] / "backup"
    assert not backup.exists()
    backup.write_text("")
    run = live(
        tmp_path,
        "-k",
        "apply_writes",
        REMEDIATE_LIVE_INVENTORY=str(inventory),
        REMEDIATE_LIVE_SWEEP=left.decode(),
    )
    said, count = ended(run, tmp_path)
    assert (count["tests"], count["failures"]) == (1, 1), said
    assert config.read_bytes() == before


def test_without_a_server_each_test_is_skipped_by_name(tmp_path: Path) -> None:
    said, count = ended(live(tmp_path), tmp_path)
    assert count["tests"] == count["skipped"] == 8
    assert "set REMEDIATE_LIVE_INVENTORY" in said


def test_a_wrong_choice_is_told_before_anything_is_done(tmp_path: Path) -> None:
    """More hosts than one; a host that says `none`, or that is no Windows; an inventory that is not there."""
    hosts = {
        "a": {"ansible_connection": "winrm", "ansible_user": "u", "ansible_password": "p", "remediate_fix": "none"},
        "b": {"ansible_connection": "ssh"},
    }
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"iis": {"hosts": hosts}}))
    for env, wanted in (
        ({}, "2 hosts match; set REMEDIATE_LIVE_HOST"),
        ({"REMEDIATE_LIVE_HOST": "a"}, "a: remediate_fix is none for it"),
        ({"REMEDIATE_LIVE_HOST": "b"}, "b: no host for ansible_connection: winrm"),
        ({"REMEDIATE_LIVE_INVENTORY": str(tmp_path / "gone.yml")}, "there is no such file"),
    ):
        run = live(tmp_path, "-k", "sees", **{"REMEDIATE_LIVE_INVENTORY": str(inventory)} | env)
        said, count = ended(run, tmp_path)
        assert (count["tests"], count["errors"]) == (1, 1)
        assert wanted in said and "def choose" not in said and "Traceback" not in said


def test_a_plan_that_names_another_pool_is_not_applied(tmp_path: Path) -> None:
    """Our own pool in it or not: no command is even begun."""
    server = Server(WinrmHost("web01", "http://127.0.0.1:1/wsman", (), {}), "gone.yml", tmp_path)
    for at, names in enumerate([("Shop",), (server.name("periodic"), "Shop"), (THEIR_POOL,)]):
        audit = assemble((host("web01", *map(pool, names)),), "2026-01-01T00:00:00Z")
        folder = tmp_path / str(at)
        made = write_plan(make_plan(audit, Choice(fix="on-demand"), "2026-01-01T00:00:00Z"), folder)
        assert {change.pool for change in made.changes} == set(names)
        with pytest.raises(AssertionError, match=r"Shop|0a1b2c"):
            server.apply(folder, "--yes", expect=0)
    assert server.said == []


USUAL = {
    "startMode": Value("OnDemand", "schema"),
    "processModel.idleTimeout": Value("00:20:00", "schema"),
    "processModel.idleTimeoutAction": Value("Terminate", "schema"),
}
FIT = Inspection(host="web01", machine="WEB01", iis_version="10.0", defaults=USUAL)


@pytest.mark.parametrize(
    ("more", "backups", "said"),
    [
        ({"shared_config": r"\\files\iis"}, 0, "its configuration is shared"),
        ({"defaults": USUAL | {"startMode": Value("AlwaysRunning", "defaults")}}, 0, "applicationPoolDefaults"),
        (
            {"defaults": USUAL | {"processModel.idleTimeout": Value("00:00:00", "defaults")}},
            0,
            "applicationPoolDefaults",
        ),
        ({"iis_version": None, "defaults": {}}, 0, "applicationPoolDefaults"),
        ({}, 5, "the next drops the oldest"),
        ({}, 4, None),
    ],
)
def test_a_server_where_it_would_do_harm_is_refused(more: dict[str, Any], backups: int, said: str | None) -> None:
    kept = {f"remediate-20260101T00000{n}Z": "" for n in range(backups)}
    seen, look = msgspec.structs.replace(FIT, **more), Look(file="", family=(), backups=kept, password=None)
    if said is None:
        refuse_unfit(seen, look)
        return
    with pytest.raises(pytest.fail.Exception, match=re.escape(said)):
        refuse_unfit(seen, look)
