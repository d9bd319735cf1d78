"""All that remediate uses of ansible-core's Python code. That code is no public API: no other file imports it.

Importing this file checks the release and its names (ansible_release.py). What only an object has is checked when it is
made. RemediateError names the release, what is missing, and the releases that are supported.

Ansible ships no types. A loader, an inventory, variables, a host and a plugin are Ansible's own objects here, of type
Any. Other files only hand them back to these functions, and ask a plugin for its options (`get_option`, `set_options`,
`option_definitions`).
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import yaml

from remediate.fleet.ansible_release import Setting, check_attributes, check_names, unsupported

try:
    from ansible import constants as C
    from ansible import context
    from ansible._internal._yaml._dumper import AnsibleDumper
    from ansible.cli import CLI
    from ansible.cli.playbook import PlaybookCLI
    from ansible.errors import AnsibleError, AnsibleFileNotFound, AnsibleValueOmittedError
    from ansible.inventory.manager import InventoryManager, split_host_pattern
    from ansible.module_utils.parsing.convert_bool import boolean
    from ansible.parsing.dataloader import DataLoader
    from ansible.playbook import Playbook
    from ansible.playbook.play_context import PlayContext
    from ansible.plugins.connection import winrm as winrm_plugin
    from ansible.plugins.loader import connection_loader, init_plugin_loader
    from ansible.template import Templar, is_trusted_as_template
    from ansible.utils.context_objects import CLIArgs
    from ansible.utils.display import Display
    from ansible.utils.vars import load_extra_vars
    from ansible.vars.hostvars import HostVars
    from ansible.vars.manager import VariableManager
except ImportError as error:
    raise unsupported(str(error).partition(" (")[0]) from error
check_names()

# What other files use as it is.
__all__ = ["AnsibleError", "AnsibleFileNotFound", "AnsibleValueOmittedError", "boolean"]


@cache
def init_plugins() -> None:
    """Let Ansible find its plugins. RemediateError where the plugin `winrm` is another than is known here."""
    Display().verbosity = 0
    init_plugin_loader()
    plugin = connection_plugin("winrm")
    try:
        plugin.set_options(var_options={"ansible_host": "localhost", "ansible_winrm_transport": "ntlm"})
        winrm_settings(plugin, {})
    except AttributeError as error:
        raise unsupported(f"its plugin winrm has no {error.name}") from error
    except (AnsibleError, UnknownTransport):
        pass  # a setting of ansible.cfg, which is shown with the hosts that it breaks


# What Ansible prints.


@contextmanager
def printing(show: Callable[..., None]) -> Iterator[None]:
    """While it is open, ``show(msg, ...)`` is called for all that Ansible would print or log."""
    with _replaced(Display(), "display", show):  # the one through which all others print
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def source_context(error: BaseException) -> str:
    """Where the error is, as Ansible shows it: `Origin: FILE:LINE:COLUMN` and some lines of the file; or nothing."""
    return str(getattr(error, "_formatted_source_context", None) or "")


def ini_line(error: BaseException) -> int | None:
    """The line of an inventory as INI. Ansible's reader of these files knows it, and leaves it out of its errors."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.endswith("plugins/inventory/ini.py") and frame.f_code.co_name == "_parse":
            lines, line = frame.f_locals.get("lines", ()), frame.f_locals.get("line")
            return next((number for number, text in enumerate(lines, 1) if text.strip() == line), None)
    return None


# Options and settings.


def parse_options(arguments: Sequence[str]) -> None:
    """Make Ansible's global context what ansible-playbook's is with these arguments. Nobody is asked."""
    PlaybookCLI(["ansible-playbook", *arguments, "playbook.yml"]).parse()
    # Standard output is our own report's, whatever `verbosity` says.
    Display().verbosity = 0
    # The plays run without become: no password is needed for it.
    _change_options(become_ask_pass=False, become_password_file=None)


def _change_options(**values: Any) -> None:
    context.CLIARGS = CLIArgs(dict(context.CLIARGS) | values)


def option(name: str) -> Any:
    """An option of ansible-playbook, after `parse_options`; KeyError where it has no such option."""
    return context.CLIARGS[name]


def setting(name: Setting) -> Any:
    """A setting as ansible.cfg, the environment or Ansible's default has it."""
    return getattr(C, name)


def is_default(name: Setting) -> bool:
    """Whether neither ansible.cfg nor the environment says it."""
    return bool(C.config.get_config_value_and_origin(name)[1] == "default")


def ask_password() -> str | None:
    """The connection's password, asked for or read from its file as the options say; None where they do not."""
    password, _ = CLI.ask_passwords()
    return None if password is None else str(password)


# The inventory and its variables.


def make_loader() -> Any:
    """Ansible's reader of files. Lookups and `playbook_dir` mean the current folder, as for `ansible` there."""
    return DataLoader()


def open_vaults(loader: Any, vault_ids: Sequence[str], ask: bool) -> tuple[tuple[str, bytes], ...]:
    """Give the loader the vault passwords, which are asked for or read; their labels and bytes."""
    secrets = CLI.setup_vault_secrets(loader, list(vault_ids), ask_vault_pass=ask, auto_prompt=False)
    loader.set_vault_secrets(secrets)
    return tuple((str(label), bytes(secret.bytes)) for label, secret in secrets)


def extra_variables(loader: Any) -> dict[str, Any]:
    """All of `-e`, merged."""
    found: dict[str, Any] = load_extra_vars(loader)
    return found


def try_extra_variables(loader: Any, option: str) -> None:
    """Read one value of `-e` alone, for the error that it gives."""
    _change_options(extra_vars=(option,))
    load_extra_vars.extra_vars = None  # it keeps what it has read
    load_extra_vars(loader)


def parse_inventory(loader: Any, sources: Sequence[str], failed: Callable[[str, BaseException], None]) -> Any:
    """The inventory. AnsibleError where a source cannot be parsed: Ansible would warn, and go on without its hosts.

    ``failed`` is called before with each plugin that tried the source, and its error.
    """

    def keep(msg: str | None, exception: BaseException, **_: Any) -> None:
        if msg and msg.startswith("Failed to parse inventory with '"):
            failed(msg.split("'")[1], exception)

    C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
    with _replaced(Display(), "error_as_warning", keep):
        return InventoryManager(loader=loader, sources=list(sources))


def hosts_by_name(inventory: Any) -> dict[str, Any]:
    """The hosts of the inventory, or those that `limit_hosts` left."""
    return {str(host.name): host for host in inventory.get_hosts()}


def limit_hosts(inventory: Any, limit: str) -> tuple[str, ...]:
    """Leave only the hosts that `-l` means, and give the patterns that Ansible finds in it, those of files too."""
    inventory.subset(limit)
    check_attributes(inventory, "ansible.inventory.manager.InventoryManager()", ["_subset"])
    return tuple(map(str, inventory._subset or ()))


def split_patterns(limit: str) -> list[str]:
    """The patterns that `-l` has."""
    return [str(part) for part in split_host_pattern(limit)]


def manage_variables(loader: Any, inventory: Any) -> Any:
    """The variables of the inventory's hosts."""
    variables = VariableManager(loader=loader, inventory=inventory)
    _ignore_current_folder(variables)
    HostVars(inventory, variables, loader)  # `hostvars`: it puts itself into the manager of variables
    return variables


def _ignore_current_folder(variables: Any) -> None:
    """group_vars/ and host_vars/ count beside the inventory, and not in the current folder."""
    check_attributes(variables, "ansible.vars.manager.VariableManager()", ["safe_basedir"])
    variables.safe_basedir = False


def host_variables(variables: Any, host: Any) -> dict[str, Any]:
    """As they are written: templates are not resolved."""
    found: dict[str, Any] = variables.get_vars(host=host, include_hostvars=True)
    return found


def templating(loader: Any, variables: Mapping[str, Any]) -> Callable[[Any], Any]:
    """What resolves the templates in a value. It raises AnsibleValueOmittedError for `omit`."""
    template: Callable[[Any], Any] = Templar(loader=loader, variables=variables).template
    return template


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


# Connection plugins.


@cache
def connection_name(name: str) -> str | None:
    """The plugin's short name where it is Ansible's own, the full name of another; None where there is none."""
    found = connection_loader.find_plugin_with_context(name)
    return str(found.resolved_fqcn).removeprefix("ansible.builtin.") if found.resolved else None


def connection_plugin(name: str) -> Any:
    """The plugin, with no options yet."""
    return connection_loader.get(name, PlayContext(), None)


def shell_plugin(connection: Any) -> Any:
    """The shell plugin that the connection has."""
    return connection._shell


def declared_variables(kind: Literal["connection", "shell"], plugin: Any) -> tuple[str, ...]:
    """The variables that the plugin's documentation declares."""
    return tuple(C.config.get_plugin_vars(kind, plugin._load_name))


def common_variables() -> Iterator[tuple[tuple[str, ...], str]]:
    """What Ansible reads for every connection: the names, of which the first that is set counts, and the type."""
    for attribute, names in C.MAGIC_VARIABLE_MAPPING.items():
        yield tuple(names), str(getattr(PlayContext.fattributes.get(attribute), "isa", ""))


@dataclass(frozen=True)
class WinrmSettings:
    """What the plugin `winrm` makes of a host's options. ``kwargs`` are those of pywinrm's Protocol.

    ``kinit`` is the command that a run gets its Kerberos ticket with; None where it gets none.
    """

    scheme: str
    host: str
    port: int
    path: str
    transports: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    kwargs: dict[str, Any] = field(repr=False)
    kinit: str | None


class UnknownTransport(Exception):
    """The plugin does not know ``transport``, but those in ``known``."""

    def __init__(self, transport: object, known: Iterable[str]) -> None:
        super().__init__(transport)
        self.transport, self.known = transport, sorted(known)


def winrm_settings(plugin: Any, extras: dict[str, Any]) -> WinrmSettings:
    """Of a plugin `winrm` that has its options. ``extras`` are variables for pywinrm, which it does not declare."""
    plugin._options["_extras"] = extras
    try:
        plugin._build_winrm_kwargs()
    except AnsibleError as error:
        known = plugin._winrm_supported_authtypes
        wrong = next((t for t in plugin._winrm_transport if t not in known), plugin._winrm_transport)
        raise UnknownTransport(wrong, known) from error
    transports = tuple(map(str, plugin._winrm_transport))
    gets_ticket = plugin._kerb_managed and (transports == ("kerberos",) or winrm_plugin.HAVE_KERBEROS)
    return WinrmSettings(
        scheme=str(plugin._winrm_scheme), host=str(plugin._winrm_host), port=int(plugin._winrm_port),
        path=str(plugin._winrm_path), transports=transports, user=str(plugin._winrm_user or ""),
        password=str(plugin._winrm_pass or ""),
        kwargs={key: str(value) if isinstance(value, str) else value for key, value in plugin._winrm_kwargs.items()},
        kinit=str(plugin._kinit_cmd) if gets_ticket else None,
    )  # fmt: skip


# A run.


def run_playbook(
    arguments: Sequence[str], password: str | None, reading: Callable[[Callable[[], Any]], Any],
    show: Callable[[str], str | None],
) -> None:  # fmt: skip
    """Be ansible-playbook, and exit as it does.

    Lookups, commands of the `pipe` lookup and `playbook_dir` mean the current folder. ``password`` is the connection's:
    nobody is asked. ``reading`` is called with what reads the inventory, and gives on what that gives, or raises
    AnsibleError. ``show`` is given each text that Ansible prints, and gives what is printed instead; None for nothing.
    """

    class Given(PlaybookCLI):  # type: ignore[misc]  # ansible ships no types
        @staticmethod
        def ask_passwords() -> tuple[str | None, str | None]:
            """Whatever ansible.cfg says: nobody is asked again, and no play uses become."""
            return password, None

        def _play_prereqs(self) -> tuple[Any, Any, Any]:
            loader, inventory, variables = reading(super()._play_prereqs)
            _ignore_current_folder(variables)
            return loader, inventory, variables

    def load_and_stay(file_name: str, variable_manager: Any, loader: Any) -> Any:
        playbook = load(file_name, variable_manager=variable_manager, loader=loader)
        loader.set_basedir = lambda _folder: None  # the executor would go to the playbook's
        return playbook

    def shown(msg: str, *more: Any, **options: Any) -> None:
        text = show(msg)
        if text is not None:
            display(text, *more, **options)

    load = Playbook.load
    Playbook.load = staticmethod(load_and_stay)
    # The variables beside a playbook are found by the path of its tasks.
    C.PLAYBOOK_VARS_ROOT = "all"
    # To the end of the process: what is printed on the way out counts too.
    output: Any = Display()
    display, output.display = output.display, shown
    Given.cli_executor(["ansible-playbook", *arguments])
