"""What goes wrong on the way to a winrm host is reported in words: what, where, and what to do; without a secret."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate_lab.knobs import write_knobs
from tests.answering import answering, http
from tests.conftest import PLAIN, Site, Up, remediate

CANARY = "canary-51c7"
# A class of a library, an address of memory, a package's module: none of them is an operator's word.
LIBRARY = re.compile(
    r"[A-Za-z]+(?:Error|Exception|Pool|Status|Disconnected)\b|0x[0-9a-f]{10,}\b|urllib3|requests|_ssl\.c"
)
Take = Callable[[str, str], Site]


def audit(inventory: Path, *options: str, **env: Any) -> dict[str, Any]:
    """Each host's report, by its name; nothing of what is printed may be secret, or a library's own words."""
    done = remediate("audit", "-i", inventory, "--timeout", "10", "--format", "json", *options, **env)
    assert done.stdout, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert not LIBRARY.search(done.stderr), done.stderr
    return {host["host"]: host for host in json.loads(done.stdout)["hosts"]}


def write(folder: Path, hosts: dict[str, dict[str, Any]]) -> Path:
    """An inventory of winrm hosts at closed ports of this machine, but for what each says."""
    common = {
        "ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "basic", "ansible_user": "ops", "ansible_password": CANARY,
    }  # fmt: skip
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump({"iis": {"vars": common, "hosts": hosts}}))
    return path


@pytest.fixture
def port() -> Iterator[Callable[..., int]]:
    """Opens ports that answer; they are closed with the test."""
    with ExitStack() as opened:
        yield lambda *answers: opened.enter_context(answering(*answers))


@pytest.mark.parametrize("by", ["ansible_winrm_proxy", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_is_named_with_what_it_said(tmp_path: Path, port: Callable[..., int], by: str) -> None:
    """However it was named, for HTTP and for HTTPS, and never with its account."""
    ports = {"dead": 1, "forbids": port(http("403 Forbidden")), "asks": port(http("407 Proxy Authentication"))}
    said = {"dead": "refused the connection", "forbids": "403", "asks": "407"}
    scheme = "https" if by == "HTTPS_PROXY" else "http"
    for name, number in ports.items():
        url = f"http://ops:{CANARY}@127.0.0.1:{number}"
        host = {"ansible_winrm_scheme": scheme, "ansible_port": 5}
        named = {"ansible_winrm_proxy": url} if by == "ansible_winrm_proxy" else {}
        (found,) = audit(write(tmp_path, {"web01": host | named}), **({} if named else {by: url})).values()
        assert found["status"] == "unreachable"
        assert f"the proxy http://127.0.0.1:{number} ({by})" in found["detail"], found
        assert said[name] in found["detail"], found
        assert "WinRM listens" not in found["detail"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"socks5://ops:{CANARY}@127.0.0.1:1", "PySocks"),
        (f"gopher://ops:{CANARY}@127.0.0.1:1", "is not a proxy address"),
        (f"http://ops:{CANARY}@", "is not a proxy address"),
        (f"http://{CANARY} {CANARY}:99999999", "is not a proxy address"),
    ],
)
def test_a_proxy_that_cannot_be_used(tmp_path: Path, url: str, said: str) -> None:
    (found,) = audit(write(tmp_path, {"web01": {"ansible_winrm_proxy": url}})).values()
    assert "the proxy" in found["detail"] and said in found["detail"], found


def test_no_warning_shows_a_proxys_account(tmp_path: Path) -> None:
    """pywinrm warns of a proxy that the environment names, with all of its address."""
    path = write(tmp_path, {"web01": {}})
    done = remediate("audit", "-i", path, HTTP_PROXY=f"http://ops:{CANARY}@127.0.0.1:1", PYTHONWARNINGS="always")
    assert "the proxy http://127.0.0.1:1 (HTTP_PROXY)" in done.stderr
    assert CANARY not in done.stdout + done.stderr


FAULT = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Detail><f:WSManFault '
    'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="%s"/></s:Detail></s:Fault></s:Body>'
    "</s:Envelope>"
)


def soap(body: str, status: str = "200 OK") -> bytes:
    """An HTTP answer with that body, in Latin-1."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode("latin-1")


def test_what_answers_is_no_winrm(tmp_path: Path, port: Callable[..., int]) -> None:
    """Each kind of answer in words, and none of them ends the others."""
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"
    gzip = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"
    # answer -> the scheme and the transport that are asked for, and what is said
    cases = {
        b"SSH-2.0-OpenSSH_9\r\n": ("http", "basic", "does not speak HTTP"),
        b"\x15\x03\x03\x00\x02\x02\x46": ("http", "basic", "speaks TLS: set ansible_winrm_scheme: https"),
        b"HTTP/1.1 400 Bad Request\r\n\r\n": ("https", "basic", "speaks plain HTTP, not TLS"),
        b"": ("http", "basic", "closed the connection"),
        chunk: ("http", "basic", "closed the connection"),
        short: ("http", "basic", "closed the connection"),
        gzip: ("http", "basic", "sent a packed answer (Content-Encoding: gzip)"),
        http("401 no", "WWW-Authenticate: NTLM Zm9v"): ("http", "ntlm", "check that this is the WinRM port"),
        http("200 OK"): ("http", "ntlm", "does not speak WS-Management"),
        http("403 Forbidden"): ("http", "ntlm", "answered HTTP 403"),
        http("302 Found"): ("http", "ntlm", "does not speak WS-Management"),
        soap("<s:Body/>"): ("http", "basic", "does not speak WS-Management"),
        soap("<s:Body><x/>"): ("http", "basic", "does not speak WS-Management"),
        soap("\xff\xfe"): ("http", "basic", "does not speak WS-Management"),
        soap("", "500 no"): ("http", "basic", "answered HTTP 500"),
        soap("\xff\xfe", "500 no"): ("http", "basic", "does not speak WS-Management"),
        soap(FAULT % ("9" * 10_000), "500 no"): ("http", "basic", "answered HTTP 500"),
        soap(FAULT % "five", "500 no"): ("http", "basic", "answered HTTP 500"),
        soap(f"<!DOCTYPE a [<!ENTITY e '{CANARY}'>]><a>&e;</a>"): ("http", "basic", "does not speak WS-Management"),
    }
    hosts, wanted = {}, {}
    for number, (answer, (scheme, transport, said)) in enumerate(cases.items()):
        # A handshake asks thrice; what is no HTTP is said once.
        at = port(*[answer] * (3 if transport == "ntlm" else 1)) if answer else port()
        hosts[f"web{number:02}"] = {
            "ansible_port": at, "ansible_winrm_scheme": scheme, "ansible_winrm_transport": transport,
        }  # fmt: skip
        wanted[f"web{number:02}"] = f"127.0.0.1:{at}", said
    found = audit(write(tmp_path, hosts))
    for name, (address, said) in wanted.items():
        assert found[name]["status"] == "unreachable"
        assert address in found[name]["detail"] and said in found[name]["detail"], found[name]


def test_the_wrong_scheme(up: Up, tmp_path: Path) -> None:
    """HTTPS to the port of HTTP and the other way round, with the variable that sets it right."""
    for options, scheme, said in (
        ((), "https", "speaks plain HTTP, not TLS: set ansible_winrm_scheme: http"),
        (("--tls",), "http", "set ansible_winrm_scheme: https"),
    ):
        whole = yaml.safe_load((up(*options) / "inventory" / "hosts.yml").read_text())
        whole["iis"]["vars"]["ansible_winrm_scheme"] = scheme
        path = tmp_path / "wrong.yml"
        path.write_text(yaml.safe_dump(whole))
        (found,) = audit(path).values()
        assert said in found["detail"], found


# An address -> what is said of it. None of them may be connected to, or looked up.
ADDRESSES = {
    "http://192.0.2.5": "not a URL",
    f"https://ops:{CANARY}@web01/": "not a URL",
    "web 01": "white space",
    "web01\t": "white space",
    " ": "empty",
    "web01:5986": "ansible_port",
    "192.0.2.5:5985": "ansible_port",
    "[2001:db8::1]:5985": "ansible_port",
    "web01/wsman": "path",
    "CORP\\web01": "path",
    "[]": "no IPv6 address",
    "2001:db8::zz": "no IPv6 address",
    "[2001:db8::1": "no IPv6 address",
    "fe80::1%eth0": "zone",
    "fe80::1%": "zone",
    "web..corp.example": "1 to 63 characters",
    "w" * 64: "1 to 63 characters",
    "ops@web01": "'@'",
}


@pytest.mark.parametrize("variable", ["ansible_host", "ansible_winrm_host"])
def test_an_address_that_is_none(tmp_path: Path, variable: str) -> None:
    """It is that host's failure by the variable's name, before anything is sent."""
    hosts = {f"web{number:02}": {variable: address} for number, address in enumerate(ADDRESSES)}
    found = audit(write(tmp_path, hosts))
    for name, said in zip(hosts, ADDRESSES.values(), strict=True):
        assert found[name]["status"] == "failed", found[name]
        assert found[name]["detail"].startswith(f"its variables: {variable}: "), found[name]
        assert said in found[name]["detail"], found[name]


def test_an_inventory_name_that_is_no_address(tmp_path: Path) -> None:
    path = write(tmp_path, {"web 01": {}})
    whole = yaml.safe_load(path.read_text())
    del whole["iis"]["vars"]["ansible_host"]
    path.write_text(yaml.safe_dump(whole))
    (found,) = audit(path).values()
    assert "ansible_host: it is missing" in found["detail"] and "white space" in found["detail"]


# lab.txt's fault -> what is said of it, over NTLM. The texts are a German server's.
PLAYED = {
    "soap:5 w:AccessDenied Zugriff verweigert": ("fault 5: access is denied", "administrator", "Zugriff verweigert"),
    "soap:2147942405 w:AccessDenied Zugriff verweigert": ("0x80070005", "access is denied", "Zugriff verweigert"),
    "soap:170 w:InternalError Die Ressource wird verwendet": (
        "fault 170: the server is busy",
        "try again",
        "Ressource",
    ),
    "soap:2150859173 w:QuotaLimit Zu viele Shells": ("0x803381A5 (2150859173)", "MaxShellsPerUser", "Zu viele Shells"),
    "soap:2150859174 w:QuotaLimit Zu viel": ("0x803381A6 (2150859174)", "MaxConcurrentOperationsPerUser", "Zu viel"),
    "soap:1816 w:InternalError Kontingent": ("fault 1816", "MaxProcessesPerShell", "Kontingent"),
    "soap:1455 w:InternalError Auslagerung": ("fault 1455", "memory ran out", "Auslagerung"),
    "soap:2150859180 w:AccessDenied Nein": ("0x803381AC (2150859180)", "AllowRemoteShellAccess", "Nein"),
    "soap:4711 w:InternalError Unbekannt\u202e": ("fault 4711", 'reports: "Unbekannt"'),
    "offers:Negotiate, Kerberos": ("did not answer NTLM", "offers Negotiate, Kerberos", "transport: kerberos"),
    'offers:Basic realm="WSMAN"': ("does not offer NTLM", "offers Basic", "ansible_winrm_transport: basic"),
    "offers:CredSSP": ("does not offer NTLM", "offers CredSSP", "ansible_winrm_transport: credssp"),
    f"redirect:http://ops:{CANARY}@127.0.0.1:1/wsman": ("http://127.0.0.1:1/wsman", "not followed", "ansible_host"),
    "redirect:http://[": ("which has no address", "not followed"),
    "redirect:/elsewhere": ("/elsewhere", "not followed", "ansible_host"),
}


def test_what_a_server_refuses(up: Up) -> None:
    """A fault's number with its meaning and what to do, in the server's words too; what it offers; where it sends."""
    state = up("--from-configs", PLAIN, "--servers", str(len(PLAYED)), "--auth", "ntlm")
    inventory = state / "inventory" / "hosts.yml"
    names = list(yaml.safe_load(inventory.read_text())["iis"]["hosts"])
    for name, fault in zip(names, PLAYED, strict=True):
        write_knobs(state / "servers" / name / "Windows", fault=fault)
    found = audit(inventory)
    for name, words in zip(names, PLAYED.values(), strict=True):
        assert found[name]["status"] == "unreachable"
        assert all(word in found[name]["detail"] for word in words), found[name]
        assert found[name]["detail"].isprintable()


def test_basic_asked_of_a_server_that_has_none(take: Take) -> None:
    site = take("emulated", "basic")
    site.knobs(fault="offers:Negotiate, Kerberos, CredSSP")
    (found,) = audit(site.inventory).values()
    assert "does not offer Basic. It offers Negotiate, Kerberos, CredSSP" in found["detail"]
    assert "ansible_winrm_transport: ntlm or kerberos or credssp" in found["detail"]


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_no_server_is_asked_on_a_redirect(up: Up, auth: str) -> None:
    """The other server would get the account: it does not see one connection, whatever the number says and when."""
    moments = ("redirect", "redirect@Create", "redirect@Receive", *(["redirect@handshake"] if auth == "ntlm" else []))
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.5)
        address = f"http://127.0.0.1:{other.getsockname()[1]}/wsman"
        faults = [f"{when}:{code} {address}" for code in (301, 302, 303, 307, 308) for when in moments]
        faults += ["redirect:300", "redirect:304", f"redirect:300 {address}", "redirect@Receive:304"]
        state = up("--from-configs", PLAIN, "--servers", str(len(faults)), "--auth", auth)
        inventory = state / "inventory" / "hosts.yml"
        names = list(yaml.safe_load(inventory.read_text())["iis"]["hosts"])
        for name, fault in zip(names, faults, strict=True):
            write_knobs(state / "servers" / name / "Windows", fault=fault)
        found = audit(inventory)
        for name, fault in zip(names, faults, strict=True):
            said = (
                (address, "not followed") if address in fault else ("does not speak WS-Management: it answered HTTP",)
            )
            assert found[name]["status"] == "unreachable", (fault, found[name])
            assert all(word in found[name]["detail"] for word in said), (fault, found[name])
        with pytest.raises(TimeoutError):
            other.accept()


def test_a_client_without_its_package(tmp_path: Path) -> None:
    """Kerberos and CredSSP need packages that pywinrm does not bring (and no `kinit` where the ticket is there)."""
    for package in ("kerberos", "requests_credssp"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('not here')\n")
    hosts = {name: {"ansible_winrm_transport": name} for name in ("kerberos", "credssp")}
    hosts["kerberos"]["ansible_winrm_kinit_mode"] = "manual"
    found = audit(write(tmp_path, hosts), PYTHONPATH=str(tmp_path))
    for name in hosts:
        assert f"ansible_winrm_transport is {name}" in found[name]["detail"]
        assert f"pip install 'pywinrm[{name}]'" in found[name]["detail"]
