"""Variables that are templates: what Ansible makes of them in the same folder, the audit and the apply make of them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, wait_for
from tests.environments import Environment

BIN = Path(sys.prefix) / "bin"
# A port where nobody listens: what a host is refused for is shown with the user that it would have been reached as.
COMMON: dict[str, Any] = {
    "ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_winrm_scheme": "http",
    "ansible_user": "u", "ansible_password": "p",
}  # fmt: skip


def inventory(path: Path, hosts: dict[str, dict[str, Any]], **common: Any) -> Path:
    path.write_text(yaml.safe_dump({"iis": {"vars": COMMON | common, "hosts": hosts}}))
    return path


def details(stdout: str) -> dict[str, str]:
    return {host["host"]: host["detail"] for host in json.loads(stdout)["hosts"]}


@pytest.mark.every_ansible
def test_a_lookup_that_is_not_there_is_that_hosts_failure(tmp_path: Path, environment: Environment) -> None:
    """Named with its variable, at once; the others go on. Whatever else a plugin fails with is a failure too."""
    wrong = {
        "lookup": {"ansible_password": "{{ lookup('nosuch', 1) }}"},
        "query": {"ansible_password": "{{ query('nosuch', 1) }}"},
        "vault": {"ansible_password": "{{ lookup('community.hashi_vault.hashi_vault', 'secret/x') }}"},
        "fix": {"remediate_fix": "{{ lookup('nosuch', 1) }}"},
        "exits": {"ansible_user": "{{ 1 | exits }}"},
        "raises": {"ansible_user": "{{ 1 | raises }}"},
        "deep": {"ansible_user": "{{ 1 | deep }}"},
        "unprintable": {"ansible_user": "{{ 1 | unprintable }}"},
        "divides": {"ansible_user": "{{ 1 / 0 }}"},
        "ring": {"ansible_user": "{{ ansible_password }}", "ansible_password": "{{ ansible_user }}"},
    }
    plugins = tmp_path / "filters"
    plugins.mkdir()
    (plugins / "odd.py").write_text(
        "import sys\nclass Unprintable(Exception):\n    def __str__(self):\n        raise ValueError('no text')\n"
        "class FilterModule:\n    def filters(self):\n"
        "        def deep(value):\n            return deep(value)\n"
        "        def unprintable(_):\n            raise Unprintable\n"
        "        def raises(_):\n            error = ValueError('x')\n            error.__cause__ = KeyError('y')\n"
        "            error.__cause__.__context__ = error\n            raise error\n"
        "        return {'exits': lambda _: sys.exit(3), 'raises': raises, 'deep': deep, 'unprintable': unprintable}\n"
    )
    omitted = {"ansible_port": "{{ nothing | default(omit) }}", "ansible_winrm_scheme": "{{ nothing | default(omit) }}"}
    path = inventory(tmp_path / "hosts.yml", {"good": {}, "omitted": omitted} | wrong)
    env = {"ANSIBLE_FILTER_PLUGINS": str(plugins)}
    done = remediate("audit", "-i", path, "--format", "json", expect=3, bin=environment.bin, **env)
    found = details(done.stdout)
    assert "refused the connection" in found.pop("good")
    assert "https://127.0.0.1:5986/wsman" in found.pop("omitted")
    for name, detail in found.items():
        variable = next(iter(wrong[name]))
        assert detail.startswith(f"its variables: {variable}: "), (name, detail)
    assert found["lookup"].endswith("lookup plugin 'nosuch' was not found")
    assert found["query"] == found["lookup"]
    assert "'community.hashi_vault.hashi_vault' was not found" in found["vault"]
    assert found["fix"] == "its variables: remediate_fix: lookup plugin 'nosuch' was not found"
    assert "Traceback" not in done.stderr


# What each host's user is a template of; all need the folder in which the command is typed, or another host.
TEMPLATES = {
    "pipe": "{{ lookup('pipe', 'cat user.txt') }}",
    "lines": "{{ lookup('lines', 'cat user.txt') }}",
    "file": "{{ lookup('file', 'user.txt') }}",
    "files": "{{ lookup('file', 'other.txt') }}",
    "folder": "{{ playbook_dir }}",
    "other": "{{ hostvars['pipe'].ansible_user }}-{{ hostvars['plain'].ansible_host }}",
    "groups": "{{ groups['iis'] | length }}-{{ group_names[0] }}-{{ inventory_hostname }}",
}


@pytest.mark.every_ansible
def test_a_template_is_what_ansible_makes_of_it(take: Callable[[str, str], Site], environment: Environment) -> None:
    """In the same folder, as `ansible -m debug` shows it: the server refuses that very user by name."""
    site = take("emulated", "basic")
    (group,) = yaml.safe_load(site.inventory.read_text()).values()
    folder = site.folder / "here"
    (folder / "files").mkdir(parents=True)
    (folder / "user.txt").write_text("from-a-file")
    (folder / "files" / "other.txt").write_text("from-files")
    address = group["hosts"][site.name]["ansible_host"]
    hosts = {name: {"ansible_user": text, "ansible_host": address} for name, text in TEMPLATES.items()}
    path = inventory(site.folder / "hosts.yml", {"plain": {"ansible_port": 1}} | hosts, **group["vars"])
    audit = subprocess.run(
        [environment.bin / "remediate", "audit", "-i", path, "--format", "json"],
        cwd=folder, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    found = details(audit.stdout)
    for name in TEMPLATES:
        plain = subprocess.run(
            [environment.bin / "ansible", "-i", path, name, "-m", "debug", "-a", "var=ansible_user", "-o"],
            cwd=folder, capture_output=True, text=True, timeout=600, check=False,
            env=os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "minimal"},
        ).stdout  # fmt: skip
        said = json.loads(plain[plain.index("{") :])["ansible_user"]
        assert found[name].startswith(f"{said} was refused"), (name, said, found[name])


def test_a_ring_between_hosts_ends(tmp_path: Path) -> None:
    """As in Ansible, a template that another host's template needs does not see `hostvars` again."""
    hosts = {
        "one": {"ansible_user": "{{ hostvars['two'].ansible_user }}"},
        "two": {"ansible_user": "{{ hostvars['one'].ansible_user }}"},
        "gone": {"ansible_user": "{{ hostvars['nowhere'].ansible_user }}"},
    }
    done = remediate("audit", "-i", inventory(tmp_path / "hosts.yml", hosts), "--format", "json", expect=3)
    found = details(done.stdout)
    assert all(detail.startswith("its variables: ansible_user: ") for detail in found.values()), found
    assert found["gone"].endswith("hostvars has no such host")


@pytest.mark.every_ansible
def test_the_apply_resolves_what_the_audit_resolved(take: Callable[[str, str], Site], environment: Environment) -> None:
    """Relative files and commands mean the folder where the command is typed, not the plan's; group_vars there do
    not count."""
    site = take("emulated", "ntlm")
    whole = yaml.safe_load(site.inventory.read_text())
    password = whole["iis"]["vars"].pop("ansible_password")
    whole["iis"]["vars"] |= {
        "ansible_password": "{{ lookup('pipe', 'cat one.txt') }}{{ lookup('file', 'two.txt') }}",
        "remediate_seen": "{{ playbook_dir }}",
    }
    folder = site.folder / "here"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "group_vars" / "all.yml").write_text("ansible_port: 1\n")
    (folder / "one.txt").write_text(password[:4])
    (folder / "two.txt").write_text(password[4:])
    site.inventory.write_text(yaml.safe_dump(whole))

    def here(*arguments: str | Path, expect: int) -> str:
        done = subprocess.run(
            [environment.bin / "remediate", *arguments], cwd=folder, capture_output=True, text=True, timeout=600,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    here("plan", "-i", site.inventory, "--fix", "on-demand", "--out", "../plan", expect=2)
    here("apply", "../plan", "-i", site.inventory, "--check", expect=2)
    assert "1 changed" in here("apply", "../plan", "-i", site.inventory, "--yes", expect=0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_lookup_that_waits_is_named_and_can_be_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    """The host is named on standard error after some seconds; an interruption ends the command at once, with 130."""
    started = tmp_path / "started"
    wait = "{{ lookup('pipe', 'touch " + str(started) + "; exec sleep 3000') }}"
    path = inventory(tmp_path / "hosts.yml", {"good": {}, "waits": {"ansible_user": wait}})
    said = tmp_path / "stderr"
    with (
        said.open("wb") as stderr,
        subprocess.Popen(
            [BIN / "remediate", "audit", "-i", path], stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
        ) as ours,
    ):
        wait_for(started.exists, "the lookup has begun")
        wait_for(lambda: "waits: its variables are still being read" in said.read_text(), "the host is named")
        os.killpg(ours.pid, number)
        assert ours.wait(600) == 130, "long before the lookup ends"
    assert "good" not in said.read_text()
    assert "Traceback" not in said.read_text()


def test_hosts_that_go_through_ansible_resolve_the_same(tmp_path: Path) -> None:
    """A psrp host's variables are resolved by the ansible-playbook that inspects it, in the same folder."""
    (tmp_path / "user.txt").write_text("somebody")
    variables = {"ansible_connection": "psrp", "ansible_user": "{{ lookup('file', 'user.txt') }}"}
    path = inventory(tmp_path / "hosts.yml", {"one": variables}, ansible_psrp_protocol="http")
    done = subprocess.run(
        [BIN / "remediate", "audit", "-i", path, "--format", "json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["status"] == "unreachable", host
