"""Which hosts are inspected and planned: by their connection, and by their names."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate
from tests.environments import Environment


def whole(site: Site) -> Any:
    """The inventory of one server, to be changed."""
    return yaml.safe_load(site.inventory.read_text())


def written(folder: Path, value: Any) -> Path:
    path = folder / "changed.yml"
    path.write_text(yaml.safe_dump(value))
    return path


@pytest.mark.parametrize("spelling", ["winrm", "ansible.builtin.winrm", "ansible.legacy.winrm"])
def test_any_spelling_of_the_connection(take: Callable[[str, str], Site], spelling: str) -> None:
    """The host is audited and changed by each name that Ansible has for the plugin; also by `playbooks/`."""
    site = take("emulated", "ntlm")
    inventory = whole(site)
    inventory["iis"]["vars"]["ansible_connection"] = spelling
    path = written(site.folder, inventory)
    remediate("plan", "-i", path, "--fix", "on-demand", "--out", site.folder / "plan", expect=2)
    done = remediate("apply", site.folder / "plan", "-i", path, "--yes", expect=0)
    assert "1 changed" in done.stdout


@pytest.mark.every_ansible
def test_each_spelling_is_the_same_plugin(tmp_path: Path, environment: Environment) -> None:
    """On each ansible-core, also for psrp and ssh: the host is not skipped, and what is wrong with it is found."""
    hosts = {
        f"{prefix}{kind}": {"ansible_connection": f"{prefix}{kind}", "ansible_port": "abc"}
        for prefix in ("", "ansible.builtin.", "ansible.legacy.")
        for kind in ("winrm", "psrp", "ssh")
    }
    shell = {"ansible_shell_type": "powershell"}
    path = written(tmp_path, {"iis": {"vars": shell, "hosts": hosts}})
    done = remediate("audit", "-i", path, "--format", "json", expect=3, bin=environment.bin)
    for host in json.loads(done.stdout)["hosts"]:
        assert (host["status"], "ansible_port: 'abc'" in host["detail"]) == ("failed", True), host


def test_no_host_was_inspected(tmp_path: Path) -> None:
    """The reason is that ansible_connection is not set; and an audit or a plan of nothing is incomplete, whatever
    number of hosts may be missing."""
    path = tmp_path / "hosts"
    path.write_text("web01 ansible_user=u ansible_password=p\n")
    said = "web01  skipped  ansible_connection is not set (Ansible's default is ssh)"
    for more in ((), ("--max-missing", "100%")):
        assert said in remediate("audit", "-i", path, *more, expect=3).stdout
    said = "not inspected: web01: skipped: ansible_connection is not set (Ansible's default is ssh)"
    assert said in remediate("plan", "-i", path, "--fix", "on-demand", "--out", tmp_path / "a", expect=3).stdout
    saved = tmp_path / "audit.json"
    remediate("audit", "-i", path, "--save", saved, expect=3)
    remediate("plan", "--from", saved, "--fix", "on-demand", "--out", tmp_path / "b", expect=3)
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\ntransport = local\n")
    said = "ansible_connection is not set (the default that is configured is local)"
    assert said in remediate("audit", "-i", path, expect=3, ANSIBLE_CONFIG=str(config)).stdout
    broken = tmp_path / "applicationHost.config"
    broken.write_text("<configuration>")
    remediate("audit", "--config", broken, "--max-missing", "100%", expect=3)


def test_so_many_may_be_missing(take: Callable[[str, str], Site]) -> None:
    """--max-missing lifts exit 3 as long as one host was inspected."""
    site = take("emulated", "ntlm")
    inventory = whole(site)
    (variables,) = inventory["iis"]["hosts"].values()
    inventory["iis"]["hosts"] = {"closed": variables | {"ansible_port": 1}, "well": variables}
    path = written(site.folder, inventory)
    for more, expected in (((), 3), (("--max-missing", "1"), 2), (("--max-missing", "49%"), 3)):
        remediate("audit", "-i", path, *more, expect=expected)


def test_the_name_that_can_be_planned_leads(take: Callable[[str, str], Site]) -> None:
    """Two inventory names of one machine, of which one cannot be a file's name: the other one stands in the plan."""
    site = take("emulated", "ntlm")
    inventory = whole(site)
    (variables,) = inventory["iis"]["hosts"].values()
    # `::1` and `localhost` sort before and after the others, and neither can stand in a plan.
    inventory["iis"]["hosts"] = {"::1": variables, "iis01": variables, "localhost": variables}
    path = written(site.folder, inventory)
    folder = site.folder / "plan"
    done = remediate("plan", "-i", path, "--fix", "on-demand", "--out", folder, expect=2)
    assert ", also ::1, localhost): 1 change" in done.stdout
    assert "0 undecided" in done.stdout
    assert "iis01: changed" in remediate("apply", folder, "-i", path, "--yes", expect=0).stdout
