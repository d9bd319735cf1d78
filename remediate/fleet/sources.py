"""Inventory sources -> Ansible's inventory, whole or not at all; and nothing of Ansible's own output on the way."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remediate.errors import RemediateError
from remediate.fleet.ansible_internals import AnsibleError, parse_inventory, printing
from remediate.fleet.ansible_words import place, reason, warning

# What the plugins for YAML say of a file that is the other one's.
_NOT_MINE = ("no root 'plugin' key found", "Plugin configuration YAML file, not YAML inventory")


@contextmanager
def programs_unheard() -> Iterator[None]:
    """What a lookup's command or a password script writes to standard error stays out of a pipeline's log. On a
    terminal it is shown: a person may be asked there."""
    if sys.stderr is None or sys.stderr.isatty():
        yield
        return
    ours, shown = os.dup(2), sys.stderr
    with Path(os.devnull).open("wb") as nowhere, os.fdopen(ours, "w", 1, "utf-8", "backslashreplace") as stderr:
        shown.flush()
        os.dup2(nowhere.fileno(), 2)
        sys.stderr = stderr
        try:
            yield
        finally:
            sys.stderr = shown
            os.dup2(ours, 2)


@contextmanager
def hushed(warn: Callable[[str], None], limit: str = "") -> Iterator[None]:
    """Ansible prints and logs nothing while it is open: its words quote what it reads. ``warn`` is given, in our
    words and each once, what it warns of and what changes the fleet. ``limit`` is what -l says."""
    said: set[str] = set()

    def hear(msg: str, *_: Any, **__: Any) -> None:
        words = warning(msg, limit)
        if words is not None and words not in said:
            said.add(words)
            warn(words)

    with printing(hear):
        yield


def parse_sources(loader: Any, sources: tuple[str, ...]) -> Any:
    """Ansible's inventory. RemediateError where a source, or a file in a folder of them, cannot be read."""
    failures: list[tuple[str, BaseException]] = []
    try:
        return parse_inventory(loader, sources, lambda plugin, error: failures.append((plugin, error)))
    except (Exception, SystemExit) as error:  # a plugin fails with whatever it likes
        source = Path(str(error).rpartition("inventory source ")[2])
        if source.is_symlink() and not source.exists():
            raise RemediateError(f"inventory {source}: points to {source.readlink()}, which is not there") from error
        if not isinstance(error, AnsibleError) or not failures:
            raise RemediateError(f"inventory {place(error) or ', '.join(sources)}: {reason(error)}") from error
        told = _fitting(source, failures)
        raise RemediateError(f"inventory {place(told) or source}: {reason(told)}") from error


def _fitting(source: Path, failures: list[tuple[str, BaseException]]) -> BaseException:
    """Of the plugins that tried the file, the error of the one that it is meant for."""
    by_plugin = {name: error for name, error in failures if not str(error).startswith(_NOT_MINE)}
    by_plugin = by_plugin or dict(failures)
    others = [error for name, error in by_plugin.items() if name not in ("auto", "yaml", "ini")]
    if others:  # a script, TOML, or a plugin that the user chose: it wants this file by its mode or name
        return others[0]
    order = ("ini", "yaml", "auto") if _is_ini(source) else ("auto", "yaml", "ini")
    return next(by_plugin[name] for name in order if name in by_plugin)


def _is_ini(source: Path) -> bool:
    """By the name's ending, else by the first line that says something."""
    if source.suffix.lower() in (".yml", ".yaml", ".json"):
        return False
    if source.suffix.lower() in (".ini", ".cfg"):
        return True
    try:
        with source.open(encoding="utf-8", errors="replace") as file:
            first = next((line.strip() for line in file if line.strip() and line.strip()[0] not in "#;"), "")
    except OSError:
        return False
    return not (first.startswith(("---", "{", "$ANSIBLE_VAULT")) or first.endswith(":"))
