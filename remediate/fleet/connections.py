"""Which connection plugin a host has, whatever way its name is written.

Ansible takes a plugin's short name and any fully qualified one (ansible.builtin.winrm, ansible.legacy.winrm).
"""

from functools import cache

from ansible import constants as C
from ansible import context
from ansible.plugins.loader import connection_loader


@cache
def short_name(name: str) -> str | None:
    """The plugin's short name where it is Ansible's own, the full name of another; None where there is none."""
    found = connection_loader.find_plugin_with_context(name)
    return str(found.resolved_fqcn).removeprefix("ansible.builtin.") if found.resolved else None


def why_not_windows(kind: str, named: bool) -> str:
    """Why a host of this kind is skipped; ``named``: by its variable ansible_connection, not by a default."""
    if named:
        return f"not a Windows host (ansible_connection is {kind})"
    if context.CLIARGS["connection"] != C.DEFAULT_TRANSPORT:
        return f"not a Windows host (ansible_connection is not set, and --connection is {kind})"
    _, origin = C.config.get_config_value_and_origin("DEFAULT_TRANSPORT")
    whose = "Ansible's default" if origin == "default" else "the default that is configured"
    return f"ansible_connection is not set ({whose} is {kind}): for a Windows host write `ansible_connection: winrm`"
