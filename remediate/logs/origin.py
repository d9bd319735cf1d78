"""Where an exception came from, as far as an entry tells it: host, application, pool, and who asked.

Looked for in a text, wherever it stands:

    /LM/W3SVC/2/ROOT/shop      the application; what a domain's name adds (`-1-133774...`) is left out
    IIS APPPOOL\\Contoso Shop   the pool, where the name's end can be told
    MachineName=WEB01          the host; also ComputerName, HostName, log4net:HostName
    Application=shop           the application; also ApplicationName, AppName
    ClientIp=127.0.0.1         the client; also RemoteAddr, RemoteIpAddress, UserHostAddress and their like
    UserAgent="..."            the user agent; also HTTP_USER_AGENT, User-Agent

with `=` or `:`, with quotes or without. The same names, without case, dashes and underscores, are looked for among the
properties of JSON and the server variables of ELMAH. A property `Host` is not the machine: it is what the client asked
for.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from remediate.iis.local import is_local
from remediate.values.logs import LoggedException

_PRELOAD = re.compile("IIS Application Initialization (Preload|Warmup)", re.I)
_DOMAIN = re.compile(r"/LM/W3SVC/\d+/ROOT(?:/[^\s\"'`,;|<>()\[\]{}&\\]*)?(?:-\d+-\d+)?")
_DOMAIN_NUMBERS = re.compile(r"-\d+-\d+$")
_POOL = re.compile(
    r"""(?:^|["'\[(|=<>;,]|[:=][ ])IIS\ APPPOOL\\{1,2}([^"'\r\n\t<>|,;\])}\\]{1,64}?)\s*(?=["'\r\n\t<>|,;\])}]|$)""",
    re.M | re.X,
)
_VALUE = (
    r"""["']?\s*[=:]\s*"""
    r"""(?:"(?P<quoted>[^"\r\n]*)"|'(?P<single>[^'\r\n]*)'|(?P<bare>\[[\w:.]+\][\d:]*|[^\s"',;|<>)\]}]+))"""
)

_NAMES: dict[str, tuple[str, ...]] = {
    "host": ("machinename", "computername", "hostname", "log4nethostname", "log4jmachinename", "nloghostname"),
    "application": ("application", "applicationname", "appname", "appdomain", "applmdpath"),
    "address": (
        "clientip", "clientipaddress", "clientaddress", "remoteaddr", "remoteip", "remoteipaddress", "remoteaddress",
        "userhostaddress", "ipaddress", "ip",
    ),
    "agent": ("useragent", "httpuseragent", "requestuseragent"),
}  # fmt: skip
# In a text, a label's words may be apart; a plain `ip` or `application:` there may be anything.
_LABELS = {
    "host": r"(?:machine|computer|host)[ _-]?name",
    "application": r"""["']application(?:[ _-]?name)?|application(?==)|app(?:lication)?[_-]?name""",
    "address": r"(?:client|remote)[ _-]?(?:ip|addr)(?:[ _-]?address|ess)?|user[ _-]?host[ _-]?address",
    "agent": r"(?:http_)?user[ _-]?agent",
}
_LABELLED = {field: re.compile(rf"(?<![A-Za-z0-9])(?:{label}){_VALUE}", re.I) for field, label in _LABELS.items()}


class Origin(Struct, frozen=True, kw_only=True):
    """What was told; an address and a user agent are kept no longer than it takes to judge them."""

    host: str | None = None
    application: str | None = None
    pool: str | None = None
    address: str | None = None
    agent: str | None = None


def of_text(text: str) -> Origin:
    labelled = {
        field: next(filter(None, match.groups()), None)
        for field, pattern in _LABELLED.items()
        if (match := pattern.search(text))
    }
    domain, pool = _DOMAIN.search(text), _POOL.search(text)
    return Origin(
        host=labelled.get("host"), address=labelled.get("address"), agent=labelled.get("agent"),
        application=_application(domain[0] if domain else labelled.get("application")),
        pool=pool[1] if pool else None,
    )  # fmt: skip


def of_properties(properties: Mapping[str, str], text: str) -> Origin:
    """Of named properties; what none of them tells is looked for in the text."""
    folded = {re.sub("[^a-z0-9]", "", name.casefold()): value for name, value in properties.items() if value}
    named = {field: next((folded[n] for n in names if n in folded), None) for field, names in _NAMES.items()}
    other = of_text(text)
    return Origin(
        host=named["host"] or other.host, application=_application(named["application"] or other.application),
        pool=other.pool, address=named["address"] or other.address, agent=named["agent"] or other.agent,
    )  # fmt: skip


def placed(occurrence: LoggedException, origin: Origin) -> LoggedException:
    """The occurrence, with its origin."""
    return replace(
        occurrence, host=origin.host, application=origin.application, pool=origin.pool,
        local=is_local(origin.address), preload=is_preload(origin.agent),
    )  # fmt: skip


@lru_cache(4096)
def is_preload(agent: str | None) -> bool | None:
    """Whether the user agent is Application Initialization's; the IIS log has `+` for its spaces."""
    if agent is None or agent.strip() in ("", "-"):
        return None
    return _PRELOAD.search(agent.replace("+", " ")) is not None


def address_in(text: str) -> str | None:
    """The first address that a line has alone behind its label, in whatever language that is."""
    values = (line.rpartition(": ")[2].strip() for line in text.splitlines())
    return next(filter(is_address, values), None)


def is_address(value: str) -> bool:
    try:
        ip_address(value.strip())
    except ValueError:
        return False
    return "." in value or ":" in value


def _application(name: str | None) -> str | None:
    if name is None or not name.startswith("/LM/W3SVC/"):
        return name
    return _DOMAIN_NUMBERS.sub("", name).rstrip("/")
