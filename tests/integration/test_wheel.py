"""The wheels, in clean environments far from the checkout: the product's alone does the whole job on a lab."""

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from remediate import __version__
from remediate.log_filters.catalogue import FILTERS
from remediate_lab.pwsh import find_pwsh

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(ROOT), str(ROOT / "lab")], check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def elsewhere(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two environments: of the product alone, and of the lab, which needs the product."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (product,), (lab,) = wheels.glob("remediate_iis-*.whl"), wheels.glob("remediate_iis_lab-*.whl")
    for name, files in {"venv": [product], "venv-lab": [product, lab]}.items():
        venv.create(folder / name, with_pip=True)
        pip = [str(folder / name / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *files], check=True, timeout=600, cwd=folder)
    return folder


@pytest.fixture
def inventory(elsewhere: Path) -> Iterator[Path]:
    """Of a lab that the lab's wheel brings up; with a PowerShell where there is one."""
    engine = "pwsh" if find_pwsh() else "emulated"
    lab = elsewhere / "lab"
    options = ("--state", lab, "--servers", "2", "--engine", engine)
    up = call(elsewhere, "remediate", "lab", "up", *options, environment="venv-lab")
    yield Path(up.strip())
    call(elsewhere, "remediate", "lab", "down", "--state", lab, environment="venv-lab")


def call(folder: Path, program: str, *arguments: str | Path, expect: int = 0, environment: str = "venv") -> str:
    """A program of that environment, with nothing of ours around it; its standard output."""
    pwsh = find_pwsh()
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [folder / environment / "bin" / program, *arguments],
        cwd=folder, env=variables | ({"REMEDIATE_PWSH": str(pwsh)} if pwsh else {}),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == expect, f"{program} {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_products_wheel_holds_the_product_alone(wheels: Path) -> None:
    """No simulated server: no C#, nothing that serves WS-Management or accepts NTLM, and no test."""
    (product,) = wheels.glob("remediate_iis-*.whl")
    with ZipFile(product) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {"remediate", f"remediate_iis-{__version__}.dist-info"}
    # The filters for log4net and Serilog are C# that a user compiles into an application.
    assert not [name for name in names if name.endswith(".cs") and not name.startswith("remediate/log_filters/")]
    assert not [name for name in names if re.search(r"(^|/)(lab|tests|wsman|emulated)(/|$)", name)]
    source = "".join(archive_text(product, name) for name in names if name.endswith(".py"))
    assert "import aiohttp" not in source and "spnego.server" not in source and "remediate_lab" not in source


def archive_text(wheel: Path, name: str) -> str:
    """A file of the wheel."""
    with ZipFile(wheel) as archive:
        return archive.read(name).decode()


def check_the_lab_is_elsewhere(elsewhere: Path) -> None:
    """Its wheel has no simulated fleet, and names the package that has one."""
    for line in (["lab", "up"], ["demo"]):
        assert call(elsewhere, "remediate", *line, expect=1) == ""


def test_the_whole_job(elsewhere: Path, inventory: Path) -> None:
    """Audit, plan, plain dry run, apply, audit, undo: the collection, the playbooks and the scripts are in it.

    One test, since the environments take a minute to make.
    """
    check_the_lab_is_elsewhere(elsewhere)
    check_the_filters_are_in_it(elsewhere)
    check_the_pages_are_in_it(elsewhere)
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


def check_the_filters_are_in_it(elsewhere: Path) -> None:
    """Each is a file beside the code."""
    for each in FILTERS:
        assert call(elsewhere, "remediate", "log-filter", each.logger, "--format", each.format) == each.text


def check_the_pages_are_in_it(elsewhere: Path) -> None:
    """HTML and SVG are made by templates, which are files beside the code."""
    log = elsewhere / "app.log"
    log.write_text("2026-11-09 04:00:00,000 [1] INFO Shop - all is well\n")
    assert "</html>" in call(elsewhere, "remediate", "diagnose", log, "--format", "html")
    assert "</svg>" in call(elsewhere, "remediate", "diagnose", log, "--format", "svg")
