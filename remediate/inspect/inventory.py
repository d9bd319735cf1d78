"""The inventory, read by Ansible itself: the hosts inspected are the hosts that a playbook reaches.

Connection variables are not mapped by hand: Ansible's own winrm plugin is asked what it would use. That uses
parts of ansible-core that are not a public API; this file is the only place that does, and the tests run it on
each supported release.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.cli import CLI
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

from remediate.iis.inspection import one_line
from remediate.model import Failed, Inventory, RemediateError, Skipped

_HOST_VARS = ("remediate_fix", "remediate_stig")


@dataclass(frozen=True)
class WinrmHost:
    """A host, and how to reach it. ``kwargs`` are those of ``winrm.protocol.Protocol`` and hold the password:
    they are never shown."""

    host: str
    endpoint: str
    transports: tuple[str, ...]
    kwargs: dict[str, Any] = field(repr=False)
    groups: tuple[str, ...] = ()
    vars: dict[str, str] = field(default_factory=dict)


Target = WinrmHost | Failed | Skipped


@dataclass(frozen=True)
class Fleet:
    """``targets`` are the hosts that match the limit, sorted by name; ``names`` those of the whole inventory.

    A host with a wrong or missing variable is a Failed, a host that is not Windows a Skipped.
    """

    names: frozenset[str]
    targets: tuple[Target, ...]


def read_inventory(inventory: Inventory) -> Fleet:
    """Read it with Ansible. RemediateError where there is no inventory, or it holds no such host."""
    where = ", ".join(inventory.sources)
    for source in inventory.sources:
        if "," not in source and not Path(source).exists():
            raise RemediateError(f"inventory {source!r}: there is no such file or folder; give -i a path")
    _init_plugins()
    try:
        loader = DataLoader()
        # With those of ansible.cfg and the environment, as ansible-playbook has them.
        vault_ids = [*C.DEFAULT_VAULT_IDENTITY_LIST, *inventory.vault_ids]
        loader.set_vault_secrets(
            CLI.setup_vault_secrets(loader, vault_ids, ask_vault_pass=inventory.ask_vault, auto_prompt=False)
        )
        # group_vars/ and host_vars/ count beside the inventory, as they will for the plan's playbook; those of the
        # folder that we happen to stand in do not.
        loader.set_basedir(os.devnull)
        manager = InventoryManager(loader=loader, sources=list(inventory.sources))
        variables = VariableManager(loader=loader, inventory=manager)
        names = frozenset(str(host.name) for host in manager.get_hosts())
        manager.subset(inventory.limit)
        hosts = manager.get_hosts()
    except AnsibleError as error:
        raise RemediateError(f"inventory {where}: {one_line(str(error))}") from error
    if not hosts:
        wanted = f" matches {inventory.limit!r}" if inventory.limit else ""
        raise RemediateError(f"inventory {where}: no host{wanted}; see `ansible-inventory --graph`")
    targets = (_target(host, loader, variables) for host in sorted(hosts, key=lambda h: str(h.name)))
    return Fleet(names, tuple(targets))


@cache
def _init_plugins() -> None:
    Display().verbosity = 0
    init_plugin_loader()


def _target(host: Any, loader: DataLoader, variables: VariableManager) -> Target:
    name = str(host.name)
    try:
        found = variables.get_vars(host=host, include_hostvars=True)
        templar = Templar(loader=loader, variables=found)
        kind = str(templar.template(found.get("ansible_connection", C.DEFAULT_TRANSPORT))).removeprefix(
            "ansible.builtin."
        )
        shell = templar.template(found.get("ansible_shell_type"))
        if kind != "winrm":
            if kind in ("psrp", "ansible.windows.psrp") or shell in ("powershell", "cmd"):
                return Failed(name, f"ansible_connection is {kind}: only winrm hosts can be inspected so far")
            return Skipped(name, f"not a Windows host (ansible_connection is {kind})")
        connection = _ask_plugin(found, templar)
        host_vars = {key: str(templar.template(found[key])) for key in _HOST_VARS if key in found}
    except (AnsibleError, ValueError, TypeError) as error:
        return Failed(name, one_line(f"its variables: {error}"))
    if not connection["kwargs"].get("username"):
        return Failed(name, "its variables: ansible_user is missing")
    if not connection["kwargs"].get("password") and connection["transports"] != ("kerberos",):
        return Failed(name, "its variables: ansible_password is missing")
    return WinrmHost(
        host=name,
        groups=tuple(sorted(str(g.name) for g in host.get_groups() if g.name != "all")),
        vars=host_vars,
        **connection,
    )


def _ask_plugin(variables: dict[str, Any], templar: Templar) -> dict[str, Any]:
    """What the winrm connection plugin would use, by the steps of Ansible's task executor."""
    plugin = connection_loader.get("winrm", PlayContext(), None)
    declared = C.config.get_plugin_vars("connection", plugin._load_name)
    options: dict[str, Any] = {key: templar.template(variables[key]) for key in declared if key in variables}
    options["_extras"] = {
        key: templar.template(value)
        for key, value in variables.items()
        if key.startswith("ansible_winrm_") and key not in options
    }
    plugin.set_options(var_options=options)
    plugin._build_winrm_kwargs()
    kwargs = {key: str(value) if isinstance(value, str) else value for key, value in plugin._winrm_kwargs.items()}
    address = str(plugin._winrm_host)
    if ":" in address and not address.startswith("["):
        address = f"[{address}]"
    return {
        "endpoint": f"{plugin._winrm_scheme}://{address}:{int(plugin._winrm_port)}{plugin._winrm_path}",
        "transports": tuple(str(t) for t in plugin._winrm_transport),
        "kwargs": kwargs,
    }
