"""Which releases of ansible-core can be used, and which names of its Python code are.

That code is no public API. A name that a new release lacks must end a command before anything is read or sent: it must
not change what a host is reached with. ansible_internals.py uses the names, and checks them with this file.
"""

from collections.abc import Iterable
from pkgutil import resolve_name
from typing import Any, Literal, get_args

from packaging.specifiers import SpecifierSet

from remediate.errors import RemediateError

# As in pyproject.toml. The upper bound is the first minor release that was not tried: the names may change in any.
SUPPORTED = ">=2.19,<2.23"
_INSTALL = f"run `pip install 'ansible-core{SUPPORTED}'`"

# Settings of ansible.cfg and the environment that are read, by their names in ansible.constants.
Setting = Literal["COLLECTIONS_PATHS", "DEFAULT_ASK_VAULT_PASS", "DEFAULT_HOST_LIST", "DEFAULT_LOCAL_TMP",
                  "DEFAULT_TRANSPORT", "DEFAULT_VAULT_IDENTITY_LIST"]  # fmt: skip
# What is used of each, beside what is imported.
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "ansible.constants": (
        *get_args(Setting), "INVENTORY_ANY_UNPARSED_IS_FAILED", "MAGIC_VARIABLE_MAPPING", "PLAYBOOK_VARS_ROOT",
    ),
    "ansible.constants.config": ("get_config_value_and_origin", "get_plugin_vars"),
    "ansible.context": ("CLIARGS",),
    "ansible._internal._yaml._dumper.AnsibleDumper": (
        "get_node_from_ciphertext", "represent_data", "represent_scalar", "represent_str",
    ),
    "ansible.cli.CLI": ("ask_passwords", "setup_vault_secrets"),
    "ansible.cli.playbook.PlaybookCLI": ("_play_prereqs", "ask_passwords", "cli_executor", "parse"),
    "ansible.errors.AnsibleError": ("_formatted_source_context",),
    "ansible.inventory.manager.InventoryManager": ("get_hosts", "subset"),
    "ansible.parsing.dataloader.DataLoader": ("set_basedir", "set_vault_secrets"),
    "ansible.playbook.Playbook": ("load",),
    "ansible.playbook.play_context.PlayContext": ("fattributes",),
    "ansible.plugins.connection.winrm": ("HAVE_KERBEROS",),
    "ansible.plugins.connection.winrm.Connection": (
        "_build_winrm_kwargs", "get_option", "option_definitions", "set_options",
    ),
    "ansible.plugins.loader.connection_loader": ("find_plugin_with_context", "get"),
    "ansible.template.Templar": ("template",),
    "ansible.utils.display.Display": ("display", "error_as_warning"),
    "ansible.vars.manager.VariableManager": ("get_vars",),
}  # fmt: skip


def unsupported(why: str) -> RemediateError:
    """To be raised where ansible-core is another than is known here."""
    return RemediateError(f"ansible-core {VERSION} cannot be used: {why}; {SUPPORTED} is supported: {_INSTALL}")


def check_attributes(owner: Any, name: str, attributes: Iterable[str]) -> None:
    """RemediateError for the first that is missing; ``name`` is what the owner is called in it."""
    for attribute in attributes:
        if not hasattr(owner, attribute):
            raise unsupported(f"it has no {name}.{attribute}")


def check_names() -> None:
    """RemediateError for the first name that is missing. Imports all that is used of Ansible."""
    for name, attributes in _ATTRIBUTES.items():
        try:
            owner = resolve_name(name)
        except (ImportError, AttributeError) as error:
            raise unsupported(f"it has no {name}") from error
        check_attributes(owner, name, attributes)


def _installed() -> str:
    try:
        return str(resolve_name("ansible.release:__version__"))
    except (ImportError, AttributeError) as error:
        raise RemediateError(f"ansible-core is not installed for this Python: {_INSTALL}") from error


VERSION = _installed()
if not SpecifierSet(SUPPORTED).contains(VERSION, prereleases=True):
    raise unsupported("remediate was not tried with this release")
# The numbers of the major and the minor release.
RELEASE = tuple(int(part) for part in VERSION.split(".")[:2])
