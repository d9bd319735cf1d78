"""The options that people type for Ansible (-e, -u, -k, -c, ...), and what ansible.cfg says in their place.

Ansible's own parser reads them into Ansible's own global context, where the inventory, the variables and the
connection plugins look: by its rules, not by a copy of them.
"""

import os
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible import constants as C
from ansible import context
from ansible._internal._yaml._dumper import AnsibleDumper
from ansible.cli import CLI
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.parsing.dataloader import DataLoader
from ansible.template import is_trusted_as_template
from ansible.utils.context_objects import CLIArgs
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from remediate.inspect.ansible_words import place, reason
from remediate.model import Inventory, RemediateError

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
    command = ["ansible-playbook", *arguments_of(inventory), "playbook.yml"]
    command[1:1] = [f"--inventory={source}" for source in inventory.sources]
    if inventory.ask_pass:
        command[1:1] = ["--ask-pass"]
    elif inventory.password_file is not None:
        command[1:1] = [f"--connection-password-file={inventory.password_file}"]
    command[1:1] = [f"--extra-vars={option}" for option in inventory.extra_vars]
    PlaybookCLI(command).parse()
    # Standard output is our own report's, whatever `verbosity` says.
    Display().verbosity = 0
    # The plays run without become: no password is needed for it.
    context.CLIARGS = _changed(become_ask_pass=False, become_password_file=None)


def configured_sources() -> tuple[str, ...]:
    """The inventories of ansible.cfg or ANSIBLE_INVENTORY, or Ansible's default where that is there; else none."""
    _, origin = C.config.get_config_value_and_origin("DEFAULT_HOST_LIST")
    sources = tuple(map(str, C.DEFAULT_HOST_LIST))
    return () if origin == "default" and not all(Path(source).exists() for source in sources) else sources


def read_password() -> str | None:
    """The connection's password of -k or a file, asked for or read now; None where neither is wanted."""
    if context.CLIARGS["ask_pass"]:
        check_terminal("-k", "--connection-password-file")
    try:
        password, _ = CLI.ask_passwords()
    except AnsibleError as error:
        raise RemediateError(f"the connection's password: {reason(error)}") from error
    return None if password is None else str(password)


def check_terminal(option: str, instead: str) -> None:
    """WrongOption where nobody can be asked: Python would warn, and read what is no answer."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        if not sys.stdin.isatty():
            raise WrongOption(f"{option}: there is no terminal to ask on; give {instead}") from None


def read_extra_vars(loader: DataLoader) -> dict[str, Any]:
    """All of -e, merged.

    WrongOption names the option that was typed wrongly, RemediateError the file that cannot be read; neither shows
    anything of what it holds.
    """
    options = context.CLIARGS["extra_vars"]
    try:
        found: dict[str, Any] = load_extra_vars(loader)
    except Exception as error:  # of whatever kind: a parser's may quote what it read
        raise _culprit(loader, options) from error
    if "_raw_params" in found:
        for number, option in enumerate(options, 1):
            if "=" not in option:
                raise WrongOption(f"{_named(option, number, len(options))}: {_WRITE}")
        raise WrongOption("-e: Ansible takes nothing after a space: write NAME='THE VALUE', or a mapping in JSON")
    for name in found:
        if name.startswith("remediate_") and name not in SETTABLE:
            how = f"use {_BY_OPTION[name]}" if name in _BY_OPTION else "a plan or a run sets it itself"
            raise WrongOption(f"-e {name}: cannot be set on the command line: {how}")
    return found


def as_yaml(variables: dict[str, Any]) -> str:
    """For ``-e``: what was a template still is one, what was not never becomes one, vaulted values stay so."""
    text: str = yaml.dump(variables, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=1_000_000)
    return text


class _Dumper(AnsibleDumper):  # type: ignore[misc]  # ansible ships no types
    def represent_data(self, data: Any) -> Any:
        if not isinstance(data, str):
            return super().represent_data(data)
        if (vaulted := self.get_node_from_ciphertext(data)) is not None:
            return vaulted
        if "{" in data and not is_trusted_as_template(data):
            return self.represent_scalar("!unsafe", str(data), style='"')
        return self.represent_str(str(data))


def _culprit(loader: DataLoader, options: tuple[str, ...]) -> RemediateError:
    for number, option in enumerate(options, 1):
        context.CLIARGS = _changed(extra_vars=(option,))
        load_extra_vars.extra_vars = None
        try:
            load_extra_vars(loader)
        except Exception as error:  # noqa: BLE001  # of whatever kind: a parser's may quote what it read
            kind = RemediateError if option.startswith("@") else WrongOption
            return kind(f"{_named(option, number, len(options))}: {_what(option, error)}")
    return RemediateError("-e: cannot be read")


def _named(option: str, number: int, of: int) -> str:
    if option.startswith("@"):
        return f"-e {option}"
    return f"-e (the one at place {number} of {of})" if of > 1 else "-e"


def _what(option: str, error: BaseException) -> str:
    if option.startswith("@"):
        if isinstance(error, AnsibleFileNotFound):
            return "there is no such file"
        if isinstance(error, OSError | AnsibleError) and isinstance(cause := error.__cause__ or error, OSError):
            return f"cannot be read: {cause.strerror}"
        said = reason(error)
        if said.startswith("it is encrypted"):
            return said
        where = place(error)
        return f"is not a mapping in YAML or JSON{f' (see {where})' if where else ''}"
    if option.startswith(("/", ".")):
        return "write a file as -e @FILE"
    return _WRITE


def _changed(**values: Any) -> CLIArgs:
    return CLIArgs(dict(context.CLIARGS) | values)
