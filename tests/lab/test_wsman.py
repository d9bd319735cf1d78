"""The lab's WinRM service, driven by the client that it is for: pywinrm, over real sockets on loopback.

Each test has servers of its own on addresses of its own, with a small engine that is defined here. When a test ends
the servers are closed, and nothing may be left in their event loop.

Faults and replies are thereby proved against pywinrm's reading of them; none was compared with a Windows.
"""

import asyncio
import base64
import contextlib
import datetime
import functools
import gzip
import http.client
import ipaddress
import itertools
import logging
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from remediate.lab.engine import Emit, Server
from remediate.lab.wsman import WsmanServer, soap
from remediate.lab.wsman.faults import Refused
from remediate.lab.wsman.shells import CHUNK, Shells

USER, PASSWORD, PORT = "Administrator", "pa ss;wörd", 15985
T = TypeVar("T")

# 127.x.y.n: x and y from the process's id, n counted up, so that no two tests and no two test runs meet.
_addresses = (f"127.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}.{n}" for n in itertools.count(1))


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
        left = self.do(_other_tasks())
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


async def _other_tasks() -> list[asyncio.Task[Any]]:
    # One turn of the loop, in which tasks that have just ended are let go.
    await asyncio.sleep(0)
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@contextlib.contextmanager
def running(auth: Literal["basic", "ntlm"] = "basic", addresses: list[str] | None = None, **more: Any) -> Iterator[Lab]:
    lab = Lab(auth, addresses or [next(_addresses)], **more)
    try:
        lab.do(lab.service.start())
        yield lab
    finally:
        lab.close()


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as lab:
        yield lab


@pytest.fixture
def ntlm() -> Iterator[Lab]:
    with running("ntlm") as lab:
        yield lab


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[Lab]:
    """One lab for the many examples of hypothesis."""
    with running() as lab:
        yield lab


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


# Commands


def test_a_command_gives_its_output_and_exit_code(lab: Lab) -> None:
    """stdout, stderr and the exit code arrive, and the line is Command and Arguments joined by a space."""
    with lab.client() as client:
        assert run(client, "both") == (b"out 1, out 2", b"err", 0)
        assert run(client, "say", "a", '"b  c"') == (b'a "b  c"', b"", 0)
        assert run(client, "exit 3") == (b"", b"", 3)
        assert run(client, "exit -1073741510") == (b"", b"", -1073741510)


def test_text_of_all_alphabets_passes(lab: Lab) -> None:
    """What is not ASCII, and what XML has its own use for, arrives as it was sent."""
    text = "größer <&> \"'] ]]> 日本語 🜨"
    with lab.client() as client:
        assert run(client, f"say {text}") == (text.encode(), b"", 0)


def test_output_comes_in_pieces(lab: Lab) -> None:
    """A Receive is answered while the command still runs, as soon as there is something."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "steps")
        assert client.get_command_output_raw(shell, command) == (b"one", b"", -1, False)
        lab.loop.call_soon_threadsafe(lab.engine.step.set)
        assert client.get_command_output(shell, command) == (b"two", b"", 0)


def test_much_output_is_split_over_several_answers(lab: Lab) -> None:
    """No answer carries more than a chunk, and together they are the output."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, f"flood {3 * CHUNK + 512}")
        sizes, whole, ended = [], b"", False
        while not ended:
            piece, _, _, ended = client.get_command_output_raw(shell, command)
            sizes.append(len(piece))
            whole += piece
        assert sizes == [CHUNK, CHUNK, CHUNK, 512]
        assert whole == bytes(range(256)) * (len(whole) // 256)


def test_a_slow_command_meets_operation_timeouts_that_really_pass(lab: Lab) -> None:
    """Each fault 2150858793 comes after the second that was asked for; in the end there is the result."""
    with lab.client(operation_timeout_sec=1, read_timeout_sec=10) as client:
        shell = client.open_shell()
        begin = time.monotonic()
        command = client.run_command(shell, "late 2.5")
        timeouts = 0
        while True:
            try:
                output = client.get_command_output_raw(shell, command)
                break
            except WinRMOperationTimeoutError:
                timeouts += 1
        elapsed = time.monotonic() - begin
        assert output[0] == b"late"
        assert 2.5 <= elapsed < 10
        assert 1 <= timeouts <= elapsed


def test_a_timeout_of_nothing_does_not_spin(lab: Lab) -> None:
    """PT0S is taken as the shortest timeout there is."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        client.operation_timeout_sec = 0
        begin = time.monotonic()
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell, command)
        assert time.monotonic() - begin >= 0.5


def test_input_arrives_in_chunks_and_ends(lab: Lab) -> None:
    """Chunks as large as Ansible's make one stream, and End is the end of it."""
    chunks = [bytes([65 + n]) * 250_000 for n in range(3)] + [b"\n\0\0\0\0\n\xff", b""]
    with lab.client() as client:
        assert run(client, "cat", stdin=chunks) == (b"".join(chunks), b"", 0)


def test_input_in_console_mode_is_closed(lab: Lab) -> None:
    """A command with WINRS_CONSOLEMODE_STDIN reads nothing, and a Send to it is refused."""
    with lab.client() as client:
        assert run(client, "cat") == (b"", b"", 0)
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        with pytest.raises(WSManFaultError) as caught:
            client.send_command_input(shell, command, b"x")
        assert caught.value.wsman_fault_code == 109


def test_input_is_refused_after_its_end_and_after_the_command(lab: Lab) -> None:
    """Nobody is told that bytes were taken which nobody will read."""
    with lab.client() as client:
        shell = client.open_shell()
        ended = client.run_command(shell, "cat", console_mode_stdin=False)
        client.send_command_input(shell, ended, b"x", end=True)
        over = client.run_command(shell, "exit 0", console_mode_stdin=False)
        client.get_command_output(shell, over)
        for command in (ended, over):
            with pytest.raises(WSManFaultError) as caught:
                client.send_command_input(shell, command, b"y")
            assert caught.value.wsman_fault_code == 109


def test_a_failing_engine_is_one_line_and_exit_code_1(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """The traceback is in the log, not on the wire."""
    with lab.client() as client:
        assert run(client, "fail") == (b"", b"The lab's engine failed: RuntimeError: it broke\r\n", 1)
        assert run(client, "say on") == (b"on", b"", 0)
    records = [record for record in caplog.records if record.name == "remediate.lab"]
    assert len(records) == 1
    assert records[0].levelno == logging.ERROR
    assert records[0].exc_info


def test_a_line_that_cmd_cannot_take_fails_as_it_does_there(lab: Lab) -> None:
    """More than 8,191 characters fail, unless cmd.exe is skipped."""
    line = "say " + "x" * 8188
    with lab.client() as client:
        assert run(client, line) == (b"", b"The command line is too long.\r\n", 1)
        assert run(client, line[:-1]) == (b"x" * 8187, b"", 0)
        shell = client.open_shell()
        command = client.run_command(shell, line, skip_cmd_shell=True)
        assert client.get_command_output(shell, command) == (b"x" * 8188, b"", 0)


# Endings


def test_signal_ends_the_command(lab: Lab) -> None:
    """The answer to Signal comes when the command has ended; then its id is unknown, and the shell goes on."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        assert lab.engine.hanging.acquire(timeout=10)
        client.cleanup_command(shell, command)
        assert lab.engine.ended.acquire(blocking=False)
        with pytest.raises(WSManFaultError) as caught:
            client.get_command_output(shell, command)
        assert caught.value.wsman_fault_code == 2150858843
        again = client.run_command(shell, "say on")
        assert client.get_command_output(shell, again) == (b"on", b"", 0)


def test_delete_ends_running_commands_and_waiting_receives(lab: Lab) -> None:
    """When Delete is answered the shell's commands have ended, and who waited for output has a fault."""
    with lab.client() as client, lab.client() as other, ThreadPoolExecutor(1) as threads:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        assert lab.engine.hanging.acquire(timeout=10)
        waiting = threads.submit(other.get_command_output, shell, command)
        client.close_shell(shell)
        assert lab.engine.ended.acquire(blocking=False)
        fault = waiting.exception(10)
        assert isinstance(fault, WSManFaultError)
        # 995 when the Receive was there first, else the shell is unknown already.
        assert fault.wsman_fault_code in (995, 2150858843)


def test_closing_the_server_ends_everything() -> None:
    """Commands have ended when close() is over, waiting clients have an answer, and nobody can connect."""
    with running() as lab, lab.client() as client, ThreadPoolExecutor(1) as threads:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        assert lab.engine.hanging.acquire(timeout=10)
        waiting = threads.submit(client.get_command_output, shell, command)
        lab.do(lab.service.close())
        assert lab.engine.ended.acquire(blocking=False)
        assert waiting.exception(10) is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((lab.address, PORT))


def test_a_command_that_will_not_end_is_not_called_ended(lab: Lab) -> None:
    """Signal waits no longer than its operation timeout, says so, and can be sent again."""
    with lab.client(operation_timeout_sec=1) as client:
        shell = client.open_shell()
        command = client.run_command(shell, "stubborn")
        assert lab.engine.hanging.acquire(timeout=10)
        with pytest.raises(WinRMOperationTimeoutError):
            client.cleanup_command(shell, command)
        assert not lab.engine.ended.acquire(blocking=False)
        lab.loop.call_soon_threadsafe(lab.engine.step.set)
        client.cleanup_command(shell, command)
        assert lab.engine.ended.acquire(blocking=False)


def test_an_idle_shell_ends_with_its_commands(lab: Lab) -> None:
    """A shell whose client has vanished is closed after the idle timeout that it was opened with."""
    with lab.client() as client:
        shell = client.open_shell(idle_timeout="PT0.2S")
        client.run_command(shell, "hang")
    assert lab.engine.ended.acquire(timeout=10)
    with lab.client() as client, pytest.raises(WSManFaultError) as caught:
        client.run_command(shell, "say x")
    assert caught.value.wsman_fault_code == 2150858843


def test_a_shell_is_not_idle_while_someone_waits_for_output(lab: Lab) -> None:
    """A Receive that takes longer than the idle timeout gets its output."""
    with lab.client() as client:
        shell = client.open_shell(idle_timeout="PT1S")
        command = client.run_command(shell, "late 2.2")
        assert client.get_command_output(shell, command) == (b"late", b"", 0)


def test_a_client_that_has_gone_takes_no_output_with_it(lab: Lab) -> None:
    """A Receive ends with its connection, and what comes afterwards is for the client that asks again."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "steps")
        assert client.get_command_output_raw(shell, command)[0] == b"one"
        with contextlib.suppress(TimeoutError):
            lab.post(receive(shell, command), timeout=0.2)
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(client.get_command_output, shell, command)
            lab.loop.call_soon_threadsafe(lab.engine.step.set)
            assert waiting.result(10) == (b"two", b"", 0)


# Refusals


def test_what_is_unknown_is_a_fault(lab: Lab) -> None:
    """Unknown shells and commands get Windows's code, whatever is asked of them."""
    nobody = "11111111-2222-3333-4444-555555555555"
    with lab.client() as client:
        shell = client.open_shell()
        for asking in (
            lambda: client.run_command(nobody, "say x"),
            lambda: client.get_command_output(nobody, nobody),
            lambda: client.get_command_output(shell, nobody),
            lambda: client.send_command_input(shell, nobody, b"x"),
            lambda: client.cleanup_command(shell, nobody),
            lambda: client.close_shell("<&>", close_session=False),
        ):
            with pytest.raises(WSManFaultError) as caught:
                asking()
            assert caught.value.wsman_fault_code == 2150858843
            assert (caught.value.fault_code, caught.value.fault_subcode) == ("s:Sender", "w:InvalidSelectors")
        assert run(client, "say on") == (b"on", b"", 0)


def test_a_user_has_thirty_shells(lab: Lab) -> None:
    """The thirty-first is refused with Windows's quota fault, until one is closed."""
    with lab.client() as client:
        shells = [client.open_shell() for _ in range(30)]
        with pytest.raises(WSManFaultError) as caught:
            client.open_shell()
        assert caught.value.wsman_fault_code == 2150859173
        client.close_shell(shells[0], close_session=False)
        client.open_shell()


def test_a_users_commands_are_counted_until_the_shell_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quota of operations has the WMI form that Ansible looks for; ended commands count, a new shell helps."""
    monkeypatch.setattr("remediate.lab.wsman.server.Shells", functools.partial(Shells, max_operations=2))
    with running() as lab, lab.client() as client:
        shell = client.open_shell()
        for _ in range(2):
            client.cleanup_command(shell, client.run_command(shell, "say x"))
        with pytest.raises(WSManFaultError) as caught:
            client.run_command(shell, "say x")
        assert caught.value.wmierror_code == 0x803381A6
        client.close_shell(shell, close_session=False)
        assert run(client, "say on") == (b"on", b"", 0)


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


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no XML at all", id="text"),
        pytest.param(b"<a/>", id="another document"),
        pytest.param(envelope(MessageID=""), id="no MessageID"),
        pytest.param(f'<!DOCTYPE s [<!ENTITY l0 "ha">{LAUGHS}]><s>&l11;</s>'.encode(), id="billion laughs"),
        pytest.param(b'<!DOCTYPE s [<!ENTITY f SYSTEM "file:///etc/passwd">]><s>&f;</s>', id="external entity"),
        pytest.param(b"<!DOCTYPE s SYSTEM 'http://127.0.0.1/'>" + envelope(), id="external document type"),
        pytest.param(b'<?xml version="1.0" encoding="unicode_escape"?><s>\\u0041\\</s>', id="codec"),
        pytest.param(b"<a>" * 300_000, id="deep, not closed"),
        pytest.param(b"<a>" * 200_000 + b"</a>" * 200_000, id="deep"),
        pytest.param(b"\xff\xfe<\0a\0/\0>\0", id="UTF-16"),
    ],
)
def test_what_is_no_envelope_is_a_bad_request(lab: Lab, body: bytes) -> None:
    """HTTP 400 and one line that says why; nothing is expanded, nothing is fetched, and the server goes on."""
    begin = time.monotonic()
    status, text, _ = lab.post(body)
    assert (status, text.count(b"\n")) == (400, 1)
    assert time.monotonic() - begin < 10
    with lab.client() as client:
        assert run(client, "say on") == (b"on", b"", 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (envelope("transfer/Get"), 2150858771),
        (envelope(Action=""), 2150858771),
        (envelope(ResourceURI="<w:ResourceURI>http://x/</w:ResourceURI>"), 2150858752),
        (envelope(Timeout="<w:OperationTimeout>20</w:OperationTimeout>"), 2150858817),
        (envelope(Timeout="<w:OperationTimeout>-PT1S</w:OperationTimeout>"), 2150858817),
        (envelope(Timeout="<w:OperationTimeout>PT</w:OperationTimeout>"), 2150858817),
        (envelope(body="<rsp:Shell><rsp:IdleTimeOut>P1M</rsp:IdleTimeOut></rsp:Shell>"), 2150858817),
        (envelope(O="<w:OptionSet><w:Option Name='WINRS_CODEPAGE'>utf-8</w:Option></w:OptionSet>"), 2150858817),
        (envelope("Command", ""), 2150858817),
        (envelope("Receive", "<rsp:Receive/>"), 2150858817),
        (envelope("Signal", "<rsp:Signal CommandId='1'><rsp:Code>x</rsp:Code></rsp:Signal>"), 2150858817),
        (envelope("Send", "<rsp:Send><rsp:Stream Name='stdin' CommandId='1'>?</rsp:Stream></rsp:Send>"), 2150858817),
        (envelope("Send", "<rsp:Send><rsp:Stream Name='stdin' CommandId='1'>ä</rsp:Stream></rsp:Send>"), 2150858817),
        (envelope("Send", "<rsp:Send><rsp:Stream Name='pr' CommandId='1'/></rsp:Send>"), 2150858817),
        (envelope("Send", "<rsp:Send/>"), 2150858817),
    ],
)
def test_an_envelope_that_cannot_be_served_is_a_fault(lab: Lab, body: bytes, code: int) -> None:
    """HTTP 500 with a SOAP fault that relates to the request."""
    status, text, headers = lab.post(body)
    assert status == 500
    assert headers["Content-Type"] == "application/soap+xml;charset=UTF-8"
    assert f'Code="{code}"'.encode() in text
    assert b"<a:RelatesTo>uuid:1</a:RelatesTo>" in text


def test_durations_are_read_in_all_their_parts() -> None:
    """xs:duration without years and months, which have no length."""
    for text, seconds in {"PT20S": 20, "PT60.000S": 60, "P1DT1H1M1.5S": 90061.5, "PT1M": 60, "PT0S": 0.5}.items():
        request = soap.parse_envelope(envelope(Timeout=f"<w:OperationTimeout>{text}</w:OperationTimeout>"))
        assert soap.parse_request(request).timeout == seconds
    assert soap.parse_request(soap.parse_envelope(envelope())).timeout == 60


def test_what_a_shell_was_opened_with_is_kept() -> None:
    """Environment, code page, folder and idle timeout are read from Create."""
    body = (
        "<rsp:Shell><rsp:WorkingDirectory>C:\\x</rsp:WorkingDirectory><rsp:IdleTimeOut>PT1H</rsp:IdleTimeOut>"
        "<rsp:Environment><rsp:Variable Name='A'>1</rsp:Variable><rsp:Variable Name='B'/></rsp:Environment></rsp:Shell>"
    )
    options = "<w:OptionSet><w:Option Name='WINRS_CODEPAGE'>65001</w:Option></w:OptionSet>"
    request = soap.parse_request(soap.parse_envelope(envelope(body=body, Options=options)))
    assert request.operation == soap.CreateShell((("A", "1"), ("B", "")), 65001, "C:\\x", 3600.0)


def test_only_post_to_wsman_is_served(lab: Lab) -> None:
    """Everything else is not found; what is too large is refused for that."""
    assert lab.post(b"", "GET")[0] == 404
    assert lab.post(b"", "PUT")[0] == 404
    assert lab.post(envelope(), path="/")[0] == 404
    assert lab.post(envelope(), path="/wsman/x")[0] == 404
    assert lab.post(b" " * (2 * 1024 * 1024 + 1))[0] == 413
    assert lab.post(envelope())[0] == 200


def test_a_broken_body_is_a_bad_request(lab: Lab) -> None:
    """Compressed bodies are not opened, and a broken transfer gets no traceback, in asyncio's debug mode neither."""
    lab.loop.call_soon_threadsafe(lab.loop.set_debug, True)
    compressed: dict[str, Any] = {"Content-Encoding": "gzip"}
    for body in (b"garbage", gzip.compress(envelope())):
        assert lab.post(body, **compressed)[0] == 400
    account = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    head = f"POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {account}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((lab.address, PORT), timeout=30) as connection:
        connection.sendall(head.encode() + b"nonsense\r\n\r\n")
        answer = connection.recv(65536)
    assert b" 400 " in answer.splitlines()[0]
    assert b"Traceback" not in answer
    assert lab.post(envelope())[0] == 200


def test_an_unexpected_error_is_an_empty_500(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Should the server itself be wrong, the client learns no more than that, and the log everything."""
    lab.loop.call_soon_threadsafe(lab.loop.set_debug, True)
    monkeypatch.setattr(soap, "parse_envelope", lambda _: 1 / 0)
    assert lab.post(envelope())[:2] == (500, b"")
    assert "ZeroDivisionError" in caplog.text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(min_size=1, max_size=300))
@example(body=b"\0")
@example(body=b"<")
def test_any_bytes_are_an_error_and_the_server_goes_on(shared_lab: Lab, body: bytes) -> None:
    """Whatever is posted, the answer is an HTTP error, and the next request is served."""
    status, text, _ = shared_lab.post(body)
    assert 400 <= status < 600
    assert b"Traceback" not in text
    assert shared_lab.post(envelope("transfer/Get"))[0] == 500


VALID = [
    envelope(),
    envelope("transfer/Delete", ""),
    envelope(
        "Command", "<rsp:CommandLine><rsp:Command>x</rsp:Command><rsp:Arguments>y</rsp:Arguments></rsp:CommandLine>"
    ),
    envelope("Send", "<rsp:Send><rsp:Stream Name='stdin' CommandId='1' End='true'>eHg=</rsp:Stream></rsp:Send>"),
    envelope("Receive", "<rsp:Receive><rsp:DesiredStream CommandId='1'>stdout</rsp:DesiredStream></rsp:Receive>"),
    envelope("Signal", f"<rsp:Signal CommandId='1'><rsp:Code>{soap.SHELL}/signal/terminate</rsp:Code></rsp:Signal>"),
]


@settings(max_examples=500, deadline=None)
@given(
    base=st.sampled_from(VALID),
    at=st.integers(0, 1200),
    cut=st.integers(0, 200),
    inserted=st.one_of(st.binary(max_size=20), st.sampled_from([b"<", b"&amp;", b"</s:Body>", b"<!DOCTYPE s>", b"'"])),
)
def test_a_mangled_envelope_is_read_or_refused(base: bytes, at: int, cut: int, inserted: bytes) -> None:
    """Any bytes give a Request, Malformed or Refused, and nothing else."""
    with contextlib.suppress(soap.Malformed, Refused):
        request = soap.parse_request(soap.parse_envelope(base[:at] + inserted + base[at + cut :]))
        assert isinstance(request, soap.Request)


# Accounts


def test_basic_wants_the_account(lab: Lab) -> None:
    """A wrong password, a wrong user or none is turned away; the user's case does not matter."""
    for more in ({"password": "x"}, {"password": ""}, {"username": "x"}):
        with lab.client(**more) as client, pytest.raises(InvalidCredentialsError):
            client.open_shell()
    with lab.client(username=USER.upper()) as client:
        assert run(client, "say on") == (b"on", b"", 0)
    for account in (f"{USER}:{PASSWORD}".encode(), f"{USER}:{PASSWORD}".encode("latin-1")):
        assert lab.post(envelope(), Authorization=f"Basic {base64.b64encode(account).decode()}")[0] == 200
    for header in ("", "Basic", "Basic ?", "Basic !!!!", "Negotiate eHh4", "x"):
        status, _, headers = lab.post(envelope(), Authorization=header)
        assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="WSMAN"')
    assert [line for _, line in lab.engine.ran] == ["say on"]


def test_ntlm_runs_commands_and_nothing_can_be_read_on_the_wire(ntlm: Lab) -> None:
    """pywinrm encrypts, and what goes over the wire holds neither envelopes nor the command nor its output."""
    with ntlm.client(message_encryption="always") as client:
        seen = messages(client)
        secret = "s3cret" * 100
        assert run(client, f"say {secret}") == (secret.encode(), b"", 0)
        assert run(client, "cat", stdin=[b"x" * 250_000, b"y"]) == (b"x" * 250_000 + b"y", b"", 0)
        assert run(client, "exit 7") == (b"", b"", 7)
    # The first request is the empty one that authenticates.
    assert seen[0] == (b"", b"")
    for sent, got in seen[1:]:
        for body in (sent, got):
            assert body.startswith(b"--Encrypted Boundary\r\n")
            assert not any(word in body for word in (b"Envelope", b"s3cret", base64.b64encode(b"s3cret")))


def test_faults_are_encrypted_too(ntlm: Lab) -> None:
    """An operation timeout and a fault come through NTLM as they do without."""
    with ntlm.client(operation_timeout_sec=1) as client:
        shell = client.open_shell()
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell, client.run_command(shell, "hang"))
        with pytest.raises(WSManFaultError) as caught:
            client.get_command_output(shell, "x")
        assert caught.value.wsman_fault_code == 2150858843


def test_plain_messages_are_refused_with_ntlm_over_http(ntlm: Lab) -> None:
    """As with AllowUnencrypted=false: authenticated or not, an unencrypted envelope is not read."""
    with ntlm.client(message_encryption="never") as client, pytest.raises(WinRMTransportError) as caught:
        client.open_shell()
    assert caught.value.code == 500
    assert ntlm.engine.ran == []


def test_ntlm_wants_the_account(ntlm: Lab) -> None:
    """Wrong accounts and other schemes are turned away, and only Negotiate is offered."""
    for more in ({"password": "x"}, {"username": "x"}, {"username": "ELSEWHERE\\Administrator"}):
        with ntlm.client(**more) as client, pytest.raises(InvalidCredentialsError):
            client.open_shell()
    status, _, headers = ntlm.post(envelope())
    assert (status, headers.get_all("WWW-Authenticate")) == (401, ["Negotiate"])
    with ntlm.client() as client:
        assert run(client, "say on") == (b"on", b"", 0)


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_user_may_have_a_domain(auth: Literal["basic", "ntlm"]) -> None:
    """A user that was given with a domain may come with it or without."""
    with running(auth, user="LAB\\admin") as lab:
        for name in ("LAB\\admin", "admin", "lab\\Admin"):
            with lab.client(username=name) as client:
                assert run(client, "say on") == (b"on", b"", 0)
        with lab.client(username="OTHER\\admin") as client, pytest.raises(InvalidCredentialsError):
            client.open_shell()


def test_the_account_file_is_private_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """NTLM_USER_FILE is ours while the server runs, readable by nobody else, and as it was afterwards."""
    monkeypatch.setenv("NTLM_USER_FILE", "/before")
    with running("ntlm"):
        file = Path(os.environ["NTLM_USER_FILE"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.environ["NTLM_USER_FILE"] == "/before"
    assert not file.parent.exists()


def test_a_process_has_one_ntlm_server(ntlm: Lab) -> None:
    """A second one is refused with a reason, and does not disturb the first."""
    with pytest.raises(RuntimeError, match="one NTLM_USER_FILE"), running("ntlm"):
        pass
    with ntlm.client() as client:
        assert run(client, "say on") == (b"on", b"", 0)


@pytest.mark.parametrize("more", [{"password": "a:b"}, {"password": "a\nb"}, {"user": "a:b"}])
def test_an_account_that_the_file_cannot_hold_is_refused(more: dict[str, str]) -> None:
    """Its lines know no quoting; silently letting nobody in would be worse."""
    settings: dict[str, Any] = {"port": PORT, "auth": "ntlm", "user": USER, "password": PASSWORD} | more
    with pytest.raises(ValueError, match="colon"):
        WsmanServer([], Engine(), **settings)


class Connection:
    """An NTLM connection by hand, to send what pywinrm would not."""

    def __init__(self, lab: Lab) -> None:
        self._http = http.client.HTTPConnection(lab.address, PORT, timeout=30)
        self.context = spnego.client(USER, PASSWORD, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, body: bytes = b"", **headers: str) -> tuple[int, bytes, str]:
        self._http.request("POST", "/wsman", body, headers)
        response = self._http.getresponse()
        return response.status, response.read(), response.headers.get("WWW-Authenticate", "")

    def authenticate(self) -> int:
        token = self.context.step()
        _, _, challenge = self.post(Authorization=f"Negotiate {base64.b64encode(token or b'').decode()}")
        token = self.context.step(base64.b64decode(challenge.removeprefix("Negotiate ")))
        return self.post(Authorization=f"Negotiate {base64.b64encode(token or b'').decode()}")[0]

    def encrypted(self, message: bytes, spoil: Callable[[bytes], bytes] = bytes) -> int:
        sealed = self.context.wrap_winrm(message)
        part = len(sealed.header).to_bytes(4, "little") + sealed.header + sealed.data
        body = (
            b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
            b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n%b--Encrypted Boundary--\r\n"
        ) % (len(message), part)
        kind = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
        return self.post(spoil(body), **{"Content-Type": kind})[0]


def test_a_connection_is_authenticated_not_a_client(ntlm: Lab) -> None:
    """What holds on one connection holds on no other."""
    with Connection(ntlm) as first, Connection(ntlm) as second:
        assert first.authenticate() == 200
        assert first.encrypted(envelope()) == 200
        assert second.post()[0] == 401
        first.context, second.context = second.context, first.context
        assert second.encrypted(envelope()) == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-40] + bytes([body[-40] ^ 1]) + body[-39:],
        lambda body: body.replace(b"Length=", b"Length=1"),
        lambda body: body[:200],
        lambda _body: b"",
        lambda body: body.replace(b"octet", b"octopus"),
    ],
    ids=["a bit", "length", "cut", "empty", "type"],
)
def test_a_message_that_was_tampered_with_ends_the_connections_rights(
    ntlm: Lab, spoil: Callable[[bytes], bytes]
) -> None:
    """It is a bad request, and the connection has to authenticate anew."""
    with Connection(ntlm) as connection:
        assert connection.authenticate() == 200
        assert connection.encrypted(envelope(), spoil) == 400
        assert connection.encrypted(envelope()) == 401
        connection.context = connection.context.new_context()
        assert connection.authenticate() == 200
        assert connection.encrypted(envelope()) == 200


def test_any_token_is_turned_away_and_the_server_goes_on() -> None:
    """Whatever a client calls a Negotiate token, the answer is 401 and no traceback."""
    with running("ntlm") as lab, Connection(lab) as connection:
        context = spnego.client(USER, PASSWORD, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        hello = context.step() or b""
        _, _, challenge = connection.post(Authorization=f"Negotiate {base64.b64encode(hello).decode()}")
        proof = context.step(base64.b64decode(challenge.removeprefix("Negotiate "))) or b""

        @settings(max_examples=200, deadline=None)
        @given(
            base=st.sampled_from([hello, proof, b"NTLMSSP\0", b"\x60\x40\x06", b""]),
            at=st.integers(0, 200),
            cut=st.integers(0, 100),
            inserted=st.binary(max_size=30),
            after_hello=st.booleans(),
        )
        def check(base: bytes, at: int, cut: int, inserted: bytes, after_hello: bool) -> None:
            if after_hello:
                connection.post(Authorization=f"Negotiate {base64.b64encode(hello).decode()}")
            token = base64.b64encode(base[:at] + inserted + base[at + cut :]).decode()
            status, text, offered = connection.post(b"<a/>", Authorization=f"Negotiate {token}")
            assert status == 401
            assert offered.startswith("Negotiate")
            assert b"Traceback" not in text

        check()
        with lab.client() as client:
            assert run(client, "say on") == (b"on", b"", 0)


# Many


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_servers_are_kept_apart(auth: Literal["basic", "ntlm"]) -> None:
    """The address that is called says which server runs the command, and a shell of one is unknown to the other."""
    with running(auth, [next(_addresses), next(_addresses)]) as lab, lab.client(0) as first, lab.client(1) as second:
        shell = first.open_shell()
        with pytest.raises(WSManFaultError) as caught:
            second.run_command(shell, "say x")
        assert caught.value.wsman_fault_code == 2150858843
        assert 'Machine="web2"' in caught.value.response
        run(second, "say 2")
        run(first, "say 1")
        assert lab.engine.ran == [("web2", "say 2"), ("web1", "say 1")]


def test_twenty_clients_at_once_with_ntlm() -> None:
    """Each gets its own output, on four servers."""
    with running("ntlm", [next(_addresses) for _ in range(4)]) as lab, ThreadPoolExecutor(20) as threads:

        def one(n: int) -> bytes:
            with lab.client(n % 4) as client:
                stdout: bytes = run(client, "cat", stdin=[f"{n} ".encode() * 1000, b"end"])[0]
                return stdout

        assert list(threads.map(one, range(20))) == [f"{n} ".encode() * 1000 + b"end" for n in range(20)]


def test_an_address_that_is_taken_is_an_os_error_and_nothing_stays_open() -> None:
    """The address that could be bound is free again, and so is the account file."""
    with running() as lab:
        free = Server("free", next(_addresses), Path())
        settings: dict[str, Any] = {"port": PORT, "auth": "ntlm", "user": USER, "password": PASSWORD}
        service = WsmanServer([free, *lab.servers], lab.engine, **settings)
        with pytest.raises(OSError, match="address already in use"):
            lab.do(service.start())
        assert "NTLM_USER_FILE" not in os.environ
        with socket.create_server((free.address, PORT)):
            pass
        lab.do(service.close())


def test_servers_live_on_loopback_only() -> None:
    """Another address, or one address twice, is refused before anything listens."""
    settings: dict[str, Any] = {"port": PORT, "auth": "basic", "user": USER, "password": PASSWORD}
    outside, inside = Server("a", "192.0.2.1", Path()), Server("b", "127.0.0.1", Path())
    with pytest.raises(ValueError, match=r"a: 192\.0\.2\.1"):
        WsmanServer([outside], Engine(), **settings)
    with pytest.raises(ValueError, match="same address"):
        WsmanServer([inside, inside], Engine(), **settings)


# TLS


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for an address: its file, a context that presents it, and its DER."""

    file: Path
    context: ssl.SSLContext
    der: bytes


def certificate_for(address: str, folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA384())
    )
    file = folder / f"{address}.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(signed.public_bytes(encoding) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return Certificate(file, context, signed.public_bytes(serialization.Encoding.DER))


@contextlib.contextmanager
def running_with_tls(auth: Literal["basic", "ntlm"], folder: Path) -> Iterator[tuple[Lab, Path]]:
    address = next(_addresses)
    own = certificate_for(address, folder)
    with running(auth, [address], tls=own.context, certificate=own.der) as lab:
        yield lab, own.file


def test_basic_over_tls(tmp_path: Path) -> None:
    """The certificate is checked by the client as usual."""
    with running_with_tls("basic", tmp_path) as (lab, ca), lab.client(ca_trust_path=str(ca)) as client:
        assert run(client, "say on") == (b"on", b"", 0)


def test_ntlm_over_tls_is_bound_to_the_certificate(tmp_path: Path) -> None:
    """Messages may be plain or encrypted, but a client that does not prove what certificate it saw stays out."""
    with running_with_tls("ntlm", tmp_path) as (lab, ca):
        for encryption in ("auto", "always"):
            with lab.client(ca_trust_path=str(ca), message_encryption=encryption) as client:
                assert run(client, "say on") == (b"on", b"", 0)
        with lab.client(ca_trust_path=str(ca), send_cbt=False) as client, pytest.raises(InvalidCredentialsError):
            client.open_shell()
