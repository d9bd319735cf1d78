"""What an installation lacks is named, with a way to get it that is not somebody else's package.

On the package index the name `remediate` belongs to somebody else.
"""

from pathlib import Path

import pytest

from tests.conftest import remediate

# Another distribution's metadata is all that makes a command of it: without any, only the product's own are left.
WITHOUT = "import importlib.metadata\nimportlib.metadata.entry_points = lambda **_: importlib.metadata.EntryPoints()\n"


@pytest.mark.parametrize("command", ["lab up --state", "lab --help", "demo"])
def test_without_the_lab_its_commands_say_how_to_get_it(tmp_path: Path, command: str) -> None:
    """One line, and no lab that has half started."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    line = command.split()
    arguments = [*line, tmp_path / "lab"] if line[-1] == "--state" else line
    done = remediate(*arguments, expect=1, PYTHONPATH=str(tmp_path))
    assert done.stdout == "" and done.stderr.count("\n") == 1
    assert "pip install ./lab" in done.stderr and "in a checkout" in done.stderr
    assert not (tmp_path / "lab").exists()


def test_without_the_lab_its_commands_are_not_listed(tmp_path: Path) -> None:
    """The others are."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    listed = remediate("--help", expect=0, PYTHONPATH=str(tmp_path)).stdout.partition("Commands:")[2]
    assert "  audit " in listed and "  lab " not in listed and "  demo " not in listed


def test_no_other_distribution_takes_the_place_of_a_command(tmp_path: Path) -> None:
    """One that names a command of the product is not loaded, and the command is listed once."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "m.entry_points = lambda **_: m.EntryPoints([m.EntryPoint('explain', 'antigravity:x', 'remediate.commands')])\n"
    )
    assert "RM001" in remediate("explain", "RM001", expect=0, PYTHONPATH=str(tmp_path)).stdout
    listed = remediate("--help", expect=0, PYTHONPATH=str(tmp_path)).stdout
    assert listed.count("  explain ") == 1


def test_nothing_that_we_say_names_the_strangers_package() -> None:
    """In no message, help text or document."""
    root = Path(__file__).parents[2]
    files = [*(root / "remediate").rglob("*.py"), *(root / "docs").rglob("*.md"), root / "README.md"]
    files += [*(root / "lab").rglob("*.py")]
    files += [path for path in (root / "playbooks").rglob("*") if path.suffix in (".py", ".yml", ".md", ".ps1")]
    assert not [
        path for path in files if "pip install remediate" in (text := path.read_text()) or "'remediate[" in text
    ]
