"""One host's inspection over WinRM: one connection, one shell, one command. The only importer of pywinrm."""

import time
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

import requests
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from remediate.iis.inspection import one_line, parse_answer
from remediate.inspect.inventory import WinrmHost
from remediate.inspect.script import COMMAND_LINE, inspection_script
from remediate.model import Failed, HostReport, Unreachable

# More than any inspection prints. A server that never stops talking is cut off here.
_MOST_BYTES = 64 * 1024 * 1024


_TROUBLES = (WinRMError, WinRMTransportError, ParseError, requests.exceptions.RequestException, OSError, ValueError)


@dataclass(frozen=True)
class Printed:
    """What a script printed, and how its PowerShell ended."""

    stdout: bytes
    stderr: bytes
    code: int


def inspect(host: WinrmHost, timeout: float, evidence_days: int = 0) -> HostReport:
    """Inspect one host within ``timeout`` seconds; every trouble is a value."""
    printed = run_script(host, inspection_script(evidence_days), timeout)
    if not isinstance(printed, Printed):
        return printed
    if printed.code != 0 and not printed.stdout.strip():
        said = printed.stderr.decode(errors="replace")
        return Failed(host.host, one_line(f"the inspection ended with exit code {printed.code}: {said}"))
    return parse_answer(host.host, printed.stdout, host.groups, host.vars)


def run_script(host: WinrmHost, script: bytes, timeout: float) -> Printed | Unreachable | Failed:
    """Run a PowerShell script, in ASCII, on one host within ``timeout`` seconds.

    Not shared between threads: pywinrm's objects are not safe there.
    """
    until = time.monotonic() + timeout
    troubles = []
    for transport in host.transports:
        try:
            return _run(host, _protocol(host, transport, timeout), script, until)
        except _TROUBLES as error:
            troubles.append(_explain(host, error))
    return Unreachable(host.host, "; ".join(dict.fromkeys(troubles)))


def _protocol(host: WinrmHost, transport: str, timeout: float) -> Any:
    # A request may take a third of the host's time, so that a silent server is noticed before it is over.
    operation = max(1, int(timeout / 3))
    kwargs = host.kwargs | {"operation_timeout_sec": operation, "read_timeout_sec": operation + 2}
    make: Any = Protocol
    return make(host.endpoint, transport=transport, **kwargs)


def _run(host: WinrmHost, protocol: Any, script: bytes, until: float) -> Printed | Failed:
    try:
        shell = protocol.open_shell(codepage=65001)
    except AttributeError as error:
        # pywinrm seals its message with a session that an answer without a handshake never made.
        raise ParseError("no handshake") from error
    try:
        # Not console mode: the script is sent on standard input, and its end is told with it.
        command = protocol.run_command(shell, COMMAND_LINE, console_mode_stdin=False)
        protocol.send_command_input(shell, command, script, end=True)
        stdout, stderr = bytearray(), bytearray()
        while True:
            if time.monotonic() > until:
                return Failed(host.host, "the script did not end in time; give it more with --timeout")
            try:
                out, err, exit_code, done = protocol.get_command_output_raw(shell, command)
            except WinRMOperationTimeoutError:
                continue  # nothing to say yet
            stdout += out
            stderr += err
            if len(stdout) + len(stderr) > _MOST_BYTES:
                return Failed(host.host, f"the script printed more than {_MOST_BYTES} bytes")
            if done:
                return Printed(bytes(stdout), bytes(stderr), exit_code)
    finally:
        _close(protocol, shell)


def _close(protocol: Any, shell: str) -> None:
    """Shells count against the user's quota on the server; but a failure to close one is not the host's result."""
    try:
        protocol.close_shell(shell)
    except _TROUBLES:
        return


def _explain(host: WinrmHost, error: Exception) -> str:
    """One line, in the operator's words; the libraries' texts hold addresses of memory and whole requests."""
    if isinstance(error, InvalidCredentialsError):
        return f"{host.kwargs.get('username')} was refused: wrong user or password, or the method is not allowed there"
    if isinstance(error, requests.exceptions.SSLError):
        return one_line(f"the server's certificate is not trusted: {error.args[0] if error.args else error}")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no answer from {host.endpoint} in time"
    if isinstance(error, requests.exceptions.ReadTimeout):
        return f"{host.endpoint} took the connection, and did not answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        text = str(error)
        if "refused" in text:
            return f"{host.endpoint} refused the connection: is WinRM listening on that port?"
        if "resolve" in text or "Name or service" in text:
            return f"{host.endpoint}: the name cannot be resolved"
        return f"the connection to {host.endpoint} broke"
    if isinstance(error, WSManFaultError):
        return one_line(f"WS-Management fault {error.wsman_fault_code or error.code}: {error.fault_subcode or error}")
    if isinstance(error, ParseError | UnicodeError):
        return f"{host.endpoint} does not speak WS-Management: is that the WinRM port?"
    if isinstance(error, WinRMTransportError):
        return f"{host.endpoint} answered HTTP {error.code}"
    return one_line(f"{type(error).__name__}: {error}")
