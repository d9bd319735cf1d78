"""No become, whatever ansible.cfg, the environment or a variable says: Windows modules do not take sudo."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment

BIN = Path(sys.prefix) / "bin"


@pytest.fixture
def site(take: Callable[[str, str], Site]) -> Site:
    return take("emulated", "ntlm")


PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
# Neither the method nor the user is there, and the file of the password neither.
CONFIG = """[defaults]
become_password_file = /nowhere/password
[privilege_escalation]
become = true
become_method = nosuch
become_ask_pass = true
"""
VARIABLES: dict[str, Any] = {
    "ansible_become": True,
    "ansible_become_method": "nosuch",
    "ansible_become_user": "{{ x }}",
}


@pytest.fixture
def become(site: Site) -> dict[str, Any]:
    """The environment of a user who has become everywhere; and the inventory says so too."""
    whole = yaml.safe_load(site.inventory.read_text())
    whole["all"] = {"vars": {"ansible_become": True, "ansible_become_method": "nosuch"}}
    site.inventory.write_text(yaml.safe_dump(whole))
    config = site.folder / "ansible.cfg"
    config.write_text(CONFIG)
    return {"ANSIBLE_CONFIG": str(config)}


def test_a_plan(site: Site, become: dict[str, Any], environment: Environment) -> None:
    """By `apply`, also with an extra variable; and its undo by plain ansible-playbook."""
    folder = site.folder / "plan"
    options = ("-i", site.inventory)
    remediate("plan", *options, "--fix", "on-demand", "--out", folder, expect=2, bin=environment.bin, **become)
    extra = ("-e", "ansible_become=true")
    done = remediate("apply", folder, *options, *extra, "--yes", expect=0, bin=environment.bin, **become)
    assert "1 changed" in done.stdout
    (made,) = (folder / "runs").iterdir()
    undo = site.folder / "undo"
    remediate("rollback", made, "--out", undo, expect=0)
    # Where nobody asks for the password of become: that is asked before the first play, of plain Ansible.
    plain = become | {"ANSIBLE_BECOME_ASK_PASS": "0", "ANSIBLE_BECOME_PASSWORD_FILE": str(site.inventory)}
    done = run(environment.bin / "ansible-playbook", *options, undo / "playbook.yml", expect=0, **plain)
    assert "changed=1" in done.stdout


def test_the_playbooks(site: Site, become: dict[str, Any]) -> None:
    """The audit, a fix and its rollback, by plain ansible-playbook."""
    plain = become | {"ANSIBLE_BECOME_ASK_PASS": "0", "ANSIBLE_BECOME_PASSWORD_FILE": str(site.inventory)}

    def play(name: str, *options: str) -> str:
        here = ("env", "-C", site.folder, BIN / "ansible-playbook", "-i", site.inventory)
        return run(*here, PLAYBOOKS / name, *options, expect=0, **plain).stdout

    assert "Contoso Shop" in play("audit.yml")
    assert "changed=1" in play("fix_on_demand.yml", "-e", "remediate_pools=Contoso*")
    (made,) = (site.folder / "remediate-runs").iterdir()
    play("rollback.yml", "-e", f"remediate_run={made}")


@pytest.mark.parametrize("kind", ["ssh", "psrp"])
def test_the_hosts_that_go_through_ansible(site: Site, become: dict[str, Any], kind: str) -> None:
    """They get as far as their closed port."""
    hosts = {"closed": {"ansible_connection": kind, "ansible_shell_type": "powershell", "ansible_port": 1}}
    whole = yaml.safe_load(site.inventory.read_text())
    address = next(iter(whole["iis"]["hosts"].values()))["ansible_host"]
    for host in hosts.values():
        host |= {"ansible_host": address, "ansible_user": "u", "ansible_password": "p", "ansible_ssh_args": "-F none"}
    path = site.folder / "others.yml"
    path.write_text(yaml.safe_dump({"all": {"vars": whole["all"]["vars"], "hosts": hosts}}))
    done = remediate("audit", "-i", path, "--format", "json", expect=3, **become)
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["status"] in ("unreachable", "failed")
    assert "efused" in host["detail"] or "can be reached over SSH" in host["detail"], host
