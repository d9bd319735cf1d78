"""What a run would stumble over in a host's variables, though an audit would not: found with the audit, by name.

An audit speaks WinRM itself, with timeouts of its own and without Ansible's executor. The rules here are those of
ansible-core (executor/task_executor.py, playbook/play_context.py, the plugins winrm and psrp) and of pywinrm's
Protocol; a test holds each of them against a real run.
"""

import shlex
import shutil
from collections.abc import Callable
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.playbook.play_context import PlayContext
from ansible.plugins.connection import winrm as winrm_plugin
from ansible.release import __version__
from winrm.protocol import Protocol

from remediate.inspect.variables import Variables, WrongVariable

# Commands of cmd and PowerShell are what a Windows host takes. From 2.21 on the plugins do not ask the shell for them.
_SHELLS = ("powershell", "cmd")
_CORE = tuple(int(part) for part in __version__.split(".")[:2])
_ENCRYPTING = frozenset({"ntlm", "kerberos", "credssp"})


def _is(kind: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        try:
            kind(value)
        except (TypeError, ValueError):
            return False
        return True

    return fits


def _from(least: int) -> Callable[[Any], bool]:
    return lambda value: str(value).isascii() and str(value).isdigit() and int(value) >= least


_TRUTH = ("true or false", _is(boolean))
_WHOLE = ("a whole number", _is(int))
# What Ansible wants of the variables that it reads for every connection, by the type of PlayContext's attribute.
_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {"int": _WHOLE, "bool": _TRUTH}
# What the playbooks of ours read from a host's variables; the playbooks hold them to the same.
_OURS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "remediate_pools_per_commit": ("a whole number from 1", _from(1)),
    "remediate_pause": ("a whole number of seconds", _from(0)),
    "remediate_lock_seconds": ("a whole number of seconds", _from(0)),
    "remediate_task_timeout": ("a whole number of seconds from 1", _from(1)),
}


def short_shell(variables: Variables) -> str | None:
    """The host's ansible_shell_type without Ansible's namespaces; None where it is not set."""
    named = variables.get("ansible_shell_type")
    return None if named is None else str(named).removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")


def check_common(variables: Variables) -> None:
    """What holds for any connection. WrongVariable for the first that is wrong."""
    for attribute, names in C.MAGIC_VARIABLE_MAPPING.items():
        # Ansible takes the first that is there, and templates it, whether the connection has a use for it or not.
        name = next((name for name in names if name in variables), None)
        if name is None or name in ("ansible_become", "ansible_connection"):
            continue
        value = variables.get(name)
        field = PlayContext.fattributes.get(attribute)
        wanted, fits = _TYPES.get(str(getattr(field, "isa", "")), ("", lambda _: True))
        if value is not None and not fits(value):
            raise variables.wrong(name, f"is not {wanted}")
    shell = short_shell(variables)
    if shell is not None and shell not in _SHELLS and _CORE < (2, 21):
        raise variables.wrong("ansible_shell_type", f"is not one of {', '.join(_SHELLS)}")
    for name, (wanted, fits) in _OURS.items():
        if name in variables and not fits(variables.get(name)):
            raise variables.wrong(name, f"is not {wanted}")


def check_shell(plugin: Any, variables: Variables) -> None:
    """The options of the connection's shell plugin (ansible_remote_tmp, ...)."""
    declared = C.config.get_plugin_vars("shell", plugin._shell._load_name)
    options = {name: variables.get(name) for name in declared if name in variables}
    for name, value in options.items():
        try:
            plugin._shell.set_options(var_options={name: value})
        except AnsibleError as error:
            raise variables.wrong(name, "is not what Ansible's shell plugin accepts") from error


def check_winrm(plugin: Any, variables: Variables, endpoint: str, kwargs: dict[str, Any]) -> None:
    """What the plugin and pywinrm make of the host's real values; nothing is sent."""
    transports = [str(transport) for transport in plugin._winrm_transport]
    _check_timeouts(plugin.get_option("connection_timeout"), kwargs)
    name = "ansible_winrm_kerberos_delegation"
    if name in variables and not _TRUTH[1](variables.get(name)):
        raise variables.wrong(name, "is not true or false")
    if kwargs.get("message_encryption") == "always" and not _ENCRYPTING & set(transports):
        able = ", ".join(sorted(_ENCRYPTING))
        raise WrongVariable(
            f"ansible_winrm_message_encryption: 'always' needs one of {able} in ansible_winrm_transport, "
            f"which is {', '.join(transports)}"
        )
    if plugin._kerb_managed and (transports == ["kerberos"] or winrm_plugin.HAVE_KERBEROS):
        _check_kinit(plugin)
    refused = [why for transport in transports if (why := _refusal(endpoint, transport, kwargs)) is not None]
    if len(refused) == len(transports):
        raise WrongVariable(f"ansible_winrm_transport: {'; '.join(refused)}")


def _check_timeouts(connection: int | None, kwargs: dict[str, Any]) -> None:
    """pywinrm: the read timeout must exceed the operation timeout, which is at least 1."""
    if connection:
        # The plugin then sets both, and the read timeout is 10 s longer.
        if connection < 1:
            raise WrongVariable(f"ansible_winrm_connection_timeout ({connection}) must be at least 1")
        return
    operation = int(kwargs.get("operation_timeout_sec", Protocol.DEFAULT_OPERATION_TIMEOUT_SEC))
    read = int(kwargs.get("read_timeout_sec", Protocol.DEFAULT_READ_TIMEOUT_SEC))
    if operation < 1:
        raise WrongVariable(f"ansible_winrm_operation_timeout_sec ({operation}) must be at least 1")
    if read <= operation:
        raise WrongVariable(
            f"ansible_winrm_read_timeout_sec ({read}) must be larger than ansible_winrm_operation_timeout_sec "
            f"({operation})"
        )


def _check_kinit(plugin: Any) -> None:
    """A run gets its own ticket where a password is given, which the audit does not play."""
    if not plugin._winrm_user:
        raise WrongVariable("ansible_user: it is missing, and kinit needs it")
    if not plugin._winrm_pass:
        raise WrongVariable("ansible_password: it is missing, and ansible_winrm_kinit_mode is managed")
    program = plugin._kinit_cmd
    if shutil.which(program) is None:
        raise WrongVariable(
            f"ansible_winrm_kinit_cmd: there is no program {program!r} here; install it, or take the ticket cache: "
            "ansible_winrm_kinit_mode=manual"
        )
    try:
        shlex.split(plugin.get_option("kinit_args") or "")
    except ValueError as error:
        raise WrongVariable("ansible_winrm_kinit_args: a quote is not closed") from error


def _refusal(endpoint: str, transport: str, kwargs: dict[str, Any]) -> str | None:
    """What pywinrm says of them, in its own words, which quote no password."""
    make: Any = Protocol
    try:
        make(endpoint, transport=transport, **kwargs)
    except Exception as error:  # noqa: BLE001  # whatever it says would end the run's connection
        return str(error)
    return None


def check_psrp(plugin: Any) -> None:
    """Ansible's documentation of the plugin: the read timeout must be larger than the operation timeout."""
    operation, read = plugin.get_option("operation_timeout"), plugin.get_option("read_timeout")
    if operation is not None and read is not None and read <= operation:
        raise WrongVariable(
            f"ansible_psrp_read_timeout ({read}) must be larger than ansible_psrp_operation_timeout ({operation})"
        )
    auth, encryption = plugin.get_option("auth"), plugin.get_option("message_encryption")
    protocol, port = plugin.get_option("protocol"), plugin.get_option("port")
    plain = protocol == "http" or (protocol is None and port == 5985)
    if auth in ("basic", "certificate") and (encryption == "always" or (plain and encryption == "auto")):
        how = "take ansible_psrp_protocol=https, or never" if plain else "take auto"
        raise WrongVariable(f"ansible_psrp_message_encryption: {encryption!r} cannot be used with {auth}; {how}")
    if auth == "certificate":
        for option in ("certificate_pem", "certificate_key_pem"):
            if not plugin.get_option(option):
                raise WrongVariable(f"ansible_psrp_{option}: it is missing")
    elif auth in ("basic", "credssp"):
        for option, name in (("remote_user", "ansible_user"), ("remote_password", "ansible_password")):
            if not plugin.get_option(option):
                raise WrongVariable(f"{name}: it is missing")
