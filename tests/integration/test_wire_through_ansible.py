"""What goes wrong on the way to a psrp host is reported in words too: Ansible hands on its library's own."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.answering import answering, http
from tests.conftest import Site, remediate
from tests.integration.test_wire import CANARY, LIBRARY


def test_a_library_has_no_words_here(tmp_path: Path) -> None:
    """No class of it, no pool, no secret; where it is, and what is wrong."""
    proxy = {"ansible_psrp_proxy": f"http://ops:{CANARY}@127.0.0.1:1"}
    with ExitStack() as opened:
        bad, foreign, forbids = (
            opened.enter_context(answering(*[answer] * 3))
            for answer in (http("400 Bad Request"), b"SSH-2.0\r\n", http("403 Forbidden"))
        )
        # host -> its variables, and what is said of it
        cases: dict[str, tuple[dict[str, Any], str]] = {
            "closed": ({"ansible_port": 1}, "127.0.0.1:1 refused the connection"),
            "plain": (
                {"ansible_port": bad, "ansible_psrp_protocol": "https"},
                f"127.0.0.1:{bad} speaks plain HTTP, not TLS",
            ),
            "foreign": ({"ansible_port": foreign}, "does not speak HTTP"),
            "proxy": (proxy, "the proxy refused the connection"),
            "tunnel": (
                {"ansible_psrp_proxy": f"http://ops:{CANARY}@127.0.0.1:{forbids}", "ansible_psrp_protocol": "https"},
                "the proxy did not connect to 127.0.0.1:5: HTTP 403 Forbidden",
            ),
            "url": ({"ansible_psrp_host": "http://192.0.2.5"}, "its variables: ansible_psrp_host: "),
        }
        common = {
            "ansible_connection": "psrp", "ansible_host": "127.0.0.1", "ansible_port": 5, "ansible_user": "u",
            "ansible_password": CANARY, "ansible_psrp_auth": "basic", "ansible_psrp_protocol": "http",
            "ansible_psrp_message_encryption": "never", "ansible_psrp_reconnection_retries": 0,
        }  # fmt: skip
        inventory = tmp_path / "hosts.yml"
        hosts = {name: variables for name, (variables, _) in cases.items()}
        inventory.write_text(yaml.safe_dump({"iis": {"vars": common, "hosts": hosts}}))
        done = remediate("audit", "-i", inventory, "--format", "json", "--timeout", "20", expect=3)
    assert CANARY not in done.stdout + done.stderr
    assert not LIBRARY.search(done.stderr), done.stderr
    found = {host["host"]: host["detail"] for host in json.loads(done.stdout)["hosts"]}
    for name, (_, said) in cases.items():
        assert said in found[name], found


AT_A_CLOSED_PORT = {"ansible_host": "127.0.0.1", "ansible_port": 1}


@pytest.mark.parametrize(
    ("variables", "fault", "said"),
    [
        (AT_A_CLOSED_PORT, "", "127.0.0.1:1 refused the connection"),
        ({"ansible_winrm_scheme": "https"}, "", "speaks plain HTTP, not TLS"),
        ({}, "soap:5 w:AccessDenied Zugriff verweigert", "access is denied; the account must"),
        ({}, "soap:2150859173 w:QuotaLimit Zu viel", "MaxShellsPerUser); wait until the idle ones are ended"),
        ({}, "offers:Negotiate, Kerberos", "did not answer NTLM"),
        ({}, "rubbish", "does not speak WS-Management"),
    ],
)
def test_an_apply_has_words_too(
    take: Callable[[str, str], Site], variables: dict[str, Any], fault: str, said: str
) -> None:
    """There Ansible's own connection is what fails."""
    site = take("emulated", "ntlm")
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2)
    whole = yaml.safe_load(site.inventory.read_text())
    whole["iis"]["hosts"][site.name] |= variables
    site.knobs(fault=fault)
    site.inventory.write_text(yaml.safe_dump(whole))
    done = remediate("apply", plan, "-i", site.inventory, "--yes", expect=3)
    assert said in done.stdout and said in done.stderr
    assert not LIBRARY.search(done.stdout + done.stderr), done.stdout + done.stderr
