"""A host that fails before anything was sent to it is "not written"; afterwards nobody knows."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Site, remediate, run
from tests.environments import Environment
from tests.integration.test_inventory import needs_ssh

BIN = Path(sys.prefix) / "bin"


@pytest.fixture
def site(take: Callable[[str, str], Site]) -> Site:
    return take("emulated", "ntlm")


PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


def planned(site: Site) -> Path:
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    return folder


def the_host(folder: Path) -> Any:
    (made,) = folder.iterdir()
    (host,) = json.loads(remediate("show", made, "--format", "json", expect=0).stdout)["hosts"]
    return host


NOT_SENT = {
    "refused": ["ansible_port=1"],
    "password": ["ansible_password=wrong"],
    "timeouts": ["ansible_winrm_operation_timeout_sec=60"],
    "psrp": ["ansible_connection=psrp", "ansible_port=1"],
}


@pytest.mark.parametrize("case", NOT_SENT)
def test_nothing_was_sent(site: Site, case: str) -> None:
    """By plain ansible-playbook, which has no audit before it: whatever fails first."""
    folder = planned(site)
    before = site.config.read_bytes()
    extra = [part for pair in NOT_SENT[case] for part in ("-e", pair)]
    done = run(BIN / "ansible-playbook", "-i", site.inventory, folder / "playbook.yml", *extra)
    assert done.returncode != 0
    host = the_host(folder / "runs")
    assert host["status"] in ("failed", "unreachable"), host
    assert (host["sent"], [change["written"] for change in host["changes"]]) == (False, [False])
    (made,) = (folder / "runs").iterdir()
    assert sorted(path.name for path in made.iterdir()) == ["record.jsonl"], "no mark is left"
    undo = remediate("rollback", made, "--out", site.folder / "undo", expect=0)
    assert "0 changes on 0 hosts" in undo.stdout
    assert site.config.read_bytes() == before


def test_by_apply(site: Site, environment: Environment) -> None:
    """A password that was changed since the audit, on each ansible-core."""
    folder = planned(site)
    done = remediate(
        "apply", folder, "-i", site.inventory, "-e", "ansible_password=wrong", "--yes", expect=3, bin=environment.bin
    )
    assert "Contoso Shop: startMode: AlwaysRunning -> OnDemand: not written" in done.stdout
    assert "not known" not in done.stdout + done.stderr
    assert the_host(folder / "runs")["sent"] is False


@needs_ssh
def test_by_ssh(site: Site, environment: Environment) -> None:
    """ssh connects with its first command, which does nothing."""
    folder = planned(site)
    options = [
        "ansible_connection=ssh",
        "ansible_port=1",
        "ansible_shell_type=powershell",
        "ansible_ssh_args='-F none'",
    ]
    extra = [part for pair in options for part in ("-e", pair)]
    remediate("apply", folder, "-i", site.inventory, *extra, "--yes", expect=3, bin=environment.bin)
    assert [change["written"] for change in the_host(folder / "runs")["changes"]] == [False]


@pytest.mark.parametrize("how", ["exit", "hang"])
def test_sent_and_not_answered_is_not_known(site: Site, environment: Environment, how: str) -> None:
    """The module's process ends, or never ends, after the write: whatever Ansible makes of it."""
    folder = planned(site)
    site.knobs(after_commit=how)
    extra = ("-e", "remediate_task_timeout=8")
    remediate("apply", folder, "-i", site.inventory, *extra, "--yes", expect=3, bin=environment.bin)
    host = the_host(folder / "runs")
    assert (host["sent"], [change["written"] for change in host["changes"]]) == (True, [None]), host


def test_without_a_plan(site: Site) -> None:
    """A playbook that takes pools by pattern: nothing is to be undone, by either way back."""
    before = site.config.read_bytes()
    here = ("env", "-C", site.folder, BIN / "ansible-playbook", "-i", site.inventory)
    options = ("-e", "remediate_pools=Contoso*", "-e", "ansible_password=wrong")
    assert run(*here, PLAYBOOKS / "fix_on_demand.yml", *options).returncode != 0
    host = the_host(site.folder / "remediate-runs")
    assert (host["status"], host["sent"]) == ("unreachable", False)
    (made,) = (site.folder / "remediate-runs").iterdir()
    undo = remediate("rollback", made, "--out", site.folder / "undo", expect=0).stdout
    assert "not inspected" not in undo
    assert "it may have written" not in run(*here, PLAYBOOKS / "rollback.yml", "-e", f"remediate_run={made}").stdout
    assert site.config.read_bytes() == before
