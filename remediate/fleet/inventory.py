"""The inventory, read by Ansible itself: the hosts inspected are the hosts that a playbook reaches."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from remediate.bugs import bug
from remediate.errors import RemediateError
from remediate.fleet.ansible_internals import (
    AnsibleError,
    as_yaml,
    connection_name,
    host_variables,
    hosts_by_name,
    init_plugins,
    limit_hosts,
    make_loader,
    manage_variables,
    open_vaults,
    option,
    setting,
)
from remediate.fleet.ansible_words import place, reason
from remediate.fleet.connections import why_not_windows
from remediate.fleet.given import (
    WrongOption,
    arguments_of,
    check_terminal,
    read_extra_vars,
    read_password,
    set_context,
)
from remediate.fleet.readable import check_readable
from remediate.fleet.run_checks import check_common, check_psrp, check_shell, check_winrm, short_shell
from remediate.fleet.shown import Secrets, secrets_of, without_account
from remediate.fleet.sources import hushed, parse_sources, programs_unheard
from remediate.fleet.variables import Variables, WrongVariable, ask_plugin, ask_winrm, endpoint_of
from remediate.playbook.handover import Given
from remediate.values.fleet import Failed, Inventory, Skipped

# On the package index the name `remediate` is somebody else's: the extra is a checkout's.
_GET_PYPSRP = "run `pip install '.[psrp]'` in a checkout of remediate"
_HOST_VARS = ("remediate_fix",)


@dataclass(frozen=True)
class WinrmHost:
    """A host, and how to reach it. ``kwargs`` are those of ``winrm.protocol.Protocol`` and hold the password:
    they are never shown."""

    host: str
    endpoint: str
    transports: tuple[str, ...]
    kwargs: dict[str, Any] = field(repr=False)
    vars: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AnsibleHost:
    """A Windows host that only Ansible reaches: by psrp, ssh or another connection plugin."""

    host: str
    vars: dict[str, str] = field(default_factory=dict)


def _unheard(_text: str) -> None:
    """Nobody listens."""


Target = WinrmHost | AnsibleHost | Failed | Skipped


@dataclass(frozen=True)
class Fleet:
    """``targets`` are the hosts that match the limit, sorted by name; ``names`` those of the whole inventory.

    A host with a wrong or missing variable is a Failed, a host that is not Windows a Skipped. ``secrets`` are, by host,
    what must not be shown of it. The rest is what an ansible-playbook needs to reach the same hosts.
    """

    names: frozenset[str]
    targets: tuple[Target, ...]
    sources: tuple[str, ...]
    given: Given
    collections: tuple[str, ...]
    secrets: dict[str, Secrets] = field(repr=False)


def read_inventory(
    inventory: Inventory, reading: Callable[[str], None] = _unheard, warn: Callable[[str], None] = _unheard
) -> Fleet:
    """Read it with Ansible. RemediateError where there is no inventory, or it holds no such host.

    ``reading`` is called with the name of each host before its variables are resolved: a lookup may wait for long.
    ``warn`` is called with what Ansible warns of, in our words.
    """
    for source in inventory.sources:
        _check_source(source)
    check_readable(inventory)
    try:
        with programs_unheard(), hushed(warn, inventory.limit or ""):
            return _read(inventory, reading)
    finally:
        # Ansible would remove it at its end, which a hanging server must not hold up (see cli/main.py).
        shutil.rmtree(str(setting("DEFAULT_LOCAL_TMP")), ignore_errors=True)


def _check_source(source: str) -> None:
    """RemediateError where nothing is there, or where Ansible would read something else than what is there."""
    if "://" in source:
        raise RemediateError(f"inventory {without_account(source)!r}: is a URL; give -i a path, or a list of hosts")
    there = bool(source) and Path(source).exists()
    if not there and "," not in source:
        raise RemediateError(f"inventory {source!r}: there is no such file or folder; give -i a path")
    if there and "," in source:
        what = "Ansible reads a comma in it as a list of hosts"
        raise RemediateError(f"inventory {source!r}: {what}; give -i a path without a comma")
    if there and os.path.expandvars(source) != source:
        what = "Ansible reads a $NAME in it as an environment variable"
        raise RemediateError(f"inventory {source!r}: {what}; give -i another path")


def _read(inventory: Inventory, reading: Callable[[str], None]) -> Fleet:
    where = without_account(", ".join(inventory.sources))
    init_plugins()
    set_context(inventory)
    password = read_password()
    loader = make_loader()
    try:
        # With those of ansible.cfg and the environment, as ansible-playbook has them.
        vault_ids = [*setting("DEFAULT_VAULT_IDENTITY_LIST"), *inventory.vault_ids]
        ask = inventory.ask_vault or setting("DEFAULT_ASK_VAULT_PASS")
        if ask:
            check_terminal("--ask-vault-pass", "--vault-password-file")
        vaults = open_vaults(loader, vault_ids, ask)
        extra_vars = read_extra_vars(loader)
        manager = parse_sources(loader, inventory.sources)
        variables = manage_variables(loader, manager)
        names = frozenset(hosts_by_name(manager))
        if inventory.limit is not None:
            _check_limit(inventory.limit, limit_hosts(manager, inventory.limit))
        hosts = hosts_by_name(manager)
    except RemediateError:
        raise
    except (Exception, SystemExit) as error:  # Ansible's plugins fail with whatever they like
        raise RemediateError(f"inventory {place(error) or where}: {reason(error)}") from error
    if not hosts:
        wanted = f" matches {inventory.limit!r}" if inventory.limit else ""
        raise RemediateError(f"inventory {where}: no host{wanted}; see `ansible-inventory --graph`")
    targets: list[Target] = []
    hidden: dict[str, Secrets] = {}
    for name, host in sorted(hosts.items()):
        reading(name)
        target, known = _target(name, host, loader, variables, password)
        targets.append(target)
        hidden[name] = secrets_of(known | {"password": password})
    return Fleet(
        names=names,
        targets=tuple(targets),
        sources=inventory.sources,
        given=Given(
            arguments=arguments_of(inventory),
            vaults=vaults,
            password=password,
            extra_vars=as_yaml(extra_vars) if extra_vars else None,
        ),
        collections=tuple(map(str, setting("COLLECTIONS_PATHS"))),
        secrets=hidden,
    )


def _check_limit(limit: str, parts: Iterable[str]) -> None:
    """WrongOption where Ansible finds no pattern in it, or an empty one: that would be every host."""
    patterns = [part.strip().lstrip("!&") for part in parts if part.strip()]
    if not patterns or {"", "~"}.intersection(patterns):
        why = "a '[' in it has no ']'" if limit.count("[") > limit.count("]") else "there is no pattern in it"
        raise WrongOption(f"-l {limit!r}: {why}, and it would mean every host")


@cache
def _has_pypsrp() -> bool:
    try:
        import_module("pypsrp")
    except ImportError:
        return False
    return True


def _target(name: str, host: Any, loader: Any, manager: Any, password: str | None) -> tuple[Target, dict[str, Any]]:
    """The host, and the variables that were asked for on the way."""
    variables = Variables({}, loader)
    try:
        variables = Variables(host_variables(manager, host), loader)
        return _reached(name, variables, password), variables.known
    except WrongVariable as error:
        return Failed(name, f"its variables: {error}"), variables.known
    except (AnsibleError, SystemExit) as error:
        said = ": ".join(filter(None, ("its variables", place(error), reason(error))))
        return Failed(name, said), variables.known
    except Exception as error:  # noqa: BLE001  # of whatever kind: one host's trouble never ends the others
        return bug(name, error, "reading its variables"), variables.known


def _reached(name: str, variables: Variables, password: str | None) -> Target:
    named = variables.text("ansible_connection", option("connection"))
    kind = connection_name(named)
    if kind is None:
        return Failed(name, f"its variables: ansible_connection: there is no connection plugin {named!r}")
    if kind not in ("winrm", "psrp") and short_shell(variables) not in ("powershell", "cmd"):
        return Skipped(name, why_not_windows(kind, "ansible_connection" in variables))
    common: dict[str, Any] = {
        "host": name,
        "vars": {key: variables.text(key) for key in _HOST_VARS if key in variables},
    }
    check_common(variables)
    if kind == "winrm":
        plugin, settings = ask_winrm(variables, password)
        endpoint = endpoint_of(settings)
        check_shell(plugin, variables)
        check_winrm(plugin, variables, settings, endpoint)
        return WinrmHost(**common, endpoint=endpoint, transports=settings.transports, kwargs=settings.kwargs)
    if kind in ("psrp", "ssh"):
        plugin = ask_plugin(kind, variables, password)
        check_shell(plugin, variables)
        if kind == "psrp":
            check_psrp(plugin)
    if kind == "psrp" and not _has_pypsrp():
        return Failed(name, f"ansible_connection is psrp, and pypsrp is not installed: {_GET_PYPSRP}")
    return AnsibleHost(**common)
