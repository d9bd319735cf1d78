"""The options that people type for Ansible (-e, -u, -k, -c, ...), and what ansible.cfg says in their place.

Ansible's own parser reads them into Ansible's own global context, where the inventory, the variables and the
connection plugins look: by its rules, not by a copy of them.
"""

import os
import sys
from pathlib import Path
from typing import Any

from remediate.errors import RemediateError
from remediate.fleet.ansible_internals import (
    AnsibleError,
    AnsibleFileNotFound,
    ask_password,
    extra_variables,
    is_default,
    option,
    parse_options,
    setting,
    try_extra_variables,
)
from remediate.fleet.ansible_words import place, reason
from remediate.values.fleet import Inventory

# Variables of ours that a user may set; every other one is the plan's or the run's own.
SETTABLE = frozenset({"remediate_fix", "remediate_pools_per_commit", "remediate_pause", "remediate_lock_seconds",
                      "remediate_task_timeout"})  # fmt: skip
_WRITE = "write NAME=VALUE, a mapping in JSON or YAML, or @FILE"
_BY_OPTION = {"remediate_batches": "--batches", "remediate_max_failures": "--max-failures"}


class WrongOption(RemediateError):
    """An option that cannot be taken as it was typed."""


def arguments_of(inventory: Inventory) -> tuple[str, ...]:
    """What holds no secret, as ansible-playbook takes it."""
    pairs = (
        ("--user", inventory.user), ("--connection", inventory.connection), ("--private-key", inventory.private_key),
    )  # fmt: skip
    return tuple(f"{option}={value}" for option, value in pairs if value is not None)


def set_context(inventory: Inventory) -> None:
    """Ansible's global context, as ansible-playbook has it with these options; nobody is asked yet."""
    arguments = [f"--extra-vars={value}" for value in inventory.extra_vars]
    if inventory.ask_pass:
        arguments.append("--ask-pass")
    elif inventory.password_file is not None:
        arguments.append(f"--connection-password-file={inventory.password_file}")
    arguments += [f"--inventory={source}" for source in inventory.sources]
    parse_options([*arguments, *arguments_of(inventory)])


def configured_sources() -> tuple[str, ...]:
    """The inventories of ansible.cfg or ANSIBLE_INVENTORY, or Ansible's default where that is there; else none."""
    sources = tuple(map(str, setting("DEFAULT_HOST_LIST")))
    return () if is_default("DEFAULT_HOST_LIST") and not all(Path(source).exists() for source in sources) else sources


def read_password() -> str | None:
    """The connection's password of -k or a file, asked for or read now; None where neither is wanted."""
    if option("ask_pass"):
        check_terminal("-k", "--connection-password-file")
    try:
        return ask_password()
    except AnsibleError as error:
        raise RemediateError(f"the connection's password: {reason(error)}") from error


def check_terminal(asking: str, instead: str) -> None:
    """WrongOption where nobody can be asked: Python would warn, and read what is no answer."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        if not sys.stdin.isatty():
            raise WrongOption(f"{asking}: there is no terminal to ask on; give {instead}") from None


def read_extra_vars(loader: Any) -> dict[str, Any]:
    """All of -e, merged.

    WrongOption names the option that was typed wrongly, RemediateError the file that cannot be read; neither shows
    anything of what it holds.
    """
    values = option("extra_vars")
    try:
        found = extra_variables(loader)
    except Exception as error:  # of whatever kind: a parser's may quote what it read
        raise _culprit(loader, values) from error
    if "_raw_params" in found:
        for number, value in enumerate(values, 1):
            if "=" not in value:
                raise WrongOption(f"{_named(value, number, len(values))}: {_WRITE}")
        raise WrongOption("-e: Ansible takes nothing after a space: write NAME='THE VALUE', or a mapping in JSON")
    for name in found:
        if name.startswith("remediate_") and name not in SETTABLE:
            how = f"use {_BY_OPTION[name]}" if name in _BY_OPTION else "a plan or a run sets it itself"
            raise WrongOption(f"-e {name}: cannot be set on the command line: {how}")
    return found


def _culprit(loader: Any, values: tuple[str, ...]) -> RemediateError:
    for number, value in enumerate(values, 1):
        try:
            try_extra_variables(loader, value)
        except Exception as error:  # noqa: BLE001  # of whatever kind: a parser's may quote what it read
            kind = RemediateError if value.startswith("@") else WrongOption
            return kind(f"{_named(value, number, len(values))}: {_what(value, error)}")
    return RemediateError("-e: cannot be read")


def _named(value: str, number: int, of: int) -> str:
    if value.startswith("@"):
        return f"-e {value}"
    return f"-e (the one at place {number} of {of})" if of > 1 else "-e"


def _what(value: str, error: BaseException) -> str:
    if value.startswith("@"):
        if isinstance(error, AnsibleFileNotFound):
            return "there is no such file"
        if isinstance(error, OSError | AnsibleError) and isinstance(cause := error.__cause__ or error, OSError):
            return f"cannot be read: {cause.strerror}"
        said = reason(error)
        if said.startswith("it is encrypted"):
            return said
        where = place(error)
        return f"is not a mapping in YAML or JSON{f' (see {where})' if where else ''}"
    if value.startswith(("/", ".")):
        return "write a file as -e @FILE"
    return _WRITE
