"""A host that sends Ansible's own connection to another server: nobody goes there, in a run or in an audit."""

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
Take = Callable[[str, str], Site]


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A port that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.5)
        yield other


def url(other: socket.socket) -> str:
    return f"http://127.0.0.1:{other.getsockname()[1]}/wsman"


def nobody_came(other: socket.socket) -> None:
    try:
        connection, _ = other.accept()
    except TimeoutError:
        return
    connection.close()
    pytest.fail("somebody followed the redirect")


def with_variables(site: Site, **variables: Any) -> None:
    whole = yaml.safe_load(site.inventory.read_text())
    whole["iis"]["vars"] |= variables
    site.inventory.write_text(yaml.safe_dump(whole))


def as_psrp(site: Site) -> None:
    with_variables(
        site, ansible_connection="psrp", ansible_psrp_protocol="http", ansible_psrp_auth="ntlm", ansible_port=5985
    )


@pytest.mark.parametrize("when", ["redirect", "redirect@Create", "redirect@Receive"])
def test_an_apply(take: Take, environment: Environment, elsewhere: socket.socket, when: str) -> None:
    """The server was well when it was audited. Where nothing was sent yet, it is known that nothing was written."""
    site = take("emulated", "ntlm")
    before = site.config.read_bytes()
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2, bin=environment.bin)
    site.knobs(fault=f"{when}:307 {url(elsewhere)}")
    done = remediate("apply", plan, "-i", site.inventory, "--yes", expect=3, bin=environment.bin)
    nobody_came(elsewhere)
    assert f"HTTP 307, a redirect to {url(elsewhere)}" in done.stdout, done.stdout + done.stderr
    if when == "redirect@Receive":
        assert "not known whether it was written" in done.stdout
    else:
        assert ": not written" in done.stdout
        assert site.config.read_bytes() == before


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_plain_run(take: Take, elsewhere: socket.socket, code: int) -> None:
    """Plain ansible-playbook has the same protection: it is in the plan."""
    site = take("emulated", "ntlm")
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2)
    site.knobs(fault=f"redirect:{code} {url(elsewhere)}")
    done = run(Path(sys.prefix) / "bin" / "ansible-playbook", "-i", site.inventory, plan / "playbook.yml")
    nobody_came(elsewhere)
    assert done.returncode != 0 and f"HTTP {code}, a redirect to" in done.stdout


def test_by_psrp(take: Take, elsewhere: socket.socket) -> None:
    """In an audit, in an apply, and in the playbook that audits without a plan."""
    site = take("emulated", "ntlm")
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2)
    as_psrp(site)
    site.knobs(fault=f"redirect:307 http://ops:canary@127.0.0.1:{elsewhere.getsockname()[1]}/wsman")
    audit = remediate("audit", "-i", site.inventory, "--format", "json", expect=3)
    (host,) = json.loads(audit.stdout)["hosts"]
    assert f"HTTP 307, a redirect to {url(elsewhere)}" in host["detail"]
    applied = remediate("apply", plan, "-i", site.inventory, "--yes", expect=3)
    assert ": not written" in applied.stdout and "canary" not in audit.stdout + applied.stdout
    played = run(Path(sys.prefix) / "bin" / "ansible-playbook", "-i", site.inventory, PLAYBOOKS / "audit.yml")
    assert played.returncode != 0
    nobody_came(elsewhere)
