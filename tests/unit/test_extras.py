"""What an installation lacks is named, with a way to get it that is not somebody else's package.

On the package index the name `remediate` belongs to somebody else.
"""

from pathlib import Path

import pytest

from tests.conftest import remediate


def without(folder: Path, *modules: str) -> str:
    """A folder for PYTHONPATH with which these modules cannot be found."""
    lines = "".join(f"sys.modules[{module!r}] = None\n" for module in modules)
    (folder / "sitecustomize.py").write_text(f"import sys\n{lines}")
    return str(folder)


@pytest.mark.parametrize("missing", ["aiohttp", "cryptography", "spnego"])
@pytest.mark.parametrize("command", ["lab up --state", "demo"])
def test_the_lab_names_the_checkouts_extra(tmp_path: Path, missing: str, command: str) -> None:
    """Before anything is begun: one line, and no lab that has half started."""
    line = command.split()
    arguments = [*line, tmp_path / "lab"] if line[-1] == "--state" else line
    done = remediate(*arguments, expect=1, PYTHONPATH=without(tmp_path, missing))
    assert done.stdout == "" and done.stderr.count("\n") == 1
    assert f"({missing.replace('spnego', 'pyspnego')})" in done.stderr
    assert "pip install '.[lab]'" in done.stderr and "in a checkout" in done.stderr
    assert not (tmp_path / "lab").exists()


def test_nothing_that_we_say_names_the_strangers_package() -> None:
    """In no message, help text or document."""
    root = Path(__file__).parents[2]
    files = [*(root / "remediate").rglob("*.py"), *(root / "docs").rglob("*.md"), root / "README.md"]
    files += [path for path in (root / "playbooks").rglob("*") if path.suffix in (".py", ".yml", ".md", ".ps1")]
    assert not [
        path for path in files if "pip install remediate" in (text := path.read_text()) or "'remediate[" in text
    ]
