"""A host's variables: what its connection plugin would use, and what is wrong with them, by their names.

The variables are not mapped by hand: Ansible's own plugin is asked. That uses parts of ansible-core that are not a
public API; this file and inventory.py are the only places that do. No error shows a value that may be a secret.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlunsplit

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError, AnsibleValueOmittedError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible.template import Templar

from remediate.iis.inspection import one_line
from remediate.inspect.address import wrong_address
from remediate.inspect.ansible_words import reason
from remediate.inspect.shown import without_account

_SECRET = re.compile("pass|secret|token|private|credential", re.IGNORECASE)
_TYPES = {"int": "a whole number", "integer": "a whole number", "float": "a number", "bool": "true or false",
          "boolean": "true or false", "str": "a text", "string": "a text"}  # fmt: skip


_OMITTED = object()


class WrongVariable(Exception):
    """In one line: the variable's name, and what is wrong with it."""


class Variables:
    """The variables of one host, templated one by one as they are asked for."""

    def __init__(self, found: dict[str, Any], loader: DataLoader) -> None:
        self._found = found
        self._known: dict[str, Any] = {}
        self._templar = Templar(loader=loader, variables=found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or WrongVariable where it cannot be had."""
        if name not in self._found:
            return default
        try:
            value = self._known[name] = self._templar.template(self._found[name])
            return value
        except AnsibleValueOmittedError:  # `omit`: as if it were not set
            return default
        except (Exception, SystemExit) as error:  # a filter or lookup of the user's fails with whatever it likes
            raise WrongVariable(f"{name}: {reason(error)}") from error

    def text(self, name: str, default: str = "") -> str:
        """The value as a text."""
        value = self.get(name, default)
        if not isinstance(value, (str, int, float)):
            raise WrongVariable(f"{name}: {_shown(name, value)} is not a text")
        return str(value)

    @property
    def known(self) -> dict[str, Any]:
        """Those that were asked for, with their values."""
        return dict(self._known)

    def wrong(self, name: str, what: str) -> WrongVariable:
        """To be raised: the variable's name, its value where that is no secret, and what is wrong with it."""
        return WrongVariable(f"{name}: {_shown(name, self.get(name))} {what}")


def _shown(name: str, value: Any) -> str:
    plain = isinstance(value, (str, int, float)) and not _SECRET.search(name)
    return repr(one_line(without_account(str(value)), 60)) if plain else "its value"


def ask_plugin(kind: str, variables: Variables, password: str | None) -> Any:
    """The connection plugin, with the options that it would use for the host, by the steps of Ansible's executor.

    ``password`` is the one of -k, which counts where no variable holds one, as the user of -u does.
    """
    plugin = connection_loader.get(kind, PlayContext(), None)
    declared = C.config.get_plugin_vars("connection", plugin._load_name)
    found = {name: variables.get(name, _OMITTED) for name in declared if name in variables}
    options: dict[str, Any] = {name: value for name, value in found.items() if value is not _OMITTED}
    keywords = {"remote_user": context.CLIARGS["remote_user"]} | ({} if password is None else {"password": password})
    try:
        plugin.set_options(task_keys=keywords, var_options=options)
    except AnsibleError as error:
        raise WrongVariable(_culprit(plugin, options, error)) from error
    port = plugin.get_option("port")
    if port is not None and not 0 < int(port) < 65536:
        raise WrongVariable(f"ansible_port: {int(port)} is not from 1 to 65535")
    _check_address(plugin, options, "host" if kind == "ssh" else "remote_addr")
    return plugin


def _check_address(plugin: Any, options: dict[str, Any], option: str) -> None:
    """Of ssh only that there is one: its client knows names of its own."""
    address = str(plugin.get_option(option) or "")
    wrong = wrong_address(address) if option == "remote_addr" or not address else None
    if wrong is not None:
        names = [source["name"] for source in plugin.option_definitions[option]["vars"] if source["name"] in options]
        # Of those that are set, Ansible takes the last one.
        name = names[-1] if names else "ansible_host"
        if name == "inventory_hostname":
            raise WrongVariable(f"ansible_host: it is missing, and of the inventory's name: {wrong}")
        raise WrongVariable(f"{name}: {wrong}")


def _culprit(plugin: Any, options: dict[str, Any], error: AnsibleError) -> str:
    """The one that the plugin refuses, and what it wants; Ansible's own words would show the value."""
    for name, value in options.items():
        try:
            plugin.set_options(var_options={name: value})
        except AnsibleError:
            return f"{name}: {_shown(name, value)} is not {_wanted(plugin, name)}"
    return f"a setting of ansible.cfg or the environment: {reason(error)}"


def _wanted(plugin: Any, name: str) -> str:
    for option in plugin.option_definitions.values():
        if any(source["name"] == name for source in option.get("vars", ())):
            if option.get("choices"):
                return f"one of {', '.join(map(str, option['choices']))}"
            kind = str(option.get("type", "str"))
            return _TYPES.get(kind, f"of the type {kind}")
    return "what the connection plugin accepts"


def ask_winrm(variables: Variables, password: str | None) -> tuple[Any, dict[str, Any]]:
    """The plugin; and the endpoint, the transports and the keyword arguments of pywinrm's Protocol."""
    plugin = ask_plugin("winrm", variables, password)
    # What the plugin does not declare goes to pywinrm as it is.
    extras = {
        name: variables.get(name)
        for name in variables
        if name.startswith("ansible_winrm_") and name not in C.config.get_plugin_vars("connection", plugin._load_name)
    }
    for name, value in extras.items():
        wanted, fits = _EXTRAS.get(name.removeprefix("ansible_winrm_"), _PLAIN)
        if not fits(value):
            raise WrongVariable(f"{name}: {_shown(name, value)} is not {wanted}")
    plugin._options["_extras"] = extras
    try:
        plugin._build_winrm_kwargs()
    except AnsibleError as error:
        known = plugin._winrm_supported_authtypes
        wrong = next((t for t in plugin._winrm_transport if t not in known), plugin._winrm_transport)
        name = "ansible_winrm_transport"
        raise WrongVariable(f"{name}: {_shown(name, wrong)} is not one of {', '.join(sorted(known))}") from error
    kwargs = {key: str(value) if isinstance(value, str) else value for key, value in plugin._winrm_kwargs.items()}
    transports = tuple(str(t) for t in plugin._winrm_transport)
    _check_account(kwargs, transports)
    address = str(plugin._winrm_host)
    if ":" in address and not address.startswith("["):
        address = f"[{address}]"
    # As the plugin puts it together: a path without its slash gets one.
    netloc = f"{address}:{int(plugin._winrm_port)}"
    endpoint = urlunsplit((str(plugin._winrm_scheme), netloc, str(plugin._winrm_path), "", ""))
    return plugin, {"endpoint": endpoint, "transports": transports, "kwargs": kwargs}


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and Path(value).exists()


def _one_of(*words: str) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(words)}", lambda value: value in words


_NUMBER = ("a whole number of seconds", lambda value: str(value).isascii() and str(value).isdigit())
_FILE = ("a file that is there", _is_path)
_PLAIN: tuple[str, Callable[[Any], bool]] = (
    "a plain value", lambda value: value is None or isinstance(value, (str, int, float)))  # fmt: skip
_EXTRAS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "operation_timeout_sec": _NUMBER,
    "read_timeout_sec": _NUMBER,
    "server_cert_validation": _one_of("validate", "ignore"),
    "message_encryption": _one_of("auto", "always", "never"),
    "ca_trust_path": ("a file or folder that is there", lambda value: value == "legacy_requests" or _is_path(value)),
    "cert_pem": _FILE,
    "cert_key_pem": _FILE,
}


def _check_account(kwargs: dict[str, Any], transports: tuple[str, ...]) -> None:
    """By what pywinrm wants for each transport."""
    by_certificate = "certificate" in transports or ("ssl" in transports and "cert_pem" in kwargs)
    if by_certificate:
        for name in ("cert_pem", "cert_key_pem"):
            if name not in kwargs:
                raise WrongVariable(f"ansible_winrm_{name}: it is missing")
    elif set(transports) != {"kerberos"}:
        for name, variable in (("username", "ansible_user"), ("password", "ansible_password")):
            if not kwargs.get(name):
                raise WrongVariable(f"{variable}: it is missing")
