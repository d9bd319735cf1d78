"""Who may ask, and how messages are sealed.

A gate looks at a request before anything is read from it. Two kinds:
- Basic: the account is in every request, the messages are plain.
- Negotiate (NTLM, by pyspnego's acceptor): the TCP connection is authenticated, not the request, so the state is
  kept by connection. Over plain HTTP the messages must be encrypted, as on a Windows with AllowUnencrypted=false.
  Over TLS they may be plain, and the connection can be bound to the server's certificate.

Encrypted messages are the multipart/encrypted of [MS-WSMV] 2.2.9.1, as pywinrm writes and reads it.

Tried with pywinrm 0.5.0 and requests_ntlm 1.3.0 as clients (tests/lab/wsman/); not with Windows's own client.
"""

import asyncio
import base64
import binascii
import contextlib
import hmac
import logging
import os
import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from remediate_lab.wsman.replies import CONTENT_TYPE

log = logging.getLogger("remediate_lab")

_ENCRYPTED = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
_BOUNDARY = b"--Encrypted Boundary"
_OPENING = re.compile(
    rb"--Encrypted Boundary\r\n"
    rb"[\t ]*Content-Type: *application/HTTP-SPNEGO-session-encrypted\r\n"
    rb"[\t ]*OriginalContent: *type=application/soap\+xml; *charset=UTF-8; *Length=([0-9]{1,9})\r\n"
    rb"--Encrypted Boundary\r\n"
    rb"[\t ]*Content-Type: *application/octet-stream\r\n",
    re.IGNORECASE,
)

# pyspnego finds its accounts by one environment variable, so one gate of a process at a time can have it.
_VARIABLE = "NTLM_USER_FILE"
_variable_taken = threading.Lock()


@dataclass(frozen=True)
class Admitted:
    """The request may be answered. ``seal`` makes an answer's body and its content type out of an envelope."""

    message: bytes
    seal: Callable[[bytes], tuple[bytes, str]]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnedAway:
    """The request is answered with this status."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Gate(Protocol):
    """Decides about each request. ``refusal`` is the answer to who must not in."""

    refusal: TurnedAway

    def open(self) -> None:
        """Get ready. Called once, before the first request."""
        ...

    def close(self) -> None:
        """Give back what ``open`` took. May be called without it, and again."""
        ...

    def admit(
        self, connection: asyncio.BaseTransport, authorization: str, content_type: str, body: bytes, /
    ) -> Admitted | TurnedAway:
        """Decide about the request with this Authorization ("" for none) that came on this connection."""
        ...


def _plain(message: bytes) -> tuple[bytes, str]:
    return message, CONTENT_TYPE


def _credentials(authorization: str, scheme: str) -> bytes | None:
    """What follows the scheme, decoded; None when it is another scheme or not base64."""
    name, _, value = authorization.partition(" ")
    if name.lower() != scheme:
        return None
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


class BasicGate:
    """Basic authentication. A user ``DOMAIN\\name`` is also known as ``name``; the case of a to z does not matter."""

    refusal = TurnedAway(401, "unauthorized", {"WWW-Authenticate": 'Basic realm="WSMAN"'})

    def __init__(self, user: str, password: str) -> None:
        self._known = []
        for name in (user, user.rpartition("\\")[2]):
            # requests, and so pywinrm, sends Latin-1 where it can; other clients send UTF-8.
            for encoding in ("utf-8", "latin-1"):
                with contextlib.suppress(UnicodeEncodeError):
                    self._known.append(name.encode(encoding).lower() + b":" + password.encode(encoding))

    def open(self) -> None:
        """Nothing to get ready."""

    def close(self) -> None:
        """Nothing to give back."""

    def admit(
        self, _connection: asyncio.BaseTransport, authorization: str, _content_type: str, body: bytes, /
    ) -> Admitted | TurnedAway:
        """Admit whoever knows the account."""
        name, colon, password = (_credentials(authorization, "basic") or b"").partition(b":")
        given = name.lower() + colon + password
        if any(hmac.compare_digest(given, known) for known in self._known):
            return Admitted(body, _plain)
        return self.refusal


class NegotiateGate:
    """NTLM. With ``encrypt`` plain messages are refused; ``bindings`` must match what the client saw of TLS.

    A client that sends channel bindings of zeros is let in, as pyspnego does.
    """

    refusal = TurnedAway(401, "unauthorized", {"WWW-Authenticate": "Negotiate"})

    def __init__(self, user: str, password: str, *, encrypt: bool, bindings: GssChannelBindings | None = None) -> None:
        domain, _, name = user.rpartition("\\")
        # The file's lines are DOMAIN:USER:PASSWORD and know no quoting. A client may send a domain or not.
        self._accounts = [f"{domain}:{name}:{password}", f":{name}:{password}"]
        if any(line.count(":") != 2 or len(line.splitlines()) != 1 for line in self._accounts):
            raise ValueError("NTLM: a user or password with a colon or a line break cannot be put into NTLM_USER_FILE")
        self._encrypt = encrypt
        self._bindings = bindings
        self._contexts: WeakKeyDictionary[asyncio.BaseTransport, spnego.ContextProxy] = WeakKeyDictionary()
        self._undo = contextlib.ExitStack()

    def open(self) -> None:
        """Write the account where pyspnego looks for it: a file that only this user can read, in a folder likewise."""
        if not _variable_taken.acquire(blocking=False):
            raise RuntimeError("another WsmanServer with NTLM runs in this process, which has one NTLM_USER_FILE")
        self._undo.callback(_variable_taken.release)
        accounts = Path(self._undo.enter_context(tempfile.TemporaryDirectory(prefix="remediate-lab-"))) / "ntlm-users"
        accounts.touch(mode=0o600)
        accounts.write_text("".join(f"{line}\n" for line in self._accounts), encoding="utf-8")
        self._undo.callback(_set_variable, os.environ.get(_VARIABLE))
        _set_variable(str(accounts))

    def close(self) -> None:
        """Remove the file and put the variable back."""
        self._undo.close()

    def admit(
        self, connection: asyncio.BaseTransport, authorization: str, content_type: str, body: bytes, /
    ) -> Admitted | TurnedAway:
        """Take a handshake one step on, or open a message of an authenticated connection."""
        headers = {}
        if authorization:
            token = self._step(connection, authorization)
            if token:
                headers["WWW-Authenticate"] = f"Negotiate {base64.b64encode(token).decode()}"
        context = self._contexts.get(connection)
        if context is None or not context.complete:
            return TurnedAway(self.refusal.status, self.refusal.reason, {**self.refusal.headers, **headers})
        if content_type.lower().startswith("multipart/encrypted"):
            message = _open(context, body)
            if message is None:
                # The cipher's state no longer matches the client's: nothing on this connection can be read again.
                del self._contexts[connection]
                return TurnedAway(400, "the message cannot be decrypted")
            return Admitted(message, lambda answer: _seal(context, answer), headers)
        if body and self._encrypt:
            return TurnedAway(500, "unencrypted messages are refused over HTTP (AllowUnencrypted=false)", headers)
        return Admitted(body, _plain, headers)

    def _step(self, connection: asyncio.BaseTransport, authorization: str) -> bytes | None:
        """Feed the client's token to the handshake; the token to answer with, if any. A failure starts over."""
        context = self._contexts.get(connection)
        if context is None or context.complete:
            # Python's implementation, also where a system's GSSAPI or SSPI is installed: it has its own accounts.
            context = spnego.server(
                protocol="negotiate",
                options=spnego.NegotiateOptions.use_negotiate,
                channel_bindings=self._bindings,
            )
            self._contexts[connection] = context
        try:
            token = _credentials(authorization, "negotiate")
            if not token:
                raise ValueError("not a Negotiate token")
            return context.step(token)
        except Exception as error:  # noqa: BLE001  # pyspnego meets a hostile token with whatever its parsing meets
            log.debug("handshake failed: %s: %s", type(error).__name__, error)
            del self._contexts[connection]
            return None


def _set_variable(value: str | None) -> None:
    if value is None:
        os.environ.pop(_VARIABLE, None)
    else:
        os.environ[_VARIABLE] = value


def _open(context: spnego.ContextProxy, body: bytes) -> bytes | None:
    """Decrypt a message; None if it is not one, or not of this connection."""
    opening = _OPENING.match(body)
    if opening is None or not context.context_attr & spnego.ContextReq.confidentiality:
        return None
    sealed = body[opening.end() :].rstrip(b"\r\n").removesuffix(_BOUNDARY + b"--")
    length = int.from_bytes(sealed[:4], "little")
    try:
        message = context.unwrap_winrm(sealed[4 : 4 + length], sealed[4 + length :])
    except spnego.exceptions.SpnegoError as error:
        log.debug("cannot decrypt: %s", error)
        return None
    return message if len(message) == int(opening[1]) else None


def _seal(context: spnego.ContextProxy, message: bytes) -> tuple[bytes, str]:
    sealed = context.wrap_winrm(message)
    body = (
        _BOUNDARY + b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
        b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % len(message)
        + _BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n"
        + len(sealed.header).to_bytes(4, "little") + sealed.header + sealed.data
        + _BOUNDARY + b"--\r\n"
    )  # fmt: skip
    return body, _ENCRYPTED


def end_point_bindings(certificate: bytes) -> GssChannelBindings:
    """The channel bindings of a TLS server with this certificate (DER): RFC 5929's tls-server-end-point."""
    algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    # RFC 5929: SHA-256 in place of MD5 and SHA-1. Certificates signed without a hash get it too, as in requests_ntlm.
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())
