"""The way to one server, and what was seen on it while requests were sent: what the words of a failure need."""

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# What a server offers -> the values of ansible_winrm_transport that take it.
TRANSPORTS = {
    "Negotiate": ("ntlm", "kerberos"),
    "Kerberos": ("kerberos",),
    "NTLM": ("ntlm",),
    "Basic": ("basic",),
    "CredSSP": ("credssp",),
}
_PATH = re.compile(r"[\w./-]*")
_SCHEME = re.compile(rf"(?:^|,)\s*({'|'.join(TRANSPORTS)})(?![\w-])", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"((?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)/?")


def shown_endpoint(endpoint: str) -> str:
    """The address of a server as it may be shown: without a path that is more than a path."""
    address = urlsplit(endpoint)
    path = address.path if _PATH.fullmatch(address.path) and not (address.query or address.fragment) else "/..."
    return f"{address.scheme}://{address.netloc}{path}"


@dataclass
class Way:
    """The way to one server, and what was seen on it; filled while requests are sent."""

    endpoint: str
    transport: str
    username: str
    proxy_by_variable: bool = False
    proxy: str = ""
    offers: tuple[str, ...] = ()
    status: int = 0

    def note(self, response: Any) -> None:
        """Take from an HTTP answer what explains a failure."""
        self.status = int(response.status_code)
        if self.status == 401:
            found = (match[1].lower() for match in _SCHEME.finditer(response.headers.get("WWW-Authenticate", "")))
            offered = set(found)
            self.offers = tuple(name for name in TRANSPORTS if name.lower() in offered)

    @property
    def port(self) -> str:
        """Host and port, without the scheme and the path."""
        return self.endpoint.partition("://")[2].partition("/")[0]

    @property
    def proxy_address(self) -> str:
        """The proxy without its account; empty where the two cannot be separated, or there is none."""
        scheme, mark, rest = self.proxy.rpartition("://")
        found = _HOST_AND_PORT.fullmatch(rest.rpartition("@")[2])
        return f"{scheme}{mark}{found[1]}" if found and (scheme.isalnum() or not mark) else ""

    @property
    def through(self) -> str:
        """The proxy, and who named it; empty where there is none."""
        if not self.proxy:
            return ""
        names = [f"{urlsplit(self.endpoint).scheme}_proxy", "all_proxy"]
        spellings = [spelling for name in names for spelling in (name, name.upper())]
        by = next((name for name in spellings if os.environ.get(name)), "the environment")
        by = "ansible_winrm_proxy" if self.proxy_by_variable else by
        return " ".join(filter(None, ("the proxy", self.proxy_address, f"({by})")))
