"""The lab's WinRM service on addresses of its own, with a small engine, and the client that it is for: pywinrm.

When a test ends the servers are closed, and nothing may be left in their event loop.
"""

import asyncio
import base64
import contextlib
import http.client
import itertools
import os
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from winrm.protocol import Protocol

from remediate_lab.engine import Emit, Server
from remediate_lab.wsman import WsmanServer, soap

USER, PASSWORD, PORT = "Administrator", "pa ss;wörd", 15985
T = TypeVar("T")

# 127.x.y.n: x and y from the process's id, n counted up, so that no two tests and no two test runs meet.
loopback = (f"127.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}.{n}" for n in itertools.count(1))


@dataclass
class Engine:
    """Understands a few commands; ``ran`` and the events tell the test what happened inside."""

    ran: list[tuple[str, str]] = field(default_factory=list)
    hanging: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    step: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, server: Server, line: str, stdin: asyncio.StreamReader, emit: Emit) -> int:
        self.ran.append((server.name, line))
        verb, _, rest = line.partition(" ")
        match verb:
            case "say":
                emit("stdout", rest.encode())
            case "both":
                emit("stdout", b"out 1")
                emit("stderr", b"err")
                emit("stdout", b", out 2")
            case "exit":
                return int(rest)
            case "cat":
                while data := await stdin.read(1000):
                    emit("stdout", data)
            case "late":
                await asyncio.sleep(float(rest))
                emit("stdout", b"late")
            case "steps":
                emit("stdout", b"one")
                await self.step.wait()
                emit("stdout", b"two")
            case "flood":
                emit("stdout", bytes(range(256)) * (int(rest) // 256))
            case "hang":
                self.hanging.release()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.ended.release()
            case "stubborn":
                self.hanging.release()
                while not self.step.is_set():
                    with contextlib.suppress(asyncio.CancelledError):
                        await self.step.wait()
                self.ended.release()
            case "fail":
                raise RuntimeError("it broke\nsecond line")
            case _:
                emit("stderr", b"unknown")
                return 9009
        return 0


class Lab:
    """Running servers, in an event loop in a thread of its own."""

    def __init__(self, auth: Literal["basic", "ntlm"], addresses: list[str], **more: Any) -> None:
        self.engine = Engine()
        self.servers = [Server(f"web{n}", address, Path()) for n, address in enumerate(addresses, 1)]
        settings = {"port": PORT, "auth": auth, "user": USER, "password": PASSWORD} | more
        self.service = WsmanServer(self.servers, self.engine, **settings)
        self.scheme = "https" if more.get("tls") else "http"
        self.transport = {"basic": "ssl" if more.get("tls") else "plaintext", "ntlm": "ntlm"}[auth]
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def close(self) -> None:
        self.do(self.service.close())
        left = self.do(other_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        assert left == []

    @property
    def address(self) -> str:
        return self.servers[0].address

    @contextlib.contextmanager
    def client(self, server: int = 0, /, **more: Any) -> Iterator[Protocol]:
        """pywinrm's Protocol, whose connection is closed at the end."""
        endpoint = f"{self.scheme}://{self.servers[server].address}:{PORT}/wsman"
        options = {
            "transport": self.transport,
            "username": USER,
            "password": PASSWORD,
            "proxy": None,
            "ca_trust_path": None,
        } | more
        protocol = Protocol(endpoint, **options)
        try:
            yield protocol
        finally:
            protocol.transport.close_session()

    def post(
        self, body: bytes, method: str = "POST", path: str = "/wsman", timeout: float = 30, **headers: Any
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """A request without pywinrm, with the right account unless ``headers`` say otherwise."""
        account = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        connection = http.client.HTTPConnection(self.address, PORT, timeout=timeout)
        try:
            connection.request(method, path, body, {"Authorization": f"Basic {account}"} | headers)
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()


async def other_tasks() -> list[asyncio.Task[Any]]:
    # One turn of the loop, in which tasks that have just ended are let go.
    await asyncio.sleep(0)
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@contextlib.contextmanager
def running(auth: Literal["basic", "ntlm"] = "basic", addresses: list[str] | None = None, **more: Any) -> Iterator[Lab]:
    lab = Lab(auth, addresses or [next(loopback)], **more)
    try:
        lab.do(lab.service.start())
        yield lab
    finally:
        lab.close()


def run(client: Protocol, line: str, *arguments: str, stdin: list[bytes] | None = None) -> tuple[bytes, bytes, int]:
    """One command in a shell of its own: its stdout, stderr and exit code."""
    shell = client.open_shell(codepage=65001)
    try:
        command = client.run_command(shell, line, arguments, console_mode_stdin=stdin is None)
        for n, chunk in enumerate(stdin or []):
            client.send_command_input(shell, command, chunk, end=n == len(stdin or []) - 1)
        output: tuple[bytes, bytes, int] = client.get_command_output(shell, command)
        client.cleanup_command(shell, command)
        return output
    finally:
        client.close_shell(shell, close_session=False)


def messages(client: Protocol) -> list[tuple[bytes, bytes]]:
    """A list that fills with the bodies that the client sends and gets."""
    seen: list[tuple[bytes, bytes]] = []
    transport: Any = client.transport
    send = transport._send_message_request

    def watched(session: Any, request: Any) -> Any:
        response = send(session, request)
        seen.append((request.body or b"", response.content))
        return response

    transport._send_message_request = watched
    return seen


def envelope(action: str = "transfer/Create", body: str = "<rsp:Shell/>", **header: str) -> bytes:
    """A request by hand; ``header`` replaces elements of the header, with nothing for an empty text."""
    base = "http://schemas.xmlsoap.org/ws/2004/09/" if action.startswith("transfer") else f"{soap.SHELL}/"
    elements = {
        "Action": f"<a:Action>{base}{action}</a:Action>",
        "ResourceURI": f"<w:ResourceURI>{soap.CMD}</w:ResourceURI>",
        "MessageID": "<a:MessageID>uuid:1</a:MessageID>",
    } | header
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in soap.NAMES.items())
    return (
        f"<s:Envelope {declared}><s:Header>{''.join(elements.values())}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def receive(shell: str, command: str) -> bytes:
    selectors = f"<w:SelectorSet><w:Selector Name='ShellId'>{shell}</w:Selector></w:SelectorSet>"
    stream = f"<rsp:DesiredStream CommandId='{command}'>stdout stderr</rsp:DesiredStream>"
    return envelope("Receive", f"<rsp:Receive>{stream}</rsp:Receive>", Selectors=selectors)
