"""The listeners: HTTP in, one WS-Management service for each simulated server.

Each server answers on an address of its own in 127.0.0.0/8, and the local address of a connection tells which it is.
Only ``POST /wsman`` is served. Requests are not logged, as they carry accounts and scripts; what is logged are errors
of the engine and of this service, and (by aiohttp) the place where a request was no HTTP.

Tried by hand with ``ansible -m raw`` and a module, by Basic and by NTLM, from ansible-core 2.19.14, 2.21.5 and
2.22.0rc1; with 1,000 servers and a client for each at once by Basic, and with 20 clients at once by NTLM.
"""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Literal, Self

from aiohttp import web

from remediate_lab.engine import Engine, Server
from remediate_lab.wsman import bombs, replies, soap
from remediate_lab.wsman.auth import BasicGate, Gate, NegotiateGate, TurnedAway, end_point_bindings
from remediate_lab.wsman.faults import Refused, spelled
from remediate_lab.wsman.shells import Shells

log = logging.getLogger("remediate_lab")

# Ansible sends chunks of 250,000 bytes at most, twice base64: 450 KB in an envelope.
_LARGEST_BODY = 2 * 1024 * 1024

# http.sys closes an idle connection after two minutes.
_IDLE_CONNECTION = 120.0


def _redirect(more: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """``URL``, ``CODE URL``, or ``CODE`` for one that names no place."""
    code, _, url = more.partition(" ") if more[:3].isdigit() else ("302", "", more)
    return web.Response(status=int(code), headers={**(headers or {}), **({"Location": url} if url else {})})


# The faults that are one answer to everything, made of what lab.txt says beside the fault's name.
_PLAYED: dict[str, Callable[[str], web.Response]] = {
    "rubbish": lambda _: web.Response(text="<html><p>It works!</html>\n\0", content_type="text/html"),
    "500": lambda _: web.Response(status=500),
    "offers": lambda schemes: web.Response(status=401, headers={"WWW-Authenticate": schemes}),
    "redirect": _redirect,
}


# Seconds for answers under way when the server closes. All commands have ended by then, so none has to wait.
_SHUTDOWN = 5.0


class WsmanServer:
    """WS-Management for many simulated servers on one port: ``async with WsmanServer(...):``, or start and close.

    ``auth`` is one of Basic (plain messages over HTTP are accepted) and NTLM (they are not). NTLM takes the process's
    ``NTLM_USER_FILE``: only one such server can run in a process at a time. ``user`` may have a domain before a
    backslash. ``certificate`` is the one that ``tls`` presents, as DER: with it NTLM over TLS insists on matching
    channel bindings. (A listener cannot ask its SSLContext for its own certificate.) ``fault`` is asked at each
    request which fault the server plays: one of faults.py in the folder above.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        engine: Engine,
        *,
        port: int,
        auth: Literal["basic", "ntlm"],
        user: str,
        password: str,
        tls: ssl.SSLContext | None = None,
        certificate: bytes | None = None,
        fault: Callable[[Server], str] = lambda _: "",
    ) -> None:
        for server in servers:
            if ipaddress.IPv4Address(server.address) not in ipaddress.IPv4Network("127.0.0.0/8"):
                raise ValueError(f"{server.name}: {server.address} is not an address of 127.0.0.0/8")
        self._servers = {server.address: server for server in servers}
        self._fault = fault
        self._closing = asyncio.Event()
        self._shells = {server.address: Shells(server, engine) for server in servers}
        if len(self._shells) < len(servers):
            raise ValueError("two servers have the same address")
        self._port = port
        self._tls = tls
        self._gate: Gate
        if auth == "basic":
            self._gate = BasicGate(user, password)
        else:
            bindings = None if certificate is None else end_point_bindings(certificate)
            self._gate = NegotiateGate(user, password, encrypt=tls is None, bindings=bindings)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on all addresses, or raise ``OSError`` with nothing left open."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=_IDLE_CONNECTION,
            shutdown_timeout=_SHUTDOWN,
            # A Receive whose client has gone must not take the output from the one that comes back for it.
            handler_cancellation=True,
            # WinRM knows no compressed requests; left alone they are bytes like others, and cannot be bombs.
            auto_decompress=False,
        )
        try:
            self._gate.open()
            await self._runner.setup()
            for address in self._shells:
                await web.TCPSite(self._runner, address, self._port, ssl_context=self._tls).start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop listening, end all commands, shells and connections. A closed server cannot be started again."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._closing.set()
        try:
            for site in runner.sites:
                await site.stop()
            await asyncio.gather(*(shells.close() for shells in self._shells.values()))
            await runner.cleanup()
        finally:
            self._gate.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except (web.HTTPException, ConnectionError):
            raise
        except web.RequestPayloadError:
            return web.Response(status=400, text="the request's body is broken\n")
        except Exception:
            # aiohttp would show the traceback to the client where asyncio's debug mode is on.
            log.exception("a request could not be answered")
            return web.Response(status=500)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST" or request.path != "/wsman":
            return web.Response(status=404)
        body = await request.read()
        connection = request.transport
        if connection is None:
            raise ConnectionResetError("the client has gone")
        address: str = connection.get_extra_info("sockname")[0]
        fault, _, more = self._fault(self._servers[address]).partition(":")
        if fault == "silent":
            await self._closing.wait()
            raise ConnectionResetError("the server never answered")
        if fault in _PLAYED:
            return _PLAYED[fault](more)
        if fault == "bomb" and more != "stdout":
            return await bombs.explode(request, more)
        fault, _, when = fault.partition("@")
        verdict = self._gate.admit(
            connection, request.headers.get("Authorization", ""), request.headers.get("Content-Type", ""), body
        )
        if fault == "locked" and not isinstance(verdict, TurnedAway):
            verdict = self._gate.refusal
        if isinstance(verdict, TurnedAway) and when == "handshake" and request.headers.get("Authorization"):
            return _redirect(more, verdict.headers)
        if isinstance(verdict, TurnedAway):
            return web.Response(status=verdict.status, text=f"{verdict.reason}\n", headers=verdict.headers)
        if not verdict.message:
            # pywinrm authenticates with an empty request before it can encrypt one.
            return web.Response(headers=verdict.headers)
        try:
            envelope = soap.parse_envelope(verdict.message)
        except soap.Malformed as error:
            return web.Response(status=400, text=f"{error}\n", headers=verdict.headers)
        operation = envelope.header.findtext("a:Action", "", soap.NAMES).rpartition("/")[2]
        if when and operation == when:
            return _redirect(more, verdict.headers)
        status = 200
        try:
            if fault == "soap":
                raise Refused(spelled(more))
            answer = await _perform(self._shells[address], envelope)
            if fault == "bomb" and operation == "Receive":
                answer = bombs.stdout(envelope, "-")
        except Refused as refused:
            status = 500
            answer = replies.fault(envelope.message_id, self._servers[address].name, refused.fault)
        sealed, content_type = verdict.seal(answer)
        return web.Response(status=status, body=sealed, headers={**verdict.headers, "Content-Type": content_type})


async def _perform(shells: Shells, envelope: soap.Envelope) -> bytes:
    """Do what the envelope asks for, and give the answer."""
    request = soap.parse_request(envelope)
    operation, to = request.operation, envelope.message_id
    if isinstance(operation, soap.CreateShell):
        return replies.created(to, shells.open(operation).id)
    shell = shells.find(operation.shell_id)
    if isinstance(operation, soap.DeleteShell):
        await shells.end(shell, request.timeout)
        return replies.done(to, "Delete")
    with shell.in_use():
        match operation:
            case soap.RunCommand():
                return replies.started(to, shells.start(shell, operation).id)
            case soap.SendInput():
                shell.find(operation.command_id).send(operation.data, operation.end)
                return replies.done(to, "Send")
            case soap.TerminateCommand():
                await shell.terminate(shell.find(operation.command_id), request.timeout)
                return replies.done(to, "Signal")
            case soap.ReceiveOutput():
                command = shell.find(operation.command_id)
                output = await command.receive(request.timeout)
                return replies.output(to, command.id, output.streams, output.exit_code)
