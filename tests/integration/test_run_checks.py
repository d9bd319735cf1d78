"""What a run would stumble over in a host's variables, the audit finds by name; and Ansible does stumble there."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment

ROOT = Path(__file__).parents[2]
KERBEROS = {"ansible_winrm_transport": "kerberos", "ansible_winrm_kinit_cmd": "/nowhere/kinit"}

# What the host has -> the beginning of its line. Ansible itself fails with each of these.
STUMBLES: dict[str, tuple[dict[str, Any], str]] = {
    "operation": (
        {"ansible_winrm_operation_timeout_sec": 60},
        "ansible_winrm_read_timeout_sec (30) must be larger than ansible_winrm_operation_timeout_sec (60)",
    ),
    "read": (
        {"ansible_winrm_read_timeout_sec": 20},
        "ansible_winrm_read_timeout_sec (20) must be larger than ansible_winrm_operation_timeout_sec (20)",
    ),
    "zero": (
        {"ansible_winrm_operation_timeout_sec": "0"},
        "ansible_winrm_operation_timeout_sec (0) must be at least 1",
    ),
    "connection": (
        {"ansible_winrm_connection_timeout": -3},
        "ansible_winrm_connection_timeout (-3) must be at least 1",
    ),
    "delegation": (
        {"ansible_winrm_kerberos_delegation": "maybe"},
        "ansible_winrm_kerberos_delegation: 'maybe' is not true or false",
    ),
    "encryption": (
        {"ansible_winrm_message_encryption": "always", "ansible_winrm_transport": "basic"},
        "ansible_winrm_message_encryption: 'always' needs one of credssp, kerberos, ntlm",
    ),
    "kinit": (KERBEROS, "ansible_winrm_kinit_cmd: there is no program '/nowhere/kinit' here"),
    "kinit-args": (
        KERBEROS | {"ansible_winrm_kinit_cmd": "true", "ansible_winrm_kinit_args": "-l '5m"},
        "ansible_winrm_kinit_args: a quote is not closed",
    ),
    "managed": (
        KERBEROS | {"ansible_winrm_kinit_mode": "managed", "ansible_password": ""},
        "ansible_password: it is missing, and ansible_winrm_kinit_mode is managed",
    ),
    "timeout": ({"ansible_timeout": "soon"}, "ansible_timeout: 'soon' is not a whole number"),
    "pipelining": ({"ansible_ssh_pipelining": "perhaps"}, "ansible_ssh_pipelining: 'perhaps' is not true or false"),
    "unused-password": ({"ansible_become_password": "{{ nobody }}"}, "ansible_become_password: 'nobody' is undefined"),
    "unused-user": ({"ansible_ssh_user": "{{ nobody }}"}, "ansible_ssh_user: 'nobody' is undefined"),
    "tmp": ({"ansible_remote_tmp": "{{ nobody }}"}, "ansible_remote_tmp: 'nobody' is undefined"),
    "psrp-encryption": (
        {"ansible_connection": "psrp", "ansible_psrp_protocol": "http", "ansible_psrp_auth": "basic"},
        "ansible_psrp_message_encryption: 'auto' cannot be used with basic",
    ),
    "psrp-certificate": (
        {"ansible_connection": "psrp", "ansible_psrp_auth": "certificate", "ansible_psrp_protocol": "https"},
        "ansible_psrp_certificate_pem: it is missing",
    ),
}
# On ansible-core 2.19 and 2.20: newer ones do not ask the shell plugin.
SHELL = ({"ansible_shell_type": "sh"}, "ansible_shell_type: 'sh' is not one of powershell, cmd")
# What no single task of Ansible stumbles over at once: the plan's own playbook does, or a slow answer.
OURS: dict[str, tuple[dict[str, Any], str]] = {
    "commits": ({"remediate_pools_per_commit": 0}, "remediate_pools_per_commit: '0' is not a whole number from 1"),
    "pause": ({"remediate_pause": "5s"}, "remediate_pause: '5s' is not a whole number of seconds"),
    "task": ({"remediate_task_timeout": "soon"}, "remediate_task_timeout: 'soon' is not a whole number of seconds"),
    "psrp-read": (
        {"ansible_connection": "psrp", "ansible_psrp_operation_timeout": 60},
        "ansible_psrp_read_timeout (30) must be larger than ansible_psrp_operation_timeout (60)",
    ),
}
# Unusual, and right: nobody stumbles.
FINE: dict[str, dict[str, Any]] = {
    "good": {},
    "timeouts": {"ansible_winrm_operation_timeout_sec": 60, "ansible_winrm_read_timeout_sec": "70"},
    "one-timeout": {"ansible_winrm_connection_timeout": 60},
    "cmd": {"ansible_shell_type": "ansible.builtin.cmd"},
    "path": {"ansible_winrm_path": "wsman"},
    "delegated": {"ansible_winrm_kerberos_delegation": "yes"},
    "second": {"ansible_winrm_transport": ["kerberos", "ntlm"], "ansible_winrm_kinit_cmd": "/nowhere/kinit"},
}


@pytest.mark.every_ansible
def test_the_audit_names_it_and_ansible_stumbles(take: Callable[[str, str], Site], environment: Environment) -> None:
    """On each ansible-core: every host of the table fails in both, and every unusual one is reached by both."""
    site = take("emulated", "ntlm")
    whole = yaml.safe_load(site.inventory.read_text())
    (server,) = whole["iis"]["hosts"].values()
    stumbles = STUMBLES | ({"shell": SHELL} if environment.ansible in ("2.19", "2.20") else {})
    cases = {name: variables for name, (variables, _) in (stumbles | OURS).items()} | FINE
    whole["iis"]["hosts"] = {name: server | variables for name, variables in cases.items()}
    site.inventory.write_text(yaml.safe_dump(whole))
    done = remediate("audit", "-i", site.inventory, "--format", "json", expect=3, bin=environment.bin)
    found = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
    for name, (_, said) in (stumbles | OURS).items():
        assert found[name]["status"] == "failed", found[name]
        assert found[name]["detail"].startswith(f"its variables: {said}"), found[name]
    assert {name: found[name]["status"] for name in FINE} == dict.fromkeys(FINE, "inspected")

    module = ("-m", "remediate.iis.app_pool_info", "--check", "-o")
    where: dict[str, Any] = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    output = run(environment.bin / "ansible", "all", "-i", site.inventory, *module, "-f", "4", **where).stdout
    well = {line.split(" | ")[0] for line in output.splitlines() if " | SUCCESS" in line}
    assert not well & stumbles.keys(), output
    assert well >= FINE.keys(), output


def test_a_template_of_all_hosts_is_not_for_localhost(take: Callable[[str, str], Site]) -> None:
    """A password for each host, looked up by its name in `all`: the plan's own checks on localhost do without."""
    site = take("emulated", "ntlm")
    whole = yaml.safe_load(site.inventory.read_text())
    old = whole["iis"].pop("vars")
    (name,) = whole["iis"]["hosts"]
    variables = old | {
        "passwords": {name: old["ansible_password"]}, "ansible_password": "{{ passwords[inventory_hostname] }}",
        "users": {name: old["ansible_user"]}, "ansible_user": "{{ users[inventory_hostname] }}",
        "ports": {"iis": old["ansible_port"]}, "ansible_port": "{{ ports[group_names[0]] }}",
    }  # fmt: skip
    whole["all"] = {"vars": variables}
    site.inventory.write_text(yaml.safe_dump(whole))
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    assert "1 pending" in remediate("apply", folder, "-i", site.inventory, "--check", expect=2).stdout
    here = ("env", "-C", site.folder, Path(sys.prefix) / "bin" / "ansible-playbook", "-i", site.inventory)
    fix = ROOT / "playbooks" / "fix_on_demand.yml"
    done = run(*here, fix, "-e", "remediate_pools=Contoso*", expect=0)
    assert "changed=1" in done.stdout
    (made,) = (site.folder / "remediate-runs").iterdir()
    run(*here, ROOT / "playbooks" / "rollback.yml", "-e", f"remediate_run={made}", expect=0)
