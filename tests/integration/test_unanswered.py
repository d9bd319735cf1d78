"""What a run began and no answer tells of: both ways back include it, and both wait for the run's end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Site, remediate, wait_for
from tests.integration.test_playbooks import PLAYBOOKS, play

WAYS = ("rollback.yml", "remediate rollback")


@pytest.fixture
def site(take: Callable[[str, str], Site]) -> Site:
    return take("emulated", "basic")


def undo(site: Site, way: str, run: Path, works: bool = True) -> str:
    """Undo that run by one of the two ways; what it said."""
    if way == "rollback.yml":
        done = play(site, "rollback.yml", "-e", f"remediate_run={run}", expect=0 if works else None)
        assert works or done.returncode != 0
        return done.stdout
    said = remediate("rollback", run, "--out", site.folder / "undo", expect=0 if works else 1)
    if works:
        remediate("apply", site.folder / "undo", "-i", site.inventory, "--yes", expect=0)
    return said.stdout + said.stderr


def hanging(site: Site, *command: str | Path) -> "subprocess.Popen[bytes]":
    """A run whose server wrote, and has not answered yet."""
    before = site.config.read_bytes()
    site.knobs(after_commit="hang")
    process = subprocess.Popen(
        [str(part) for part in command], cwd=site.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: site.config.read_bytes() != before, "the write")
    return process


def kill(process: "subprocess.Popen[bytes]", run: Path) -> None:
    """And what it started: an ansible-playbook of ours ends by itself when we are gone."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: "still running" not in remediate("show", run).stdout, "the end of the run")


@pytest.mark.parametrize("way", WAYS)
def test_a_run_of_a_plan_that_was_killed(site: Site, way: str) -> None:
    """Refused while it runs; then what it may have written is undone, and it is said that nobody knows."""
    before = site.config.read_bytes()
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "idle-timeout", "--out", plan, expect=2)
    command = (Path(sys.prefix) / "bin" / "remediate", "apply", plan, "-i", site.inventory, "--yes")
    with hanging(site, *command) as process:
        (run,) = (plan / "runs").iterdir()
        said = undo(site, way, run, works=False)
        assert "the run still goes on" in said or "is still running" in said
        kill(process, run)
    site.knobs(after_commit="")
    assert site.config.read_bytes() != before
    assert "NOT KNOWN" in undo(site, way, run)
    assert site.config.read_bytes() == before


@pytest.mark.parametrize("way", WAYS)
def test_where_nothing_was_written_nothing_is_undone(site: Site, way: str) -> None:
    """The same record, and a server that is as it was before: compare-and-set finds it so already."""
    before = site.config.read_bytes()
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "idle-timeout", "--out", plan, expect=2)
    command = (Path(sys.prefix) / "bin" / "remediate", "apply", plan, "-i", site.inventory, "--yes")
    with hanging(site, *command) as process:
        (run,) = (plan / "runs").iterdir()
        kill(process, run)
    site.knobs(after_commit="")
    site.config.write_bytes(before)
    undo(site, way, run)
    assert site.config.read_bytes() == before


@pytest.mark.parametrize("way", WAYS)
def test_a_playbook_without_a_plan_that_was_killed(site: Site, way: str) -> None:
    """Nobody knows what was there before: both say so, and neither touches the server."""
    fix = (PLAYBOOKS / "fix_on_demand.yml", "-e", "remediate_pools=Contoso*")
    with hanging(site, Path(sys.prefix) / "bin" / "ansible-playbook", "-i", site.inventory, *fix) as process:
        (run,) = (site.folder / "remediate-runs").iterdir()
        kill(process, run)
    site.knobs(after_commit="")
    written = site.config.read_bytes()
    if way == "rollback.yml":
        assert "it may have written" in undo(site, way, run, works=False)
    else:
        said = remediate("rollback", run, "--out", site.folder / "undo", expect=0).stdout
        assert "what the run wrote there is not known" in said
    assert site.config.read_bytes() == written
