"""What we hand out passes ansible-lint without a profile, in the folder and above it, where the collection is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import run
from tests.example_plan import main as write_example_plan

LINT = Path(sys.prefix) / "bin" / "ansible-lint"


@pytest.mark.parametrize("below", [".", "fixes/plan"])
def test_a_plan_passes(tmp_path: Path, below: str) -> None:
    """In a repository of the user's; ansible-lint does not look for the collection beside the playbook by itself."""
    if not LINT.exists():
        pytest.skip("no ansible-lint here (it is in the group dev)")
    folder = tmp_path / "repository"
    write_example_plan(folder / below)
    subprocess.run([shutil.which("git") or "git", "init", "--quiet", folder], check=True)
    collections = str(folder / below / "collections")
    done = run("env", "-C", folder, LINT, "--offline", "--nocolor", ANSIBLE_COLLECTIONS_PATH=collections)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed: 0 failure(s)" in done.stdout + done.stderr
