"""Which hosts `-l` asks for that the inventory does not have: Ansible's patterns choose among those that it has."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from remediate.fleet.ansible_internals import split_patterns


def asked_for(limit: str | None, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that the pattern asks for, by name, glob or regular expression. A group holds none of them."""
    parts = [] if limit is None else [part for given in split_patterns(limit) for part in _read(given)]
    wanted = [part for part in parts if not part.startswith(("!", "&"))] or ["all"]
    without = [part[1:] for part in parts if part.startswith("!")]
    within = [part[1:] for part in parts if part.startswith("&")]
    return frozenset(
        name
        for name in names
        if any(_matches(name, part) for part in wanted)
        and not any(_matches(name, part) for part in without)
        and all(_matches(name, part) for part in within)
    )


def _read(part: str) -> list[str]:
    """The part; or the lines of the file that it names. One that cannot be read was an error of the inventory's."""
    try:
        return Path(part[1:]).read_text(encoding="utf-8").split() if part.startswith("@") else [part]
    except (OSError, UnicodeDecodeError):
        return []


def _matches(name: str, part: str) -> bool:
    if part.startswith("~"):
        return re.match(part[1:], name) is not None
    return part == "all" or fnmatchcase(name, part)
