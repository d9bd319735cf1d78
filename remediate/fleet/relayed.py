"""What Ansible's connection plugins hand on of their libraries' errors -> the operator's words.

They are texts here, not exceptions: class names, pools and addresses of memory in one line. The first pattern that is
found gives the words. A text that holds none of these marks is Ansible's own, and stays as it is.
"""

import re

from remediate.fleet.wsman_faults import fault_words
from remediate.iis.answer import plain_words

_MARKS = re.compile(
    r"ConnectionPool\(|Caused by |HTTPS?Connection\(|Connection aborted|NTLM challenge"
    r"|'NoneType' object has no attribute 'wrap'|\w+Proxy requires the Python|^Refusing to deserialize an invalid UTF8"
)
_WHERE = re.compile(r"ConnectionPool\(host='([^']*)', port=(\d+)\)")

_MOST_CHARACTERS = 4000
_PROXIES = "see ansible_psrp_proxy, HTTP_PROXY and HTTPS_PROXY"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^Refusing to deserialize", "the server's answer is not text: it has bytes that are not UTF-8"),
        (r"Tunnel connection failed: (\d{3}[^')\"]*)", "the proxy did not connect to {where}: HTTP {0}"),
        (r"Unable to connect to proxy.*Connection refused", f"the proxy refused the connection: {_PROXIES}"),
        (r"Unable to connect to proxy", f"the proxy cannot be used: {_PROXIES}"),
        (r"Missing dependencies for SOCKS", "the proxy needs the Python package PySocks: pip install pysocks"),
        (r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST", "{where} speaks plain HTTP, not TLS"),
        (r"certificate verify failed: (.*?) \(_ssl", "the certificate of {where} is not trusted: {0}"),
        (r"\[SSL[:\]]|SSLError", "TLS with {where} failed"),
        (r"Failed to resolve|Name or service not known", "the name cannot be resolved: {where}"),
        (r"Connection refused", "{where} refused the connection: check that it listens on that port"),
        (r"No route to host|Network is unreachable", "there is no way to {where}: no route, or a firewall rejects it"),
        (r"[Tt]imed out|Timeout", "{where} did not answer in time"),
        (r"NTLM challenge", "{where} did not answer NTLM: see ansible_winrm_transport for what it offers"),
        (r"'NoneType'", "{where} does not speak WS-Management: check that this is the WinRM port"),
        (r"BadStatusLine", "{where} does not speak HTTP: check that this is the WinRM port"),
        (r"Connection aborted|RemoteDisconnected|reset by peer", "{where} closed the connection"),
        (
            r"requires the Python (\w+) library",
            "the Python package {0}, which this needs, is not installed: pip install {0}",
        ),
        (r"", "the connection to {where} failed"),
    )
)


_PREFIX = re.compile(r"^(?:Task failed: )?(?:(?:basic|plaintext|ssl|certificate|ntlm|kerberos|credssp): )?")
# A fault of WS-Management, as pywinrm and pypsrp write one: the server's reason and the number.
_FAULTS = (
    re.compile(r"(?P<said>[^{}]*) \(extended fault data: \{.*'wsmanfault_code': (?P<code>\d{1,10})"),
    re.compile(r"[^(]*Received a WSManFault message\. \(Code: (?P<code>\d{1,10}),.*?Reason: (?P<said>.*)", re.DOTALL),
)


def in_words(text: str) -> str:
    """The same failure without a library's own words."""
    if "<Objs" in text:
        text = plain_words(text.encode(errors="replace"))
    # A module's own message comes this way too, as long as a server likes.
    head = text[:_MOST_CHARACTERS]
    for fault in filter(None, (pattern.match(head) for pattern in _FAULTS)):
        return fault_words(int(fault["code"]), None, _PREFIX.sub("", fault["said"]).rstrip(")"), "")
    if not _MARKS.search(head):
        return text
    found = _WHERE.search(head)
    where = f"{found[1]}:{found[2]}" if found else "the server"
    return next(
        words.format(*match.groups(), where=where) for pattern, words in _RULES if (match := pattern.search(head))
    )
