"""Many servers in one process, and over TLS."""

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from winrm.exceptions import (
    InvalidCredentialsError,
    WSManFaultError,
)

from remediate_lab.engine import Server
from remediate_lab.wsman import WsmanServer
from tests.lab.wsman.service import PASSWORD, PORT, USER, Engine, Lab, loopback, run, running


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_servers_are_kept_apart(auth: Literal["basic", "ntlm"]) -> None:
    """The address that is called says which server runs the command, and a shell of one is unknown to the other."""
    with running(auth, [next(loopback), next(loopback)]) as lab, lab.client(0) as first, lab.client(1) as second:
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
    with running("ntlm", [next(loopback) for _ in range(4)]) as lab, ThreadPoolExecutor(20) as threads:

        def one(n: int) -> bytes:
            with lab.client(n % 4) as client:
                stdout: bytes = run(client, "cat", stdin=[f"{n} ".encode() * 1000, b"end"])[0]
                return stdout

        assert list(threads.map(one, range(20))) == [f"{n} ".encode() * 1000 + b"end" for n in range(20)]


def test_an_address_that_is_taken_is_an_os_error_and_nothing_stays_open() -> None:
    """The address that could be bound is free again, and so is the account file."""
    with running() as lab:
        free = Server("free", next(loopback), Path())
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
    address = next(loopback)
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
