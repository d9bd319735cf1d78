"""Another ansible-core than the program knows ends a command in one line, before anything is read or sent."""

import tomllib
from pathlib import Path

import pytest

from remediate.fleet.ansible_release import SUPPORTED
from tests.conftest import remediate

ROOT = Path(__file__).parents[2]
RELEASE = "import ansible.release\nansible.release.__version__ = {!r}\n"
# What a new release may have renamed or removed -> a program that makes it so.
REMOVED = {
    "split_host_pattern": "import ansible.inventory.manager as owner\ndel owner.split_host_pattern",
    "ansible._internal._yaml._dumper": "import sys\nsys.modules['ansible._internal._yaml._dumper'] = None",
    "ansible.cli.playbook.PlaybookCLI._play_prereqs": (
        "from ansible.cli import CLI as owner\n"
        "del owner._play_prereqs"
    ),
    "ansible.constants.PLAYBOOK_VARS_ROOT": "import ansible.constants as owner\ndel owner.PLAYBOOK_VARS_ROOT",
    "ansible.vars.manager.VariableManager().safe_basedir": (
        "from ansible.vars.manager import VariableManager as owner\n"
        "made = owner.__init__\n"
        "def make(self, *arguments, **options):\n"
        "    made(self, *arguments, **options)\n"
        "    del self.safe_basedir\n"
        "owner.__init__ = make"
    ),
    "ansible.inventory.manager.InventoryManager()._subset": (
        "from ansible.inventory.manager import InventoryManager as owner\n"
        "owner.subset = lambda self, pattern: vars(self).pop('_subset')"
    ),
    "winrm has no _winrm_path": (
        "from ansible.plugins.connection.winrm import Connection as owner\n"
        "built = owner._build_winrm_kwargs\n"
        "def build(self):\n"
        "    built(self)\n"
        "    del self._winrm_path\n"
        "owner._build_winrm_kwargs = build"
    ),
}  # fmt: skip


def changed(folder: Path, program: str) -> str:
    """A PYTHONPATH with which every Python runs that program before anything else."""
    (folder / "sitecustomize.py").write_text(program)
    return str(folder)


def refused(tmp_path: Path, program: str) -> str:
    """What `audit` says on standard error: one line, with exit 1."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all: {hosts: {web01: {ansible_connection: winrm}}}\n")
    done = remediate("audit", "-i", inventory, "-l", "web01", expect=1, PYTHONPATH=changed(tmp_path, program))
    assert done.stdout == "" and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert f"pip install 'ansible-core{SUPPORTED}'" in done.stderr
    return done.stderr


@pytest.mark.parametrize("release", ["2.23.0", "2.23.0b1", "2.18.19"])
def test_a_release_that_was_not_tried_is_refused(tmp_path: Path, release: str) -> None:
    """By its number, whatever names it has."""
    assert f"ansible-core {release} cannot be used" in refused(tmp_path, RELEASE.format(release))


@pytest.mark.parametrize("name", REMOVED)
def test_a_missing_name_is_named(tmp_path: Path, name: str) -> None:
    """Also one of an object that is made later: it is not set in vain, and no host is inspected with what is left."""
    said = refused(tmp_path, REMOVED[name])
    assert name in said and "cannot be used" in said


def test_no_ansible_is_said_so(tmp_path: Path) -> None:
    """Where ansible-core was taken away."""
    assert "is not installed" in refused(tmp_path, "import sys\nsys.modules['ansible'] = None\n")


def test_what_needs_no_ansible_works_without_it(tmp_path: Path) -> None:
    """These commands do not even load it, which takes a second."""
    without = changed(tmp_path, "import sys\nsys.modules['ansible'] = None\n")
    log = tmp_path / "app.log"
    log.write_text("2026-11-09 04:00:00,000 [1] INFO Shop - all is well\n")
    for command in (("explain", "RM001"), ("log-filter", "nlog"), ("completion", "bash"), ("--version",)):
        assert remediate(*command, expect=0, PYTHONPATH=without).stdout
    remediate("diagnose", log, expect=0, PYTHONPATH=without)
    missing = tmp_path / "none.json"
    shown = remediate("show", missing, expect=1, PYTHONPATH=without)
    undone = remediate("rollback", missing, "--out", tmp_path / "undo", expect=1, PYTHONPATH=without)
    assert f"{missing}: No such file" in shown.stderr and f"{missing}: No such file" in undone.stderr


def test_the_range_is_the_packages() -> None:
    """pip refuses what the program refuses."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"ansible-core{SUPPORTED}" in project["dependencies"]
