"""What makes a simulated server before it has an address, and such recipes from configuration files at hand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from remediate.bounded import Unreadable, read_file
from remediate.errors import RemediateError

_MOST_BYTES = 64 * 2**20
_APPLICATION_HOST = "applicationhost.config"
# They lie beside it on a server, and are no configuration of pools.
_OTHERS = ("administration.config", "redirection.config")
# Ansible's names and the inventory's groups: a host that is called like one would be mistaken for it.
_RESERVED = re.compile("all|ungrouped|localhost|iis[0-9]*", re.IGNORECASE)


@dataclass(frozen=True)
class Recipe:
    """A server: its name, its configuration (None: no IIS), its knobs, and the shared folder that it reads instead.

    Servers of one ``share`` have the same configuration, which lies there once.
    """

    name: str
    config: bytes | None
    knobs: Mapping[str, str | tuple[str, ...]]
    share: str | None = None


def from_configs(folder: Path, count: int | None) -> list[Recipe]:
    """A server for each ``*.config`` file below the folder, or ``count`` servers that take them in turn."""
    files = sorted(path for path in folder.rglob("*") if _is_config(path))
    if not files:
        raise RemediateError(f"{folder}: no *.config file is in that folder or below it")
    used: set[str] = set()
    return [_recipe(file, used) for file in islice(cycle(files), count or len(files))]


def _is_config(path: Path) -> bool:
    return path.suffix.lower() == ".config" and path.name.lower() not in _OTHERS and path.is_file()


def _recipe(file: Path, used: set[str]) -> Recipe:
    file = file.absolute()
    base = _legal(file.parent.name if file.name.lower() == _APPLICATION_HOST else file.stem)
    name, number = base, 1
    while name.lower() in used:
        number += 1
        name = f"{base}-{number}"
    used.add(name.lower())
    try:
        config = read_file(file, _MOST_BYTES)
    except OSError as error:
        raise RemediateError(f"{file}: cannot be read: {error.strerror}") from error
    except Unreadable as error:
        raise RemediateError(f"{file}: {error}") from error
    who = {"computer": name.upper(), "domain": "lab.example", "windows_version": "10.0.17763", "iis_version": "10.0"}
    return Recipe(name, config, who)


def _legal(name: str) -> str:
    """A host's name for an inventory: without what a pattern, a range or a port could be."""
    plain = re.sub("[^A-Za-z0-9._-]+", "-", name).strip("-._") or "server"
    return f"host-{plain}" if _RESERVED.fullmatch(plain) else plain
