"""What the package imports is declared by it, and is not only there because another package happens to need it."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def imported(folder: Path) -> set[str]:
    """The packages that the files below it import, wherever in them, by their first name."""
    nodes = [node for file in folder.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in named} - sys.stdlib_module_names - {"remediate", "ansible_collections"}


def test_each_imported_package_is_declared() -> None:
    """As a dependency, or in an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {Requirement(text).name.lower() for each in lists for text in each}
    distributions = packages_distributions()
    missing = {
        name
        for name in imported(ROOT / "remediate")
        if not declared & {distribution.lower() for distribution in distributions.get(name, [name])}
    }
    assert missing == set()
