"""A command that the tests run in a child (tests/forked.py) does what it does in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN, run
from tests.forked import Forks, alike

BIN = Path(sys.prefix) / "bin"


def alone(*command: str | Path) -> tuple[int, str, str]:
    """Its exit code and output, in a process of its own."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments", [("audit", "--config", str(PLAIN)), ("explain", "RM001"), ("nonsense",), ("audit", "-i", "/nowhere")],
    ids=" ".join,
)  # fmt: skip
def test_a_command_is_as_in_a_process_of_its_own(arguments: tuple[str, ...]) -> None:
    """The same exit code, standard output and standard error."""
    done = run(BIN / "remediate", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == alone(BIN / "remediate", *arguments)


def test_a_plugin_beside_the_playbook_is_not_hidden(tmp_path: Path) -> None:
    """The process has Ansible's own plugin of that name imported; a new one would not."""
    (tmp_path / "connection_plugins").mkdir()
    (tmp_path / "connection_plugins" / "winrm.py").write_text(
        "raise ImportError('it is the one beside the playbook')\n"
    )
    play = {"hosts": "localhost", "gather_facts": False, "connection": "winrm", "tasks": [{"ansible.builtin.raw": "x"}]}
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(json.dumps([play]))
    command = (BIN / "ansible-playbook", "-i", "localhost,", playbook)
    code, _, _ = alone(*command)
    done = run(*command)
    assert (done.returncode, code) == (code, code) and code != 0
    assert "it is the one beside the playbook" in done.stdout + done.stderr


def test_what_is_read_at_the_start_has_a_process_of_its_own(tmp_path: Path) -> None:
    """Ansible's and Python's settings, and an ansible.cfg in the folder; what is read later does not matter."""
    usual = {"PATH": "/bin"}
    assert alike(usual | {"REMEDIATE_RUN_DIR": "x", "COLUMNS": "40"}, usual, tmp_path)
    for name in ("ANSIBLE_CONFIG", "PYTHONPATH", "LC_ALL", "HOME", "PATH"):
        assert not alike(usual | {name: "x"}, usual, tmp_path), name
    assert not alike({}, usual, tmp_path)
    (tmp_path / "ansible.cfg").touch()
    assert not alike(usual, usual, tmp_path)


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """As subprocess does it; and the next command runs."""
    os.mkfifo(tmp_path / "never.yml")
    forks = Forks(BIN / "python")
    command = [str(BIN / "ansible-playbook"), str(tmp_path / "never.yml")]
    with pytest.raises(subprocess.TimeoutExpired):
        forks.run(command, forks.environment, 0.5)
    assert forks.run([str(BIN / "remediate"), "--version"], forks.environment, 300).returncode == 0
    forks.end()
