"""A run that ended before it began, a disk that is full, closed streams, an early Ctrl-C: a line that says so."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Site, remediate, run, wait_for
from tests.integration.test_one_writer import below

PROGRAM = Path(sys.prefix) / "bin" / "remediate"


@pytest.fixture
def site(take: Callable[[str, str], Site]) -> Site:
    return take("emulated", "basic")


@pytest.fixture
def plan(site: Site) -> Path:
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", site.folder / "plan", expect=2)
    return site.folder / "plan"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder).returncode != 0:
        pytest.skip("no disk can be mounted here: that is for root alone")
    yield folder
    run("umount", folder, expect=0)


def fill(disk: Path, but: int = 0) -> None:
    """Leave so many KiB free."""
    (disk / "fill").unlink(missing_ok=True)
    free = shutil.disk_usage(disk).free - but * 1024
    (disk / "fill").write_bytes(b"x" * free)


def undo(run_dir: Path, site: Site) -> str:
    return remediate("rollback", run_dir, "--out", site.folder / "undo", expect=1).stderr


def test_a_run_that_ended_before_its_record(site: Site, plan: Path) -> None:
    """Killed while Ansible starts: it has begun nothing, and may still begin as long as its ansible-playbook lives."""
    command = [str(PROGRAM), "apply", str(plan), "-i", str(site.inventory), "--yes"]
    slow = site.folder / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import sys, time\nif sys.argv[0].endswith('ansible_playbook.py') or '-c' not in sys.argv and "
        "any(word.endswith('ansible_playbook.py') for word in sys.orig_argv): time.sleep(600)\n"
    )
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(slow)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    started: list[int] = []
    try:
        wait_for(lambda: bool(list(plan.glob("runs/*/ansible-playbook.log"))), "the run's folder")
        (made,) = (plan / "runs").iterdir()
        wait_for(lambda: len(below(process.pid)) > 1, "its ansible-playbook")
        started = below(process.pid)[1:]
        process.kill()
        process.wait()
        for said in (remediate("show", made, expect=1).stderr, undo(made, site)):
            assert said.startswith(f"remediate: {made}: this run has begun nothing yet, and may still begin")
            assert said.count("\n") == 1
    finally:
        for pid in (process.pid, *started):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    wait_for(lambda: "may still begin" not in remediate("show", made, expect=1).stderr, "its end")
    for said in (remediate("show", made, expect=1).stderr, undo(made, site)):
        assert said.startswith(f"remediate: {made}: nothing was begun in this run, and nothing was written")
        assert said.count("\n") == 1


def test_a_full_disk_during_a_plan_and_a_rollback(site: Site, plan: Path, disk: Path) -> None:
    """One line with the reason, and nothing is left there."""
    remediate("apply", plan, "-i", site.inventory, "--yes", expect=0)
    (made,) = (plan / "runs").iterdir()
    site.edit('startMode="OnDemand"', 'startMode="AlwaysRunning"')
    for free in (0, 4, 40):
        fill(disk, free)
        options = ("plan", "-i", site.inventory, "-q", "--fix", "on-demand", "--out", disk / "plan")
        for arguments in (options, ("rollback", made, "--out", disk / "plan")):
            done = remediate(*arguments, expect=1)
            assert done.stderr == f"remediate: {disk / 'plan'}: cannot be written: No space left on device\n"
            assert [path.name for path in disk.iterdir()] == ["fill"]


def test_a_full_disk_when_a_run_begins(site: Site, plan: Path, disk: Path) -> None:
    """Nothing is written on the server; one line says why, and `show` says the same of the run."""
    shutil.copytree(plan, disk / "plan")
    before = site.config.read_bytes()
    fill(disk)
    done = remediate("apply", disk / "plan", "-i", site.inventory, "--yes", "-q", expect=1)
    record, line = done.stderr.splitlines()
    assert record.startswith("record: ") and line.startswith("remediate: ansible-playbook ended with ")
    assert line.count("remediate: ") == 1 and "No space left on device" in line
    assert site.config.read_bytes() == before
    said = remediate("show", record.removeprefix("record: "), expect=1).stderr
    assert "nothing was begun in this run, and nothing was written" in said and said.count("\n") == 1


def test_a_disk_that_is_full_after_the_write(site: Site, plan: Path, disk: Path) -> None:
    """What was done is still reported; that the second read cannot be kept is one line, and exit 1."""
    shutil.copytree(plan, disk / "plan")
    fill(disk, 4)
    done = remediate("apply", disk / "plan", "-i", site.inventory, "--yes", "-q", expect=1)
    assert "1 changed, 1 verified by a second read" in done.stdout
    record, line = done.stderr.splitlines()
    assert record.startswith("record: ") and line.startswith("remediate: ") and line.count("remediate: ") == 1
    assert "proof.jsonl: cannot be written: No space left on device" in line


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(site: Site, plan: Path, closed: str) -> None:
    """The work is done all the same; where standard output is closed one line says so, where it can."""
    before = site.config.read_bytes()
    for arguments, code in (
        (f"audit -q -i {site.inventory}", 2),
        (f"apply -q {plan} -i {site.inventory} --check", 2),
        (f"show {plan}", 0),
    ):
        done = run("bash", "-c", f"{shlex.quote(str(PROGRAM))} {arguments} {closed}")
        assert done.returncode == (1 if ">&- " in f" {closed} ".replace("2>&-", "") else code), done.stderr
        if closed == ">&-":
            assert done.stderr == "remediate: standard output is closed; give --out a file, or > a file\n"
        else:
            assert done.stderr == ""
            assert bool(done.stdout) is (">&- " not in f" {closed} ".replace("2>&-", ""))
    assert site.config.read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_while_the_program_starts(tmp_path: Path, number: signal.Signals) -> None:
    """One line and exit 130, as later."""
    # The program's parts are loaded slowly here, so that the moment is met.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time, pathlib\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        f"            pathlib.Path({str(tmp_path / 'here')!r}).touch()\n"
        "            time.sleep(30)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    process = subprocess.Popen(
        [str(PROGRAM), "--version"], env=os.environ | {"PYTHONPATH": str(tmp_path)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for((tmp_path / "here").exists, "its start")
    process.send_signal(number)
    assert process.communicate(timeout=600) == ("", "remediate: interrupted\n")
    assert process.returncode == 130
