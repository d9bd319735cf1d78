"""What a run would stumble over in a host's variables, though an audit would not: found with the audit, by name.

An audit speaks WinRM itself, with timeouts of its own and without Ansible's executor. The rules here are those of
ansible-core (executor/task_executor.py, playbook/play_context.py, the plugins winrm and psrp) and of pywinrm's
Protocol; a test holds each of them against a real run.
"""

import shlex
import shutil
from collections.abc import Callable
from typing import Any

from winrm.protocol import Protocol

from remediate.fleet.ansible_internals import (
    AnsibleError,
    WinrmSettings,
    boolean,
    common_variables,
    declared_variables,
    shell_plugin,
)
from remediate.fleet.ansible_release import RELEASE
from remediate.fleet.variables import Variables, WrongVariable

# Commands of cmd and PowerShell are what a Windows host takes. From 2.21 on the plugins do not ask the shell for them.
_SHELLS = ("powershell", "cmd")
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
    for names, kind in common_variables():
        # Ansible takes the first that is there, and templates it, whether the connection has a use for it or not.
        name = next((name for name in names if name in variables), None)
        if name is None or name in ("ansible_become", "ansible_connection"):
            continue
        value = variables.get(name)
        wanted, fits = _TYPES.get(kind, ("", lambda _: True))
        if value is not None and not fits(value):
            raise variables.wrong(name, f"is not {wanted}")
    shell = short_shell(variables)
    if shell is not None and shell not in _SHELLS and RELEASE < (2, 21):
        raise variables.wrong("ansible_shell_type", f"is not one of {', '.join(_SHELLS)}")
    for name, (wanted, fits) in _OURS.items():
        if name in variables and not fits(variables.get(name)):
            raise variables.wrong(name, f"is not {wanted}")


def check_shell(plugin: Any, variables: Variables) -> None:
    """The options of the connection's shell plugin (ansible_remote_tmp, ...)."""
    shell = shell_plugin(plugin)
    options = {name: variables.get(name) for name in declared_variables("shell", shell) if name in variables}
    for name, value in options.items():
        try:
            shell.set_options(var_options={name: value})
        except AnsibleError as error:
            raise variables.wrong(name, "is not what Ansible's shell plugin accepts") from error


def check_winrm(plugin: Any, variables: Variables, settings: WinrmSettings, endpoint: str) -> None:
    """What the plugin and pywinrm make of the host's real values; nothing is sent."""
    transports, kwargs = settings.transports, settings.kwargs
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
    if settings.kinit is not None:
        _check_kinit(settings, settings.kinit, plugin.get_option("kinit_args"))
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


def _check_kinit(settings: WinrmSettings, program: str, arguments: str | None) -> None:
    """A run gets its own ticket where a password is given, which the audit does not play."""
    if not settings.user:
        raise WrongVariable("ansible_user: it is missing, and kinit needs it")
    if not settings.password:
        raise WrongVariable("ansible_password: it is missing, and ansible_winrm_kinit_mode is managed")
    if shutil.which(program) is None:
        raise WrongVariable(
            f"ansible_winrm_kinit_cmd: there is no program {program!r} here; install it, or take the ticket cache: "
            "ansible_winrm_kinit_mode=manual"
        )
    try:
        shlex.split(arguments or "")
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
