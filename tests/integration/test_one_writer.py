"""One writer per server: what a run that was ended still does there, and who else wants to write."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import PLAIN, Site, Up, on_pwsh, remediate, wait_for
from tests.integration.test_playbooks import play, runs

POOLS = [f"Pool{number:02}" for number in range(1, 14)]
FOLDER = "System32/inetsrv/config"
# A commit for each pool: the run goes on long enough for whatever comes meanwhile. Who asks it to end need not wait.
PACE = ("-e", "remediate_pools_per_commit=1", "-e", "remediate_pause=10")


@pytest.fixture
def thirteen(engine: str, up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A server with 13 pools to change. On the engine pwsh each command is a process of its own."""
    monkeypatch.setenv("REMEDIATE_LAB_COLD", "1")
    configs = tmp_path / "configs"
    configs.mkdir()
    text = (PLAIN / "applicationHost.config").read_text()
    added = "".join(f'<add name="{name}" startMode="AlwaysRunning" />\n' for name in POOLS)
    for name in ("Contoso Shop", "Reports"):
        text = text.replace(f'"{name}" startMode="AlwaysRunning"', f'"{name}"')
    text = text.replace('<add name="DefaultAppPool" />', f'{added}<add name="DefaultAppPool" />')
    (configs / "applicationHost.config").write_text(text)
    state = up("--from-configs", configs, "--servers", "1", "--engine", engine)
    inventory = state / "inventory" / "hosts.yml"
    (name,) = yaml.safe_load(inventory.read_text())["iis"]["hosts"]
    return Site(name, state / "servers" / name / "Windows", inventory, tmp_path)


def plan(site: Site) -> Path:
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--allow-dormant", "--out", folder, expect=2)
    return folder


def applying(site: Site, folder: Path, *options: str) -> "subprocess.Popen[str]":
    """Begin to apply the plan, as from a terminal."""
    program = Path(sys.prefix) / "bin" / "remediate"
    command = [program, "apply", folder, "-i", site.inventory, "--yes", *options]
    return subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def first_commit(site: Site, before: bytes) -> None:
    wait_for(lambda: site.config.read_bytes() not in (before, b""), "the first commit")


def run_of(folder: Path) -> Path:
    (made,) = (folder / "runs").iterdir()
    return made


def below(pid: int) -> list[int]:
    """That process and all that it started, as far as they live."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def writers(site: Site) -> list[int]:
    """The processes of the server that run commands. Those of the engine pwsh have its folder in their environment."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"windir={site.windows}\0".encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def held(site: Site) -> bool:
    """Whether somebody holds the server's lock."""
    with (site.windows / FOLDER / "remediate.lock").open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def left(site: Site) -> str:
    """Which run was there last, by the file that says so."""
    return (site.windows / FOLDER / "remediate.run").read_text()


def shown(path: Path) -> Any:
    return json.loads(remediate("show", path, "--format", "json", expect=0).stdout)


def kill_all(process: "subprocess.Popen[str]") -> None:
    for pid in below(process.pid):
        with suppress(ProcessLookupError):  # it ended with the one before
            os.kill(pid, signal.SIGKILL)


def interrupt(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)


@on_pwsh
@pytest.mark.parametrize("end", [interrupt, kill_all], ids=["ctrl-c", "kill"])
def test_an_undo_is_not_overtaken(thirteen: Site, end: Callable[["subprocess.Popen[str]"], None]) -> None:
    """A run of 13 pools ends after its first commit, and its module goes on. The undo right after has the last word:
    when every process of the server has ended, each pool has the value that it had before."""
    site, before = thirteen, thirteen.config.read_bytes()
    folder = plan(site)
    process = applying(site, folder, *PACE)
    first_commit(site, before)
    end(process)
    said, _ = process.communicate(timeout=600)
    if end is interrupt:
        # Where it can, a run that is interrupted tells its servers.
        asked = f"{site.name}: asked to end before its next commit" in said
        assert asked or f"{site.name}: may go on writing" in said, "a PowerShell may start late"
        if asked:
            wait_for(lambda: not held(site), "its end there")
            assert site.config.read_text().count("AlwaysRunning") > 1
    else:
        assert held(site), "the module of the run that was killed goes on"

    undo = site.folder / "undo"
    told = remediate("rollback", run_of(folder), "--out", undo, expect=0).stderr
    for text in (told, remediate("show", run_of(folder), expect=0).stdout):
        assert re.search(r"its server may go on writing, for up to \d+ s after the run has ended", text)
    said = remediate("apply", undo, "-i", site.inventory, "--yes", expect=0).stdout
    assert "1 verified by a second read" in said
    wait_for(lambda: not writers(site) and not held(site), "the end of every process on the server")
    assert site.config.read_bytes() == before
    assert f" undoes {run_of(folder).name}\n" in left(site)
    assert len(shown(undo)["changes"]) == len(POOLS)


@pytest.fixture
def site(take: Callable[[str, str], Site], engine: str) -> Site:
    return take(engine, "basic")


def hanging(site: Site, folder: Path) -> "subprocess.Popen[str]":
    """A run that has written, and does not come to its end before `after_commit` is taken away."""
    before = site.config.read_bytes()
    site.knobs(after_commit="hang")
    process = applying(site, folder)
    first_commit(site, before)
    return process


def begun(folder: Path) -> int:
    """How many hosts the runs of this plan have begun."""
    return sum(record.read_text().count('"event": "start"') for record in folder.glob("runs/*/record.jsonl"))


@on_pwsh
def test_the_second_of_two_runs_names_the_first(site: Site) -> None:
    """It waits as long as it was told, and then fails as a failed host does: nothing was written, nothing to undo."""
    first, second = plan(site), site.folder / "second"
    remediate("plan", "-i", site.inventory, "--fix", "idle-timeout", "--out", second, expect=2)
    process = hanging(site, first)
    written = site.config.read_bytes()
    failed = remediate("apply", second, "-i", site.inventory, "--yes", "-e", "remediate_lock_seconds=1", expect=3)
    assert re.search(rf"{run_of(first).name}, process \d+ on {site.name.upper()}", failed.stdout)
    (host,) = shown(run_of(second))["hosts"]
    assert (host["status"], [change["written"] for change in host["changes"]]) == ("failed", [False])
    remediate("rollback", run_of(second), "--out", site.folder / "nothing", expect=0)
    assert shown(site.folder / "nothing")["changes"] == []
    assert site.config.read_bytes() == written
    site.knobs(after_commit="")
    process.communicate(timeout=600)
    assert process.returncode == 0


@on_pwsh
def test_the_second_of_two_runs_waits(site: Site) -> None:
    """By default long enough for the first one's end."""
    folder = plan(site)
    first = hanging(site, folder)
    second = applying(site, folder)
    wait_for(lambda: begun(folder) == 2, "the second run")
    site.knobs(after_commit="")
    said = [process.communicate(timeout=600)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert "1 changed" in said[0] and "1 unchanged" in said[1]


@on_pwsh
def test_a_holder_that_is_killed_holds_nothing(site: Site) -> None:
    folder = plan(site)
    process = hanging(site, folder)
    for pid in writers(site):
        os.kill(pid, signal.SIGKILL)
    site.knobs(after_commit="")
    process.communicate(timeout=600)
    assert process.returncode == 3
    done = remediate("apply", folder, "-i", site.inventory, "--yes", "-e", "remediate_lock_seconds=0", expect=0)
    assert "1 unchanged" in done.stdout


@on_pwsh
def test_a_module_that_starts_late_writes_nothing(site: Site) -> None:
    """It was sent, and begins on the server when the undo of its run has come and gone, and found nothing to undo."""
    before = site.config.read_bytes()
    folder, gate = plan(site), site.folder / "gate"
    os.mkfifo(gate)
    # Each command prints this file first: it waits until somebody has written it.
    site.knobs(before=str(gate))
    process = applying(site, folder)
    opened: list[int] = []

    def arrived() -> bool:
        try:
            opened.append(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    wait_for(arrived, "the module")
    site.knobs(before="")
    # A copy, since nobody holds it: to the server it is all the same whether the run still has its Ansible.
    copy = site.folder / run_of(folder).name
    shutil.copytree(run_of(folder), copy)
    remediate("rollback", copy, "--out", site.folder / "undo", expect=0)
    done = remediate("apply", site.folder / "undo", "-i", site.inventory, "--yes", expect=0)
    assert "1 unchanged" in done.stdout
    os.close(opened[0])
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 4
    assert "a run that was begun later, or that ended this one" in said
    assert site.config.read_bytes() == before


def test_the_playbooks_are_writers_too(take: Callable[[str, str], Site]) -> None:
    """Each leaves its name, and rollback.yml says whom it undoes."""
    site = take("emulated", "basic")
    play(site, "fix_on_demand.yml", "-e", "remediate_pools=Contoso*", expect=0)
    (fixed,) = runs(site)
    assert left(site).startswith(f"{fixed.name} {site.name.upper()}.")
    play(site, "rollback.yml", "-e", f"remediate_run={fixed}", expect=0)
    assert left(site).endswith(f" undoes {fixed.name}\n")
    with (site.windows / FOLDER / "remediate.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        wanted = ("-e", "remediate_pools=Contoso*", "-e", "remediate_lock_seconds=0")
        done = play(site, "fix_on_demand.yml", *wanted)
    assert done.returncode != 0 and "another run still writes on this server" in done.stdout.replace("\n", " ")
