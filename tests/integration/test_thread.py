"""The whole way for one server, from inventory to undo; and its dark sides.

Through public doors only: the commands, plain ansible-playbook, and the server's file.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Site, on_pwsh, remediate, run, wait_for
from tests.environments import OWN, PYTHONS, Environment

POOL = "Contoso Shop"
# fix -> the attribute, the line of the dry run, and what the file must hold afterwards instead of what it held.
FIXES = {
    "idle-timeout": (
        "processModel.idleTimeout: 00:20:00 -> 00:00:00",
        (':enc]" />', ':enc]" idleTimeout="00:00:00" />'),
    ),
    "on-demand": (
        "startMode: AlwaysRunning -> OnDemand",
        ('name="Contoso Shop" startMode="AlwaysRunning"', 'name="Contoso Shop" startMode="OnDemand"'),
    ),
}


# The authentications differ on the wire, which the thread itself goes over; its dark sides lie behind it.
one_auth = pytest.mark.parametrize("auth", ["ntlm"])


@pytest.fixture(params=list(FIXES))
def fix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def plan(site: Site, fix: str, bin: Path | None = None) -> Path:
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", fix, "--out", folder, expect=2, bin=bin)
    return folder


def runs(folder: Path) -> list[Path]:
    return sorted((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)


def shown(path: Path) -> Any:
    return json.loads(remediate("show", path, "--format", "json", expect=0).stdout)


def attributes(site: Site) -> Any:
    """The pool's effective values, as an audit sees them."""
    audit = json.loads(remediate("audit", "-i", site.inventory, "--format", "json").stdout)
    (host,) = audit["hosts"]
    assert host["status"] == "inspected", host
    (pool,) = [pool for pool in host["pools"] if pool["name"] == POOL]
    return pool["attributes"]


# Each engine, authentication and fix, and a real PowerShell with each ansible-core, whose wrappers differ.
WAYS = [
    pytest.param("emulated", "ntlm", "on-demand", OWN),
    pytest.param("pwsh", "basic", "on-demand", OWN, marks=pytest.mark.pwsh),
    *(pytest.param("pwsh", "ntlm", "idle-timeout", ansible, marks=pytest.mark.pwsh) for ansible in PYTHONS),
]


@pytest.mark.every_ansible
@pytest.mark.parametrize(("engine", "auth", "fix", "environment"), WAYS, indirect=True)
def test_the_thread(site: Site, fix: str, environment: Environment) -> None:
    """Each engine, authentication, fix and ansible-core: every step does what it says, and no more."""
    bin = environment.bin
    line, (old, new) = FIXES[fix]
    before = site.config.read_bytes()
    assert before.count(old.encode()) == 1

    audit = json.loads(remediate("audit", "-i", site.inventory, "--format", "json", expect=2, bin=bin).stdout)
    assert [(f["rule"], f["level"], f["pool"], f["grade"]) for f in audit["findings"]] == [
        ("RM001", "finding", POOL, "likely"),
        ("RM002", "note", "Reports", "likely"),
    ]
    assert len(audit["hosts"][0]["pools"]) == 3

    folder = plan(site, fix, bin)
    playbook = (bin / "ansible-playbook", "-i", site.inventory, folder / "playbook.yml")
    dry = run(*playbook, "--check", "--diff", expect=0)
    assert f"pool: {POOL}\n  {line}\n" in dry.stdout
    assert site.config.read_bytes() == before
    assert not (folder / "runs").exists(), "a dry run of plain ansible-playbook leaves no record"
    checked = remediate("apply", folder, "-i", site.inventory, "--check", expect=2, bin=bin)
    assert "1 pending" in checked.stdout
    assert site.config.read_bytes() == before

    applied = remediate("apply", folder, "-i", site.inventory, "--yes", expect=0, bin=bin)
    assert "written and verified" in applied.stdout
    after = site.config.read_bytes()
    assert after == before.replace(old.encode(), new.encode()), "that attribute, and nothing else in the file"

    again = remediate("apply", folder, "-i", site.inventory, "--yes", expect=0, bin=bin)
    assert "1 unchanged" in again.stdout
    assert site.config.read_bytes() == after
    assert "3 pools, 0 findings," in remediate("audit", "-i", site.inventory, expect=0, bin=bin).stdout

    first, second = runs(folder)
    assert [h["status"] for h in shown(first)["hosts"]] == ["changed"]
    assert [h["status"] for h in shown(second)["hosts"]] == ["unchanged"]
    undo = site.folder / "undo"
    remediate("rollback", first, "--out", undo, expect=0, bin=bin)
    run(bin / "ansible-playbook", "-i", site.inventory, undo / "playbook.yml", expect=0)
    assert site.config.read_bytes() == before, "inherited again where it was inherited, set where it was set"
    assert [h["status"] for h in shown(runs(undo)[0])["hosts"]] == ["changed"], "a plain run has a record too"


@on_pwsh
@one_auth
def test_a_clear_takes_the_attribute_away(site: Site) -> None:
    """A value that came from applicationPoolDefaults is inherited again after the undo, not frozen on the pool."""
    site.edit(
        '<processModel identityType="ApplicationPoolIdentity" />',
        '<processModel identityType="ApplicationPoolIdentity" idleTimeout="00:07:00" />',
    )
    before = site.config.read_bytes()
    folder = plan(site, "idle-timeout")
    (change,) = shown(folder)["changes"]
    assert (change["expect"], change["expect_source"]) == ("00:07:00", "defaults")
    remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    assert attributes(site)["processModel.idleTimeout"] == {"value": "00:00:00", "source": "pool", "line": None}
    undo = site.folder / "undo"
    remediate("rollback", runs(folder)[0], "--out", undo, expect=0)
    dry = remediate("apply", undo, "-i", site.inventory, "--check", expect=2)
    assert "00:00:00 -> 00:07:00 (inherited)" in dry.stdout
    remediate("apply", undo, "-i", site.inventory, "--yes", expect=0)
    assert attributes(site)["processModel.idleTimeout"] == {"value": "00:07:00", "source": "defaults", "line": None}
    assert site.config.read_bytes() == before


@on_pwsh
@one_auth
@pytest.mark.parametrize("says", ["false", "true"])
def test_what_was_inherited_is_cleared_whatever_the_api_says(site: Site, says: str) -> None:
    """The file tells where a value came from. The API may call one from the defaults the pool's own."""
    site.knobs(inherited_from_defaults=says)
    site.edit(
        '<processModel identityType="ApplicationPoolIdentity" />',
        '<processModel identityType="ApplicationPoolIdentity" idleTimeout="00:07:00" />',
    )
    before = site.config.read_bytes()
    folder = plan(site, "idle-timeout")
    assert shown(folder)["changes"][0]["expect_source"] == "defaults"
    remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    undo = site.folder / "undo"
    remediate("rollback", runs(folder)[0], "--out", undo, expect=0)
    assert (shown(undo)["changes"][0]["set"], shown(undo)["changes"][0]["inherits"]) == (None, "00:07:00")
    remediate("apply", undo, "-i", site.inventory, "--yes", expect=0)
    assert site.config.read_bytes() == before


@one_auth
def test_changed_behind_our_back_is_stale(site: Site, environment: Environment) -> None:
    """Somebody sets OnDemand meanwhile: refused as stale, the file untouched, exit 4; plain ansible-playbook fails."""
    folder = plan(site, "idle-timeout")
    site.edit('name="Contoso Shop" startMode="AlwaysRunning"', 'name="Contoso Shop" startMode="OnDemand"')
    edited = site.config.read_bytes()
    refused = remediate("apply", folder, "-i", site.inventory, "--yes", expect=4, bin=environment.bin)
    assert site.name in refused.stdout and "expected startMode AlwaysRunning, found OnDemand" in refused.stdout
    assert site.config.read_bytes() == edited
    assert not (site.windows / "System32/inetsrv/backup").exists()
    result = shown(runs(folder)[0])["hosts"][0]
    assert (result["status"], result["changes"][0]["written"]) == ("stale", False)
    plain = run(environment.bin / "ansible-playbook", "-i", site.inventory, folder / "playbook.yml")
    assert plain.returncode != 0
    assert site.config.read_bytes() == edited


@on_pwsh
@one_auth
def test_another_machine_under_that_name_is_stale(site: Site) -> None:
    """An alias that points elsewhere now harms nobody."""
    folder = plan(site, "idle-timeout")
    before = site.config.read_bytes()
    site.knobs(computer="OTHER")
    refused = remediate("apply", folder, "-i", site.inventory, "--yes", expect=4)
    assert "another machine answers here" in refused.stdout
    assert site.config.read_bytes() == before
    assert shown(runs(folder)[0])["hosts"][0]["status"] == "stale"


@on_pwsh
@one_auth
def test_killed_between_write_and_proof(site: Site) -> None:
    """The record says that it was begun and not answered; applying again completes it; both can be undone."""
    before = site.config.read_bytes()
    folder = plan(site, "idle-timeout")
    site.knobs(after_commit="hang")
    apply = subprocess.Popen(
        [Path(sys.executable).with_name("remediate"), "apply", folder, "-i", site.inventory, "--yes"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(lambda: site.config.read_bytes() != before, "the write")
    apply.kill()
    apply.wait()
    written = site.config.read_bytes()
    (killed,) = runs(folder)
    wait_for(lambda: "still running" not in remediate("show", killed).stdout, "the end of its ansible-playbook")
    known = shown(killed)
    assert known["finished_at"] is None
    (host,) = known["hosts"]
    assert host["status"] == "unknown"
    assert [(c["pool"], c["written"], c["verified"]) for c in host["changes"]] == [(POOL, None, False)]

    site.knobs(after_commit="")
    undo = site.folder / "undo-of-the-killed"
    remediate("rollback", killed, "--out", undo, expect=0)
    assert [(c["set"], c["inherits"]) for c in shown(undo)["changes"]] == [(None, "00:20:00")]

    completed = remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    assert "1 unchanged" in completed.stdout
    assert site.config.read_bytes() == written
    remediate("apply", undo, "-i", site.inventory, "--yes", expect=0)
    assert site.config.read_bytes() == before


@on_pwsh
@one_auth
def test_the_servers_process_dies_between_write_and_proof(site: Site) -> None:
    """The module's process is gone after the commit: not known whether it was written; again completes it."""
    before = site.config.read_bytes()
    folder = plan(site, "idle-timeout")
    site.knobs(after_commit="exit")
    remediate("apply", folder, "-i", site.inventory, "--yes", expect=3)
    assert site.config.read_bytes() != before
    host = shown(runs(folder)[0])["hosts"][0]
    assert (host["status"], host["changes"][0]["written"]) == ("failed", None)
    site.knobs(after_commit="")
    remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    undo = site.folder / "undo"
    remediate("rollback", runs(folder)[0], "--out", undo, expect=0)
    remediate("apply", undo, "-i", site.inventory, "--yes", expect=0)
    assert site.config.read_bytes() == before


@on_pwsh
@one_auth
def test_changed_between_two_commits(site: Site) -> None:
    """The first pool is written, then somebody changes the second: a failure that says what was written, undoable."""
    site.edit('"Reports" startMode="AlwaysRunning"', '"Reports"')
    site.edit(
        '<add name="DefaultAppPool" />',
        '<add name="DefaultAppPool" startMode="AlwaysRunning" />',
    )
    before = site.config.read_bytes()
    folder = plan(site, "on-demand")
    pace = '{"remediate_pools_per_commit": 1, "remediate_pause": 6}'
    ansible = str(Path(sys.prefix) / "bin" / "ansible-playbook")
    command = [ansible, "-i", str(site.inventory), str(folder / "playbook.yml"), "-e", pace]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: site.config.read_bytes() != before, "the first write")
        first, second = ("Contoso Shop", "DefaultAppPool")
        site.edit(f'"{second}" startMode="AlwaysRunning"', f'"{second}" startMode="AlwaysRunning" autoStart="false"')
        site.edit(
            '<processModel identityType="ApplicationPoolIdentity" />',
            '<processModel identityType="ApplicationPoolIdentity" idleTimeout="00:09:00" />',
        )
        assert process.wait(timeout=600) != 0
    (host,) = shown(runs(folder)[0])["hosts"]
    assert host["status"] == "failed"
    assert "expected processModel.idleTimeout 00:20:00, found 00:09:00" in host["detail"]
    assert [(c["pool"], c["written"], c["verified"]) for c in host["changes"]] == [
        (first, True, True),
        (second, False, False),
    ]
    undo = site.folder / "undo"
    remediate("rollback", runs(folder)[0], "--out", undo, expect=0)
    assert [(c["pool"], c["set"]) for c in shown(undo)["changes"]] == [(first, "AlwaysRunning")]


@on_pwsh
@one_auth
def test_conflicts_are_read_again_and_retried(site: Site) -> None:
    """The file changes, or is in use, at the moment of the commit: a fresh look, and another try."""
    folder = plan(site, "idle-timeout")
    site.knobs(fail_commit="changed:2")
    remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    assert (
        b'idleTimeout="00:00:00" />\r\n            </add>\r\n            <add name="Reports"'
        in site.config.read_bytes()
    )


@on_pwsh
@one_auth
def test_a_commit_that_always_fails_is_told(site: Site) -> None:
    folder = plan(site, "idle-timeout")
    before = site.config.read_bytes()
    site.knobs(fail_commit="denied")
    failed = remediate("apply", folder, "-i", site.inventory, "--yes", expect=3)
    assert "could not be written" in failed.stdout
    assert site.config.read_bytes() == before
    assert shown(runs(folder)[0])["hosts"][0]["changes"][0]["written"] is False


@on_pwsh
@one_auth
def test_the_server_keeps_a_backup(site: Site) -> None:
    """Named after the run, made before the first write, and never copied off the server."""
    before = site.config.read_bytes()
    folder = plan(site, "idle-timeout")
    remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    (backup,) = (site.windows / "System32/inetsrv/backup").iterdir()
    assert (backup / "applicationHost.config").read_bytes() == before
    assert re.fullmatch(r"remediate-\d{8}T\d{6}Z-[0-9a-f]{6}", backup.name)
    assert shown(runs(folder)[0])["hosts"][0]["backup"] == backup.name


@on_pwsh
@one_auth
def test_no_password_travels(site: Site) -> None:
    """Neither the pool's password nor the connection's in anything that is printed or kept."""
    connection = re.search(r"ansible_password: (\S+)", site.inventory.read_text())
    assert connection
    secrets = ("canary-b5b1f2d0", connection[1])
    folder = plan(site, "idle-timeout")
    said = [
        remediate("audit", "-i", site.inventory, "--format", "json", expect=2),
        run("ansible-playbook", "-i", site.inventory, folder / "playbook.yml", "--check", "--diff", "-vvv", expect=0,
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
        remediate("apply", folder, "-i", site.inventory, "--yes", expect=0),
    ]  # fmt: skip
    texts = [done.stdout + done.stderr for done in said]
    texts += [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    for secret in secrets:
        assert not [text for text in texts if secret in text]
