"""A device, a pipe that nobody writes into, a file of a terabyte: every command refuses them in one line, at once.

A pipe that a shell made with `<(command)` is read.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.playbook.directory import write_plan
from tests.conftest import remediate, run
from tests.unit.test_cli_errors import INVENTORY, refused
from tests.unit.test_directory import plan

CONFIG = "<configuration><system.applicationHost><applicationPools /></system.applicationHost></configuration>"


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def huge(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(2**40)
    return path


ENDLESS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a pipe": (fifo, "is a pipe"), "a device": (device, "is a device"), "a huge file": (huge, "has more than "),
}  # fmt: skip


@pytest.fixture(params=list(ENDLESS))
def endless(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    make, said = ENDLESS[request.param]
    return make(tmp_path / "endless"), said


def test_what_is_saved(endless: tuple[Path, str], tmp_path: Path) -> None:
    """show, plan --from, diagnose --audit, rollback; a plan's and a run's own file too."""
    path, said = endless
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.json").symlink_to(path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "record.jsonl").symlink_to(path)
    (tmp_path / "hosts.ini").write_text(INVENTORY)
    for arguments in (
        ("show", path),
        ("show", tmp_path / "plan"),
        ("show", tmp_path / "run"),
        ("plan", "--from", path, "--fix", "on-demand", "--out", tmp_path / "out"),
        ("diagnose", "--audit", path),
        ("rollback", path, "--out", tmp_path / "out"),
        ("rollback", tmp_path / "run", "--out", tmp_path / "out"),
        ("apply", tmp_path / "plan", "-i", tmp_path / "hosts.ini", "--yes"),
    ):
        assert said in refused(1, *arguments)
    assert not (tmp_path / "out").exists()


def test_a_file_among_those_of_a_plan(tmp_path: Path) -> None:
    """In a folder that Ansible loads, beside the plan's own files."""
    write_plan(plan(), tmp_path / "plan")
    (tmp_path / "hosts.ini").write_text(INVENTORY)
    fifo(tmp_path / "plan" / "host_vars" / "web02.yml")
    assert "host_vars/web02.yml: is a pipe" in refused(
        1, "apply", tmp_path / "plan", "-i", tmp_path / "hosts.ini", "--yes"
    )


def test_inventories_and_files_of_variables(endless: tuple[Path, str], tmp_path: Path) -> None:
    """As -i, in a folder that is given as -i, among its variables, and as -e @FILE."""
    path, said = endless
    for place in ("folder/hosts", "beside/group_vars/all.yml"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).symlink_to(path)
    inventory = tmp_path / "beside" / "hosts.ini"
    inventory.write_text(INVENTORY)
    for arguments in (
        ("-i", path),
        ("-i", tmp_path / "folder"),
        ("-i", inventory),
        ("-i", "localhost,", "-e", f"@{path}"),
    ):
        assert said in refused(1, "audit", *arguments)


def test_a_password_file_may_be_a_pipe_and_no_device(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text(INVENTORY)
    for option in ("--vault-password-file", "--connection-password-file"):
        assert "is a device" in refused(1, "audit", "-i", tmp_path / "hosts.ini", option, "/dev/zero")


@pytest.mark.parametrize("option", [(), ("--iis-log",), ("--events",)])
@pytest.mark.parametrize("name", ["a pipe", "a device"])
def test_logs(name: str, option: tuple[str, ...], tmp_path: Path) -> None:
    """A log may have any size: it is read in blocks."""
    make, said = ENDLESS[name]
    (tmp_path / "app.log").write_text("all is well\n")
    assert said in refused(1, "diagnose", tmp_path / "app.log", *option, make(tmp_path / "endless"))


def test_what_a_pattern_holds_beside_is_not_read(tmp_path: Path) -> None:
    fifo(tmp_path / "b.log")
    (tmp_path / "a.log").write_text("all is well\n")
    done = remediate("diagnose", tmp_path / "*.log", expect=0)
    assert "a.log: text, 1 line" in done.stdout


def test_a_file_of_proc_is_read_or_refused() -> None:
    """These have the looks of a file, and no size."""
    for path in ("/proc/self/status", "/proc/self/environ", "/proc/self/pagemap", "/proc/self/mem"):
        refused(1, "show", path)
    for path in ("/proc/self/status", "/proc/meminfo"):
        remediate("diagnose", path, expect=0)


def test_a_folder_where_a_file_is_wanted(tmp_path: Path) -> None:
    """And the other way round: the line says what to give."""
    (tmp_path / "file").write_text("x")
    for arguments, said in (
        (("show", tmp_path), "plan.json"),
        (("diagnose", "--audit", tmp_path), "Is a directory"),
        (("apply", tmp_path / "file", "-i", "localhost,", "--yes"), "is not a folder"),
        (("rollback", tmp_path, "--out", tmp_path / "out"), "is not the folder of a run"),
        (("audit", "-i", "localhost,", "-e", f"@{tmp_path}"), "-e @"),
    ):
        assert said in refused(1, *arguments)


def test_a_pipe_of_the_shell_is_read(tmp_path: Path) -> None:
    """Once: it cannot be read again."""
    (tmp_path / "x.config").write_text(CONFIG)
    script = (
        'cd "$1" && remediate audit --config x.config --save a.json >/dev/null && '
        "remediate show <(cat a.json) && remediate audit --config <(cat x.config) --format json"
    )
    path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
    done = run("bash", "-c", script, "-", tmp_path, PATH=path, expect=0)
    table, _, report = done.stdout.partition("\n{")
    assert "1 host: 1 inspected" in table and json.loads("{" + report)["summary"]["inspected"] == 1
