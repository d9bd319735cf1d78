"""The wheel, in a clean environment far from the checkout, does the whole job."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.lab.pwsh import find_pwsh
from remediate.log_filters.catalogue import FILTERS

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment in it, into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=300)
    (wheel,) = folder.glob("remediate-*.whl")
    venv.create(folder / "venv", with_pip=True)
    own = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*own, "install", f"{wheel}[lab]"], check=True, timeout=600, cwd=folder)
    return folder


@pytest.fixture
def inventory(elsewhere: Path) -> Iterator[Path]:
    """Of a lab that the wheel brings up; with a PowerShell where there is one."""
    engine = "pwsh" if find_pwsh() else "emulated"
    lab = elsewhere / "lab"
    up = call(elsewhere, "remediate", "lab", "up", "--state", lab, "--servers", "2", "--engine", engine)
    yield Path(up.strip())
    call(elsewhere, "remediate", "lab", "down", "--state", lab)


def call(folder: Path, program: str, *arguments: str | Path, expect: int = 0) -> str:
    """A program of that environment, with nothing of ours around it; its standard output."""
    pwsh = find_pwsh()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [folder / "venv" / "bin" / program, *arguments],
        cwd=folder, env=environment | ({"REMEDIATE_PWSH": str(pwsh)} if pwsh else {}),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == expect, f"{program} {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_whole_job(elsewhere: Path, inventory: Path) -> None:
    """Audit, plan, plain dry run, apply, audit, undo: the collection, the playbooks and the scripts are in it."""
    plan, undo = elsewhere / "plan", elsewhere / "undo"
    files = sorted((elsewhere / "lab" / "servers").rglob("applicationHost.config"))
    before = [file.read_bytes() for file in files]
    findings = json.loads(call(elsewhere, "remediate", "audit", "-i", inventory, "--format", "json", expect=2))
    call(elsewhere, "remediate", "plan", "-i", inventory, "--fix", "idle-timeout", "--out", plan, expect=2)
    changes = json.loads(call(elsewhere, "remediate", "show", plan, "--format", "json"))["changes"]
    assert changes
    assert len(changes) <= findings["summary"]["findings"]
    dry = call(elsewhere, "ansible-playbook", "-i", inventory, plan / "playbook.yml", "--check", "--diff")
    assert dry.count("processModel.idleTimeout: ") == len(changes)
    assert [file.read_bytes() for file in files] == before
    # The playbooks that need no plan are in it too; what they would do here is what the plan does.
    (shipped,) = (elsewhere / "venv" / "lib").glob("python*/site-packages/remediate/_playbooks")
    fix = call(
        elsewhere, "ansible-playbook", "-i", inventory, shipped / "fix_idle_timeout.yml", "-e", "remediate_pools=*",
        "--check", "--diff",
    )  # fmt: skip
    assert fix.count("processModel.idleTimeout: ") == len(changes)
    call(elsewhere, "remediate", "apply", plan, "-i", inventory, "--yes")
    assert [file.read_bytes() for file in files] != before
    (run,) = (plan / "runs").iterdir()
    call(elsewhere, "remediate", "rollback", run, "--out", undo)
    call(elsewhere, "remediate", "apply", undo, "-i", inventory, "--yes")
    assert [file.read_bytes() for file in files] == before


def test_the_filters_are_in_it(elsewhere: Path) -> None:
    """Each is a file beside the code."""
    for each in FILTERS:
        assert call(elsewhere, "remediate", "log-filter", each.logger, "--format", each.format) == each.text
