"""-v shows where a bug struck, -q keeps progress away; both before a command's name and behind it."""

from pathlib import Path

import pytest

from tests.conftest import remediate

PASSWORD = "canary-5f1c9e"  # of the inventory below


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "hosts.ini"
    path.write_text(
        f"[web]\nweb01\nweb02\n[web:vars]\nansible_connection=winrm\nansible_user=u\nansible_password={PASSWORD}\n"
        "ansible_host=127.0.0.1\nansible_port=1\n"
    )
    return path


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with which reading the script raises what nobody expects, and tells the password."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        "real = pathlib.Path.read_bytes\n"
        "def read_bytes(self):\n"
        "    if self.name != 'IisRead.psm1':\n"
        "        return real(self)\n"
        "    try:\n"
        "        raise KeyError(os.environ['CANARY'])\n"
        "    except KeyError as error:\n"
        "        raise LookupError('no ' + os.environ['CANARY']) from error\n"
        "pathlib.Path.read_bytes = read_bytes\n"
    )
    return str(tmp_path / "site")


@pytest.mark.parametrize("line", ["audit -v", "-v audit", "audit --verbose"])
def test_a_bug_with_one_host_is_shown_with_the_host(inventory: Path, broken: str, line: str) -> None:
    """The types, the places and the host; never an exception's text, which can hold a password."""
    done = remediate(*line.split(), "-i", inventory, expect=3, PYTHONPATH=broken, CANARY=PASSWORD)
    for host in ("web01", "web02"):
        assert f"{host}: Traceback (most recent call last):\n" in done.stderr
    assert "LookupError" in done.stderr and "KeyError" in done.stderr and 'runner.py", line ' in done.stderr
    assert "2 hosts  failed  LookupError at script.py:" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_without_v_it_is_one_line(inventory: Path, broken: str) -> None:
    done = remediate("audit", "-i", inventory, expect=3, PYTHONPATH=broken, CANARY=PASSWORD)
    assert "Traceback" not in done.stderr and "please report this with what -v shows" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_a_bug_that_ends_the_command_is_shown_too(tmp_path: Path) -> None:
    """One line says where; the traceback is for -v."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        "real = pathlib.Path.is_dir\n"
        "def is_dir(self):\n"
        "    if self.name != 'x.json':\n"
        "        return real(self)\n"
        "    raise LookupError(os.environ['CANARY'])\n"
        "pathlib.Path.is_dir = is_dir\n"
    )
    for options, shown in (((), False), (("-v",), True)):
        done = remediate("show", tmp_path / "x.json", *options, expect=1, PYTHONPATH=str(tmp_path), CANARY=PASSWORD)
        assert ("Traceback" in done.stderr) is shown
        assert "remediate: a bug, please report it with what -v shows: LookupError at " in done.stderr
        assert PASSWORD not in done.stderr


@pytest.mark.parametrize("line", ["audit -q", "-q audit", "audit --quiet"])
def test_quiet_keeps_progress_away(inventory: Path, line: str) -> None:
    """The report has it all; standard error stays empty."""
    assert "web01: unreachable" in remediate("audit", "-i", inventory, expect=3).stderr
    done = remediate(*line.split(), "-i", inventory, expect=3)
    assert done.stderr == "" and "2 hosts  unreachable" in done.stdout


COMMANDS = (
    "audit", "plan", "show", "apply", "rollback", "diagnose", "explain", "log-filter", "completion",
    "lab up", "lab down", "lab play", "lab status", "demo",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_both(command: str) -> None:
    text = remediate(*command.split(), "--help", expect=0).stdout
    assert "-v, --verbose" in text and "-q, --quiet" in text
