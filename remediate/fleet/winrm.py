"""One host's inspection over WinRM: one connection, one shell, one command. The only importer of pywinrm's Protocol."""

import time
import warnings
from dataclasses import dataclass
from typing import Any

from requests.exceptions import RequestException
from requests.utils import resolve_proxies, select_proxy
from winrm.exceptions import WinRMError, WinRMOperationTimeoutError, WinRMTransportError
from winrm.protocol import Protocol

from remediate.bugs import show_trace
from remediate.fleet.http_answers import check_message, guard
from remediate.fleet.inventory import WinrmHost
from remediate.fleet.script import COMMAND_LINE, inspection_script
from remediate.fleet.way import Way, shown_endpoint
from remediate.fleet.wire_errors import explain
from remediate.iis.inspection import parse_printed
from remediate.values.fleet import Failed, HostReport, Unreachable

# More than any inspection prints: a thousand pools take two. A server that never stops talking is cut off here.
_MOST_BYTES = 8 * 1024 * 1024
# What networks, servers and accounts do; anything else is shown with -v too.
_ORDINARY = (WinRMError, WinRMTransportError, RequestException, OSError)

# It would show the proxy's address, with its password. A failure names the proxy without it.
warnings.filterwarnings("ignore", "'pywinrm' will use an environment defined proxy", DeprecationWarning)


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
    return parse_printed(host.host, printed.stdout, printed.stderr, printed.code, host.vars)


def run_script(host: WinrmHost, script: bytes, timeout: float) -> Printed | Unreachable | Failed:
    """Run a PowerShell script, in ASCII, on one host within ``timeout`` seconds.

    Not shared between threads: pywinrm's objects are not safe there.
    """
    until = time.monotonic() + timeout
    troubles = []
    for transport in host.transports:
        way = Way(
            shown_endpoint(host.endpoint),
            transport,
            str(host.kwargs.get("username") or "the account"),
            "proxy" in host.kwargs,
        )
        try:
            return _run(host, _protocol(host, way, timeout), script, until)
        except Exception as error:  # noqa: BLE001  # the libraries meet a strange answer with whatever they meet
            if not isinstance(error, _ORDINARY):
                show_trace(host.host, error)
            troubles.append(explain(way, error))
    return Unreachable(host.host, "; ".join(dict.fromkeys(troubles)))


def _protocol(host: WinrmHost, way: Way, timeout: float) -> Any:
    # A request may take a third of the host's time, so that a silent server is noticed before it is over.
    operation = max(1, int(timeout / 3))
    kwargs = host.kwargs | {"operation_timeout_sec": operation, "read_timeout_sec": operation + 2}
    make: Any = Protocol
    protocol = make(host.endpoint, transport=way.transport, **kwargs)
    _watch(protocol.transport, way)
    return protocol


def _watch(transport: Any, way: Way) -> None:
    """Note what is seen on the way, and guard what comes, at the places where pywinrm sends and reads a message."""
    send, read = transport._send_message_request, transport._get_message_response_text

    def watched(session: Any, request: Any) -> Any:
        guard(session, request.url)
        way.proxy = select_proxy(request.url, resolve_proxies(request, session.proxies, session.trust_env)) or ""
        # Before the hook that requests_ntlm has put there: what that one sends is not seen here.
        request.hooks["response"].insert(0, lambda response, **_: way.note(response))
        return send(session, request)

    transport._send_message_request = watched
    transport._get_message_response_text = lambda response: check_message(read(response))


def _run(host: WinrmHost, protocol: Any, script: bytes, until: float) -> Printed | Failed:
    shell = protocol.open_shell(codepage=65001)
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
                return Failed(host.host, f"the script printed more than {_MOST_BYTES >> 20} MiB")
            if done:
                return Printed(bytes(stdout), bytes(stderr), exit_code)
    finally:
        _close(protocol, shell)


def _close(protocol: Any, shell: str) -> None:
    """Shells count against the user's quota on the server; but a failure to close one is not the host's result."""
    try:
        protocol.close_shell(shell)
    except Exception:  # noqa: BLE001  # as in run_script
        return
