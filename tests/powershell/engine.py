"""What the tests ask of a real PowerShell engine: the syntax tree of a script, and the members of a type."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import ansible

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLUGINS = ROOT / "playbooks" / "collections" / "ansible_collections" / "remediate" / "iis" / "plugins"
INSPECT = ROOT / "remediate" / "fleet" / "scripts" / "inspect.ps1"
STOP = INSPECT.with_name("stop.ps1")
# Metadata of what Windows PowerShell has; its README says where it is from.
WINDOWS_POWERSHELL = ROOT.parent / "shared" / "windows-powershell"

# The public API of the real Microsoft.Web.Administration, as far as the scripts need it.
STAND_IN = ROOT / "lab" / "remediate_lab" / "windows"

# A node of a syntax tree: its kind, its place, and the parser's own properties by name (see Facts.cs).
Node = dict[str, Any]


class Engine:
    """One process of the engine, asked in turn."""

    def __init__(self, pwsh: Path, assemblies: Path | None = None) -> None:
        command = f"& '{HERE / 'facts.ps1'}'"
        if assemblies:
            basic = Path(ansible.__file__).parent / "module_utils" / "csharp" / "Ansible.Basic.cs"
            command += (
                f" -Assemblies {_list(assemblies.rglob('*.dll'))} -Sources {_list([*STAND_IN.glob('*.cs'), basic])}"
            )
        self._process = subprocess.Popen(
            [pwsh, "-NoProfile", "-NonInteractive", "-Command", command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.members = cache(self._members)

    def tree(self, text: str) -> Node:
        """The root of the tree; a script that the parser refuses is a failure."""
        answer = self._ask({"tree": text})
        assert not answer["errors"], answer["errors"]
        root: Node = answer["root"]
        return root

    def _members(self, name: str) -> Node | None:
        """What Facts.cs says of a type, or None where those assemblies have no such type."""
        answer: Node | None = self._ask({"members": name})
        return answer

    def _ask(self, question: dict[str, str]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=600)


def _list(files: Iterable[Path]) -> str:
    return "@(" + ",".join(f"'{file}'" for file in sorted(files)) + ")"


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """The nodes just below, each with the property that holds it."""
    for name, value in node.items():
        for below in _nodes(value):
            yield name, below


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def walk(node: Node, above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Every node with those above it, the nearest last."""
    yield node, above
    for _, below in children(node):
        yield from walk(below, (*above, node))


def shipped() -> dict[str, Path]:
    """Every PowerShell file that runs on a server, by the name that the tests call it."""
    files = [*PLUGINS.rglob("*.psm1"), *PLUGINS.rglob("*.ps1"), INSPECT, STOP]
    return {file.name: file for file in sorted(files)}
