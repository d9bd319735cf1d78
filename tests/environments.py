"""The environments of the test matrix: each supported ansible-core, with a Python that admits it.

Run as a program it makes them (`make test` does), and with the word `matrix` runs the suite in each. Imported, it lists
those that are there. A Python that this machine lacks is no failure: the tests that need it are skipped by name.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_CHANGED = max(file.stat().st_mtime for file in (ROOT / "pyproject.toml", ROOT / "lab" / "pyproject.toml"))
# ansible-core -> the Python that it is tried on. A release candidate is installed only where it is named.
PYTHONS = {"2.19": "3.11", "2.20": "3.12", "2.21": "3.12", "2.22": "3.13"}
_CANDIDATES = {"2.22": "2.22.0rc1"}

# The ansible-core of the Python that runs this.
OWN = ".".join(version("ansible-core").split(".")[:2])


@dataclass(frozen=True)
class Environment:
    """A Python with remediate and that ansible-core in it."""

    ansible: str

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return _folder(self.ansible) / "bin"


def _folder(ansible: str) -> Path:
    """The environment with that ansible-core; the one that runs the tests is the one of `make`."""
    return Path(sys.prefix) if ansible == OWN else ROOT / f".venv-ansible-{ansible}"


def available() -> list[Environment]:
    """Those that are made and whole; the matrix asks for one alone."""
    wanted = [os.environ["REMEDIATE_ENVIRONMENT"]] if "REMEDIATE_ENVIRONMENT" in os.environ else list(PYTHONS)
    return [Environment(ansible) for ansible in wanted if (_folder(ansible) / "bin" / "remediate").exists()]


def _find(python: str) -> Path | None:
    """A Python of that version: on PATH, or beside the one that runs this, as pyenv lays them out."""
    on_path = shutil.which(f"python{python}")
    beside = sorted(Path(sys.base_prefix).resolve().parent.glob(f"{python}.*/bin/python{python}"))
    candidates = [*beside, *([Path(on_path)] if on_path else [])]
    for candidate in candidates:
        if (
            subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode
            == 0
        ):
            return candidate
    return None


def make() -> None:
    """Make what is missing."""
    for ansible, python in PYTHONS.items():
        folder = _folder(ansible)
        made = folder / ".made-for-tests"
        found = _find(python)
        if ansible == OWN or found is None or (made.exists() and made.stat().st_mtime >= _CHANGED):
            continue
        print(f"making the environment for ansible-core {ansible} with Python {python}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([found, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
        release = f"ansible-core~={_CANDIDATES.get(ansible, f'{ansible}.0')}"
        groups = ["--group", f"{ROOT / 'pyproject.toml'}:test"]
        subprocess.run(
            [*pip, "--editable", f"{ROOT}[evtx,psrp]", "--editable", ROOT / "lab", *groups, release], check=True
        )
        made.touch()


def matrix(arguments: list[str]) -> int:
    """Run the suite in each environment, with its own ansible-core alone; the worst exit code."""
    worst = 0
    for environment in available():
        print(f"== ansible-core {environment.ansible}, Python {PYTHONS[environment.ansible]}", flush=True)
        others = [] if environment.ansible == OWN else ["-m", "not once"]
        command = [str(environment.bin / "python"), "-m", "pytest", *others, *arguments]
        alone = os.environ | {"REMEDIATE_ENVIRONMENT": environment.ansible}
        worst = max(worst, subprocess.run(command, cwd=ROOT, env=alone, check=False).returncode)
    return worst


if __name__ == "__main__":
    make()
    if sys.argv[1:2] == ["matrix"]:
        sys.exit(matrix(sys.argv[2:]))
