"""Who may come in: Basic, NTLM, and what NTLM seals."""

import base64
import http.client
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import spnego
from hypothesis import given
from hypothesis import strategies as st
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from remediate_lab.wsman import WsmanServer
from tests.lab.wsman.service import PASSWORD, PORT, USER, Engine, Lab, envelope, messages, run, running


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
