"""A Windows server with PowerShell remoting, as far as Ansible's psrp plugin needs one.

WS-Management on one side, the server mode of a real PowerShell (`pwsh -s`) on the other: what goes between is the
PowerShell Remoting Protocol itself, which is only handed on, fragment by fragment. Plain HTTP with Basic.
"""

import asyncio
import base64
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from remediate_lab.engine import Server
from remediate_lab.pwsh import PwshEngine
from remediate_lab.wsman.soap import NAMES, Envelope, parse_envelope
from tests.background import background_loop

_POWERSHELL = "http://schemas.microsoft.com/powershell"
_SESSION = str(uuid.UUID(int=0))
_LINE = re.compile(rb"<(\w+) (?:Stream='\w+' )?PSGuid='([-0-9a-fA-F]+)'\s*(?:/>|>([^<]*)</Data>)")
_OPENED = """<x:ResourceCreated><a:Address>-</a:Address><a:ReferenceParameters><w:SelectorSet>
<w:Selector Name="ShellId">{0}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>
<rsp:Shell><rsp:ShellId>{0}</rsp:ShellId></rsp:Shell>"""
_FAULT = """<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Detail>
<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="2150858793" Machine="-">
<f:Message>timed out</f:Message></f:WSManFault></s:Detail></s:Fault>"""


@dataclass
class _Shell:
    """One `pwsh -s`: lines of XML go in and come out, each with a fragment for the session or for a pipeline."""

    stdin: asyncio.StreamReader = field(default_factory=asyncio.StreamReader)
    out: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    acknowledged: int = 0
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    partial: bytes = b""
    running: "asyncio.Task[int] | None" = None

    def start(self, engine: PwshEngine, server: Server) -> None:
        self.running = asyncio.create_task(engine.run(server, "powershell -s -NoLogo", self.stdin, self._emit))

    async def put(self, text: str) -> None:
        """One line, and its acknowledgement: lines sent at once may be taken up in any order."""
        async with self.sending:
            before = self.acknowledged
            self.stdin.feed_data(text.encode() + b"\n")
            async with self.arrived:
                await self.arrived.wait_for(lambda: self.acknowledged > before)

    async def data(self, target: str, base64_text: str) -> None:
        await self.put(f"<Data Stream='Default' PSGuid='{target}'>{''.join(base64_text.split())}</Data>")

    def _emit(self, _stream: str, data: bytes) -> None:
        *lines, self.partial = (self.partial + data).split(b"\n")
        for line in lines:
            match = _LINE.match(line.strip())
            if match and match[1] == b"Data":
                self.out[match[2].decode().lower()].append(match[3])
            elif match and match[1].endswith(b"Ack"):
                self.acknowledged += 1
        if lines:
            asyncio.get_running_loop().create_task(self._wake())

    async def _wake(self) -> None:
        async with self.arrived:
            self.arrived.notify_all()

    async def take(self, target: str) -> list[bytes]:
        """What has come for the target; waits for it."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: bool(self.out[target]))
            return [self.out[target].pop(0)]


@dataclass
class _Service:
    engine: PwshEngine
    server: Server
    authorization: str
    shells: dict[str, _Shell] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        message = await request.read()
        if request.headers.get("Authorization") != self.authorization:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="WSMAN"'})
        envelope = parse_envelope(message)
        try:
            body, status = await asyncio.wait_for(self._answer(envelope), 15), 200
        except TimeoutError:
            body, status = _FAULT, 500
        declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
        text = (
            f"<s:Envelope {declared}><s:Header><a:RelatesTo>{envelope.message_id}</a:RelatesTo></s:Header>"
            f"<s:Body>{body}</s:Body></s:Envelope>"
        )
        return web.Response(text=text, status=status, content_type="application/soap+xml")

    async def _answer(self, envelope: Envelope) -> str:
        body = envelope.body
        action = envelope.header.findtext("a:Action", "", NAMES).rpartition("/")[2]
        if action == "Create":
            opening = body.findtext(f"rsp:Shell/{{{_POWERSHELL}}}creationXml", "", NAMES)
            name, shell = str(uuid.uuid4()).upper(), _Shell()
            self.shells[name] = shell
            shell.start(self.engine, self.server)
            await shell.data(_SESSION, opening)
            return _OPENED.format(name)
        name = envelope.header.findtext("w:SelectorSet/w:Selector", "", NAMES)
        shell = self.shells[name]
        (asked,) = list(body) or [body]
        target = next((e.get("CommandId", "") for e in asked.iter() if e.get("CommandId")), _SESSION).lower()
        if action == "Command":
            await shell.put(f"<Command PSGuid='{target}' />")
            await shell.data(target, asked.findtext("rsp:Arguments", "", NAMES))
            return f"<rsp:CommandResponse><rsp:CommandId>{target.upper()}</rsp:CommandId></rsp:CommandResponse>"
        if action == "Send":
            await shell.data(target, asked.findtext("rsp:Stream", "", NAMES))
        elif action == "Receive":
            streams = "".join(
                f'<rsp:Stream Name="stdout" CommandId="{target}">{data.decode()}</rsp:Stream>'
                for data in await shell.take(target)
            )
            return f"<rsp:ReceiveResponse>{streams}</rsp:ReceiveResponse>"
        elif action == "Signal":
            await shell.put(f"<Close PSGuid='{target}' />")
        elif action == "Delete":
            shell.stdin.feed_eof()
            del self.shells[name]
            if shell.running is not None:
                shell.running.cancel()
        return f"<rsp:{action}Response />"


@contextmanager
def psrp_server(pwsh: Path, server: Server, folder: Path, password: str) -> Iterator[dict[str, Any]]:
    """Serve it in a thread of its own until left; gives what an inventory says of it."""
    engine = PwshEngine(pwsh, folder / "engine")
    service = _Service(engine, server, f"Basic {base64.b64encode(f'ops:{password}'.encode()).decode()}")

    async def listen() -> tuple[web.AppRunner, int]:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/wsman", service.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, server.address, 0)
        await site.start()
        return runner, runner.addresses[0][1]

    with background_loop() as run:
        runner, port = run(listen())
        try:
            yield {
                "ansible_connection": "psrp", "ansible_host": server.address, "ansible_port": port,
                "ansible_user": "ops", "ansible_password": password, "ansible_psrp_protocol": "http",
                "ansible_psrp_auth": "basic", "ansible_psrp_message_encryption": "never",
            }  # fmt: skip
        finally:
            run(runner.cleanup())
