"""Inventory sources -> Ansible's inventory, whole or not at all; and nothing of Ansible's own output on the way."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

from remediate.errors import RemediateError
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
    display: Any = Display()
    said: set[str] = set()

    def hear(msg: str, *_: Any, **__: Any) -> None:
        words = warning(msg, limit)
        if words is not None and words not in said:
            said.add(words)
            warn(words)

    shown, display.display = display.display, hear  # the one through which all others print
    try:
        yield
    finally:
        display.display = shown


def parse_sources(loader: DataLoader, sources: tuple[str, ...]) -> InventoryManager:
    """RemediateError where a source, or a file in a folder of them, cannot be read: Ansible would warn, and go on
    without its hosts."""
    C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
    display: Any = Display()
    failures: list[tuple[str, BaseException]] = []

    def keep(msg: str | None, exception: BaseException, **_: Any) -> None:
        if msg and msg.startswith("Failed to parse inventory with '"):
            failures.append((msg.split("'")[1], exception))

    shown, display.error_as_warning = display.error_as_warning, keep
    try:
        return InventoryManager(loader=loader, sources=list(sources))
    except (Exception, SystemExit) as error:  # a plugin fails with whatever it likes
        source = Path(str(error).rpartition("inventory source ")[2])
        if source.is_symlink() and not source.exists():
            raise RemediateError(f"inventory {source}: points to {source.readlink()}, which is not there") from error
        if not isinstance(error, AnsibleError) or not failures:
            raise RemediateError(f"inventory {place(error) or ', '.join(sources)}: {reason(error)}") from error
        told = _fitting(source, failures)
        raise RemediateError(f"inventory {place(told) or source}: {reason(told)}") from error
    finally:
        display.error_as_warning = shown


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
