"""What is no request is refused: unknown things, quotas, bad envelopes, any bytes."""

import base64
import contextlib
import functools
import gzip
import socket
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from winrm.exceptions import (
    WSManFaultError,
)

from remediate_lab.wsman import soap
from remediate_lab.wsman.faults import Refused
from remediate_lab.wsman.shells import Shells
from tests.lab.wsman.service import PASSWORD, PORT, USER, Lab, envelope, run, running


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
    monkeypatch.setattr("remediate_lab.wsman.server.Shells", functools.partial(Shells, max_operations=2))
    with running() as lab, lab.client() as client:
        shell = client.open_shell()
        for _ in range(2):
            client.cleanup_command(shell, client.run_command(shell, "say x"))
        with pytest.raises(WSManFaultError) as caught:
            client.run_command(shell, "say x")
        assert caught.value.wmierror_code == 0x803381A6
        client.close_shell(shell, close_session=False)
        assert run(client, "say on") == (b"on", b"", 0)


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
    begin = time.process_time()  # of the server too, which is a thread here
    status, text, _ = lab.post(body)
    assert (status, text.count(b"\n")) == (400, 1)
    assert time.process_time() - begin < 10
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
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
