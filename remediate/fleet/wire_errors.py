"""What went wrong on the way to a server, in the operator's words: what, where, and what to do.

The libraries' own texts hold class names, addresses of memory, whole requests, and a proxy's password: none is shown.
One table: the first rule that knows one of an error's causes gives the words. For every other error there is a general
sentence at the end.
"""

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests.exceptions as http
import urllib3.exceptions as lower
from urllib3.util.ssl_match_hostname import CertificateError
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from remediate.fleet.http_answers import MOST_BYTES, LongAnswer, PackedAnswer
from remediate.fleet.tls_errors import tls_failure, untrusted
from remediate.fleet.way import TRANSPORTS, Way
from remediate.fleet.wsman_faults import fault_words
from remediate.iis.inspection import one_line

_MOST_CHARACTERS = 600

# pywinrm's transport -> its name, and what a server that takes it offers in WWW-Authenticate.
_METHODS = {
    "basic": ("Basic", {"Basic"}),
    "plaintext": ("Basic", {"Basic"}),
    "ssl": ("Basic", {"Basic"}),
    "ntlm": ("NTLM", {"NTLM", "Negotiate"}),
    "kerberos": ("Kerberos", {"Kerberos", "Negotiate"}),
    "credssp": ("CredSSP", {"CredSSP"}),
}


def explain(way: Way, error: Exception) -> str:
    """One line for whatever pywinrm raised."""
    causes = tuple(_causes(error))
    for kinds, words in _RULES:
        for cause in causes:
            if isinstance(cause, kinds) and (sentence := words(way, cause)) is not None:
                through = way.through
                if through and through not in sentence:
                    sentence += f"; the way went by {through}"
                return one_line(sentence, _MOST_CHARACTERS)
    return f"the connection to {way.endpoint} failed for an unknown reason: check that this is the WinRM port"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what is behind it: libraries hold it as the cause, the context, a ``reason`` or an argument."""
    waiting, seen = [error], set()
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [getattr(found, "reason", None), *found.args, found.__cause__, found.__context__]


# Each gives the words for a cause, or None where it does not know that one.
_Words = Callable[[Way, Any], str | None]


def _redirected(way: Way, error: http.TooManyRedirects) -> str:
    answer: Any = error.response
    location = str(answer.headers.get("Location", ""))
    if not location:
        return f"{way.endpoint} does not speak WS-Management: it answered HTTP {int(answer.status_code)}"
    try:
        target = urlsplit(urljoin(way.endpoint, location))
        shown = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}"
    except ValueError:
        shown = "which has no address"
    return (
        f"{way.endpoint} redirects to {one_line(shown, 120)}. A redirect is not followed, since the "
        "account's credentials would go there too: give the server's own address in ansible_host"
    )


def _packed(way: Way, error: PackedAnswer) -> str:
    encoding = one_line(str(error), 40)
    return f"{way.endpoint} sent a packed answer (Content-Encoding: {encoding}), which was not asked for"


def _long(way: Way, _error: LongAnswer) -> str:
    return f"{way.endpoint} sent more than {MOST_BYTES >> 10} KiB in one answer: check that this is the WinRM port"


def _refused(way: Way, error: Exception) -> str | None:
    if isinstance(error, OSError) and error.errno is not None:
        return None  # a file's permissions
    if way.status == 407:
        return f"{way.through or way.endpoint} asks for its own user name and password (HTTP 407)"
    name, offers = _METHODS.get(way.transport, (way.transport, set()))
    offered = ", ".join(way.offers)
    other = dict.fromkeys(t for offer in way.offers for t in TRANSPORTS[offer] if _METHODS[t][0] != name)
    choose = f"; choose with ansible_winrm_transport: {' or '.join(other)}" if other else ""
    if way.offers and not offers.intersection(way.offers):
        return f"{way.endpoint} does not offer {name}. It offers {offered}{choose}"
    if isinstance(error, PermissionError):
        return f"{way.endpoint} did not answer {name}. It offers {offered or 'nothing that is known here'}{choose}"
    if way.transport == "certificate":
        return f"{way.endpoint} refused the client certificate: is it mapped to an account there?"
    hint = "" if way.transport != "kerberos" else " (of Kerberos: see the clocks, and the server's HTTP/ principal)"
    return f"{way.username} was refused: wrong user or password, or the method is not allowed there{hint}"


def _tls(way: Way, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return untrusted(way.port, error)
    return tls_failure(way.port, error, by_certificate=way.transport == "certificate")


def _unmatched(way: Way, _error: Exception) -> str:
    return untrusted(way.port, None)


_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}.*)")
_PROXY: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (ssl.SSLError, "does not speak TLS itself: its address begins with http://, also for HTTPS"),
    (ConnectionRefusedError, "refused the connection: does it run there?"),
    (socket.gaierror, "has a name that cannot be resolved"),
    ((TimeoutError, lower.ConnectTimeoutError), "did not answer in time"),
)


def _proxy(way: Way, error: Exception) -> str:
    proxy = way.through or "the proxy"
    causes = tuple(_causes(error))
    for tunnel in filter(None, (_TUNNEL.match(str(cause)) for cause in causes)):
        wants = "; it asks for its own user name and password" if tunnel[1].startswith("407") else ""
        return f"{proxy} did not connect to {way.port}: HTTP {one_line(tunnel[1], 80)}{wants}"
    for kinds, words in _PROXY:
        if any(isinstance(cause, kinds) for cause in causes):
            return f"{proxy} {words}"
    return f"{proxy} ended the connection: check that it is an HTTP proxy"


def _proxy_address(way: Way, error: Exception) -> str | None:
    if "SOCKS" in str(error):
        needs = "needs the Python package PySocks, which is not installed: pip install pysocks"
        return f"{way.through or 'the proxy'} {needs}"
    if "proxy" in str(error).lower() or (way.proxy and isinstance(error, http.InvalidURL)):
        return f"{way.through or 'the proxy'} is not a proxy address: write http://NAME:PORT"
    return None


def _status(way: Way, error: WinRMTransportError) -> str:
    said = f"answered HTTP {int(error.code)}"
    if way.status == 407 or int(error.code) == 407:
        return f"{way.through or way.endpoint} asks for its own user name and password (HTTP 407)"
    if way.through:
        return f"{way.through}, or {way.endpoint} behind it, {said}"
    return f"{way.endpoint} {said}"


def _fault(_way: Way, error: WSManFaultError) -> str:
    number = error.wsman_fault_code if error.wsman_fault_code is not None else error.wmierror_code
    return fault_words(number, error.fault_subcode, str(error.reason), str(error.response))


_KERBEROS = {
    # MIT Kerberos's minor codes, as pywinrm shows them.
    -1765328243: "there is no Kerberos ticket here: kinit first",
    -1765328352: "the Kerberos ticket has expired: kinit again",
    -1765328377: "the domain knows no principal HTTP/ of that name: give the server's full name in ansible_host",
    -1765328228: "no domain controller answers for Kerberos: see krb5.conf",
    -1765328347: "the clocks here and there differ too much for Kerberos",
    -1765328351: "the clocks here and there differ too much for Kerberos",
}
_PACKAGES = {"pykerberos": "kerberos", "credssp": "credssp"}


def _kerberos(way: Way, error: Exception) -> str | None:
    found = re.search(r"-17653\d{5}", str(error))
    if found is None and "Kerberos" not in type(error).__name__:
        return None
    why = _KERBEROS.get(int(found[0]) if found else 0, "the ticket or the server's answer was not accepted")
    return f"Kerberos with {way.port}: {why}"


def _package(way: Way, error: Exception) -> str | None:
    for package, extra in _PACKAGES.items():
        if package in str(error) and "not installed" in str(error):
            name = f"ansible_winrm_transport is {way.transport}, and what it needs is not installed"
            return f"{name}: pip install 'pywinrm[{extra}]'"
    if "message encryption is set to 'always'" in str(error):
        return f"ansible_winrm_message_encryption is always, and {way.transport} has none: leave it out, and use HTTPS"
    return None


def _unnamed(way: Way, _error: Exception) -> str:
    return f"{way.endpoint}: the name cannot be resolved"


def _no_answer(way: Way, _error: Exception) -> str:
    return f"{way.endpoint} took the connection, and did not answer in time"


def _no_connection(way: Way, _error: Exception) -> str:
    return f"no answer from {way.endpoint} in time"


def _closed(way: Way, _error: Exception) -> str:
    return f"{way.endpoint} refused the connection: check that WinRM listens on that port"


def _network(way: Way, error: OSError) -> str | None:
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN):
        return f"there is no way to {way.endpoint}: no route, or a firewall rejects it"
    if error.errno == errno.EACCES:
        return f"this machine may not connect to {way.endpoint}, or may not read a certificate's file"
    if "certificate bundle" in str(error):
        return "the file of certificate authorities is not there: see ansible_winrm_ca_trust_path, REQUESTS_CA_BUNDLE"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open here: fewer --forks, or a higher `ulimit -n`"
    return None


def _status_line(way: Way, error: BadStatusLine) -> str | None:
    if isinstance(error, RemoteDisconnected):
        return None
    if str(error).lstrip("'\"").startswith(("\x15\x03", "\\x15\\x03")):
        return f"{way.port} speaks TLS: set ansible_winrm_scheme: https"
    return f"{way.endpoint} does not speak HTTP: check that this is the WinRM port"


def _ended(way: Way, _error: Exception) -> str:
    scheme = "; if it is one of HTTPS, set ansible_winrm_scheme: https" if way.endpoint.startswith("http:") else ""
    return f"{way.endpoint} closed the connection: check that this is the WinRM port{scheme}"


def _address(way: Way, _error: Exception) -> str:
    return f"{way.endpoint} is no address that can be connected to: see ansible_host and ansible_winrm_path"


def _account(_way: Way, error: UnicodeEncodeError) -> str | None:
    if not error.encoding.lower().startswith(("latin", "iso-8859")):
        return None
    return "the user or the password has characters that cannot be sent with Basic: use ansible_winrm_transport: ntlm"


def _foreign(way: Way, _error: Exception) -> str:
    if way.proxy and not way.proxy_address:
        return f"{way.through} is not a proxy address: write http://NAME:PORT"
    return f"{way.endpoint} does not speak WS-Management: check that this is the WinRM port"


_RULES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], _Words], ...] = (
    (WSManFaultError, _fault),
    (WinRMTransportError, _status),
    (WinRMOperationTimeoutError, _no_answer),
    (http.TooManyRedirects, _redirected),
    (PackedAnswer, _packed),
    (LongAnswer, _long),
    ((InvalidCredentialsError, PermissionError), _refused),
    (http.RequestException, _kerberos),
    ((http.InvalidSchema, http.InvalidURL, lower.ProxySchemeUnknown), _proxy_address),
    ((http.ProxyError, lower.ProxyError), _proxy),
    (ssl.SSLError, _tls),
    (CertificateError, _unmatched),
    (socket.gaierror, _unnamed),
    (ConnectionRefusedError, _closed),
    ((http.ConnectTimeout, lower.ConnectTimeoutError), _no_connection),
    ((http.ReadTimeout, lower.ReadTimeoutError, TimeoutError), _no_answer),
    (OSError, _network),
    (WinRMError, _package),
    ((http.InvalidURL, lower.LocationParseError), _address),
    (BadStatusLine, _status_line),
    ((http.ConnectionError, http.ChunkedEncodingError, ConnectionError, lower.ProtocolError), _ended),
    (UnicodeEncodeError, _account),
    # What an answer that is none makes of pywinrm, its XML reader and its encryption.
    ((ValueError, LookupError, AttributeError, TypeError, StopIteration, AssertionError, SyntaxError), _foreign),
    ((http.ContentDecodingError, WinRMError), _foreign),
)
