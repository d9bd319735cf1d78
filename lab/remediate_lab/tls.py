"""The lab's own certificate authority, and one certificate for all its servers: their addresses and their names.

The authority's key is thrown away once it has signed.
"""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

AUTHORITY = "ca.pem"
_SERVER = "server.pem"
_LIFE = timedelta(days=365)


def make_certificates(folder: Path, addresses: Mapping[str, str]) -> Path:
    """Write them for servers by name -> address; the path of the authority's certificate."""
    folder.mkdir(mode=0o700)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = (
        _builder("remediate lab CA", "remediate lab CA", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.IPAddress(ip_address(address)) for address in addresses.values()]
    names += [x509.DNSName(name) for name in addresses]
    server = (
        _builder("remediate lab", "remediate lab CA", key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = folder / _SERVER
    private.touch(mode=0o600)
    private.write_bytes(
        server.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / AUTHORITY).write_bytes(authority.public_bytes(Encoding.PEM))
    return folder / AUTHORITY


def load(folder: Path) -> tuple[ssl.SSLContext, bytes]:
    """The context that presents the servers' certificate, and that certificate as DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / _SERVER)
    certificate = x509.load_pem_x509_certificate((folder / _SERVER).read_bytes())
    return context, certificate.public_bytes(Encoding.DER)


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    # Clocks differ, if only by the second in which this runs.
    now = datetime.now(UTC) - timedelta(hours=1)
    return x509.CertificateBuilder(
        issuer_name=_name(issuer), subject_name=_name(subject), public_key=key,
        serial_number=x509.random_serial_number(), not_valid_before=now, not_valid_after=now + _LIFE,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates, key_cert_sign=sign_certificates, crl_sign=sign_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
