"""The environments of the test matrix: each supported ansible-core, with the newest Python that admits it.

Run as a program it makes them (`make test` does), and with the word `matrix` runs the suite in each. Imported, it tells
which are there. A Python that this machine lacks is no failure: the tests that want it are skipped by name.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_CHANGED = (ROOT / "pyproject.toml").stat().st_mtime
# Python -> the ansible-core tried on it. A release candidate is taken only where it is named.
WANTED = {"3.11": "ansible-core>=2.19,<2.20", "3.12": "ansible-core>=2.21,<2.22", "3.13": "ansible-core>=2.22.0rc1"}

# The Python that runs this.
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Environment:
    """A Python with remediate and one ansible-core in it."""

    python: str

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return folder(self.python) / "bin"


def folder(python: str) -> Path:
    """The environment of that Python; the one that runs the tests is the one of `make`."""
    return Path(sys.prefix) if python == OWN else ROOT / f".venv-{python}"


def available() -> list[Environment]:
    """Those that are made and whole; the matrix asks for one alone."""
    wanted = [os.environ["REMEDIATE_ENVIRONMENT"]] if "REMEDIATE_ENVIRONMENT" in os.environ else list(WANTED)
    return [Environment(python) for python in wanted if (folder(python) / "bin" / "remediate").exists()]


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
    for python, ansible in WANTED.items():
        made = folder(python) / ".made-for-tests"
        found = _find(python)
        if python == OWN or found is None or (made.exists() and made.stat().st_mtime >= _CHANGED):
            continue
        print(f"making the environment for Python {python} with {ansible}", flush=True)
        shutil.rmtree(folder(python), ignore_errors=True)
        subprocess.run([found, "-m", "venv", folder(python)], check=True)
        pip = [str(folder(python) / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--editable", f"{ROOT}[test]", ansible], check=True)
        made.touch()


def matrix(arguments: list[str]) -> int:
    """Run the suite in each environment, with its own ansible-core alone; the worst exit code."""
    worst = 0
    for environment in available():
        print(f"== Python {environment.python}, {WANTED[environment.python]}", flush=True)
        others = [] if environment.python == OWN else ["-m", "not once"]
        command = [str(environment.bin / "python"), "-m", "pytest", *others, *arguments]
        alone = os.environ | {"REMEDIATE_ENVIRONMENT": environment.python}
        worst = max(worst, subprocess.run(command, cwd=ROOT, env=alone, check=False).returncode)
    return worst


if __name__ == "__main__":
    make()
    if sys.argv[1:2] == ["matrix"]:
        sys.exit(matrix(sys.argv[2:]))
