"""A host's variables: what its connection plugin would use, and what is wrong with them, by their names.

The variables are not mapped by hand: Ansible's own plugin is asked. No error shows a value that may be a secret.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlunsplit

from remediate.fleet.address import wrong_address
from remediate.fleet.ansible_internals import (
    AnsibleError,
    AnsibleValueOmittedError,
    UnknownTransport,
    WinrmSettings,
    connection_plugin,
    declared_variables,
    option,
    templating,
    winrm_settings,
)
from remediate.fleet.ansible_words import reason
from remediate.fleet.shown import without_account
from remediate.iis.inspection import one_line

_SECRET = re.compile("pass|secret|token|private|credential", re.IGNORECASE)
_TYPES = {"int": "a whole number", "integer": "a whole number", "float": "a number", "bool": "true or false",
          "boolean": "true or false", "str": "a text", "string": "a text"}  # fmt: skip


_OMITTED = object()


class WrongVariable(Exception):
    """In one line: the variable's name, and what is wrong with it."""


class Variables:
    """The variables of one host, templated one by one as they are asked for."""

    def __init__(self, found: dict[str, Any], loader: Any) -> None:
        self._found = found
        self._known: dict[str, Any] = {}
        self._template = templating(loader, found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or WrongVariable where it cannot be had."""
        if name not in self._found:
            return default
        try:
            value = self._known[name] = self._template(self._found[name])
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
    plugin = connection_plugin(kind)
    declared = declared_variables("connection", plugin)
    found = {name: variables.get(name, _OMITTED) for name in declared if name in variables}
    options: dict[str, Any] = {name: value for name, value in found.items() if value is not _OMITTED}
    keywords = {"remote_user": option("remote_user")} | ({} if password is None else {"password": password})
    try:
        plugin.set_options(task_keys=keywords, var_options=options)
    except AnsibleError as error:
        raise WrongVariable(_culprit(plugin, options, error)) from error
    port = plugin.get_option("port")
    if port is not None and not 0 < int(port) < 65536:
        raise WrongVariable(f"ansible_port: {int(port)} is not from 1 to 65535")
    _check_address(plugin, options, "host" if kind == "ssh" else "remote_addr")
    return plugin


def _check_address(plugin: Any, options: dict[str, Any], name_of_it: str) -> None:
    """Of ssh only that there is one: its client knows names of its own."""
    address = str(plugin.get_option(name_of_it) or "")
    wrong = wrong_address(address) if name_of_it == "remote_addr" or not address else None
    if wrong is not None:
        sources = plugin.option_definitions[name_of_it]["vars"]
        names = [source["name"] for source in sources if source["name"] in options]
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
    for definition in plugin.option_definitions.values():
        if any(source["name"] == name for source in definition.get("vars", ())):
            if definition.get("choices"):
                return f"one of {', '.join(map(str, definition['choices']))}"
            kind = str(definition.get("type", "str"))
            return _TYPES.get(kind, f"of the type {kind}")
    return "what the connection plugin accepts"


def ask_winrm(variables: Variables, password: str | None) -> tuple[Any, WinrmSettings]:
    """The plugin, and what it makes of the host's variables."""
    plugin = ask_plugin("winrm", variables, password)
    # What the plugin does not declare goes to pywinrm as it is.
    declared = declared_variables("connection", plugin)
    extras = {
        name: variables.get(name) for name in variables if name.startswith("ansible_winrm_") and name not in declared
    }
    for name, value in extras.items():
        wanted, fits = _EXTRAS.get(name.removeprefix("ansible_winrm_"), _PLAIN)
        if not fits(value):
            raise WrongVariable(f"{name}: {_shown(name, value)} is not {wanted}")
    try:
        settings = winrm_settings(plugin, extras)
    except UnknownTransport as error:
        name = "ansible_winrm_transport"
        wanted = ", ".join(error.known)
        raise WrongVariable(f"{name}: {_shown(name, error.transport)} is not one of {wanted}") from error
    _check_account(settings.kwargs, settings.transports)
    return plugin, settings


def endpoint_of(settings: WinrmSettings) -> str:
    """The URL as the plugin puts it together: a path without its slash gets one."""
    address = settings.host
    if ":" in address and not address.startswith("["):
        address = f"[{address}]"
    return urlunsplit((settings.scheme, f"{address}:{settings.port}", settings.path, "", ""))


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
