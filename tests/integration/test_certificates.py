"""HTTPS that fails is reported by its cause: a certificate's age, name or issuer, the TLS version, the client's own."""

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.test_wire import audit, write

DAY = timedelta(days=1)


class Authority:
    """Makes certificates; its own is ``ca``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
        self.ca = self.make("ca", "an authority", key=self.key)

    def make(
        self, file: str, name: str, begins: timedelta = -DAY, ends: timedelta = DAY, key: Any = None, own: bool = False
    ) -> Path:  # fmt: skip
        """A file with a certificate of 127.0.0.1 or of a name, and its key."""
        now = datetime.now(UTC)
        basic = x509.BasicConstraints(ca=key is not None, path_length=None)
        holder = key or ec.generate_private_key(ec.SECP256R1())
        general = x509.IPAddress(IPv4Address(name)) if name[0].isdigit() else x509.DNSName("name.example")
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(
            issuer_name=subject if own else self.name, subject_name=subject, public_key=holder.public_key(),
            serial_number=x509.random_serial_number(), not_valid_before=now + begins, not_valid_after=now + ends,
        )  # fmt: skip
        builder = builder.add_extension(basic, critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([general]), critical=False)
        keys = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(keys), critical=False
        )
        if basic.ca:
            builder = builder.add_extension(keys, critical=False)
        made = builder.sign(holder if own else self.key, hashes.SHA256())
        path = self.folder / f"{file}.pem"
        path.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + holder.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path


@contextmanager
def tls(context: ssl.SSLContext) -> Iterator[int]:
    """A port that takes a handshake and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError), connection:
                    connection.settimeout(10)
                    with context.wrap_socket(connection, server_side=True) as wrapped:
                        wrapped.recv(65536)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    with ExitStack() as opened:

        def start(certificate: Path, **settings: Any) -> int:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            if ca := settings.pop("ca", None):
                context.load_verify_locations(ca)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.1: that it is old is the point
                for name, value in settings.items():
                    setattr(context, name, value)
            return opened.enter_context(tls(context))

        yield start


def test_each_trouble_by_its_name(tmp_path: Path, serve: Callable[..., int]) -> None:
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    good = ours.make("good", "127.0.0.1")
    mine = {"ansible_winrm_transport": "certificate", "ansible_winrm_cert_pem": str(others.make("me", "me"))}
    mine["ansible_winrm_cert_key_pem"] = mine["ansible_winrm_cert_pem"]
    client = {"ca": ours.ca, "verify_mode": ssl.CERT_REQUIRED}
    cases: dict[str, tuple[int, dict[str, Any], tuple[str, ...]]] = {
        "expired": (serve(ours.make("old", "127.0.0.1", -2 * DAY, -DAY)), {}, ("has expired",)),
        "early": (serve(ours.make("new", "127.0.0.1", DAY, 2 * DAY)), {}, ("not valid yet", "clocks")),
        "name": (serve(ours.make("name", "name.example")), {}, ("another name", "ansible_host")),
        "self": (serve(ours.make("self", "127.0.0.1", own=True)), {}, ("self-signed", "ansible_winrm_ca_trust_path")),
        "issuer": (serve(others.make("other", "127.0.0.1")), {}, ("authority", "ansible_winrm_ca_trust_path")),
        "version": (
            serve(good, maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1),
            {}, ("TLS version",),
        ),
        "client12": (serve(good, maximum_version=ssl.TLSVersion.TLSv1_2, **client), mine, ("client certificate",)),
        "client13": (serve(good, minimum_version=ssl.TLSVersion.TLSv1_3, **client), mine, ("client certificate",)),
        "no-file": (serve(good), mine | {"ansible_winrm_cert_pem": __file__}, ("ansible_winrm_cert_pem",)),
    }  # fmt: skip
    common = {"ansible_winrm_scheme": "https", "ansible_winrm_ca_trust_path": str(ours.ca)}
    hosts = {name: common | {"ansible_port": port} | more for name, (port, more, _) in cases.items()}
    found = audit(write(tmp_path, hosts))
    for name, (_, _, words) in cases.items():
        detail = found[name]["detail"]
        assert found[name]["status"] == "unreachable"
        assert all(word in detail for word in words), (name, detail)
        if name.startswith("client"):
            assert "not trusted" not in detail
