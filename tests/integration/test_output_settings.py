"""Our own run does not depend on what the user wants Ansible's output to look like."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate.playbook.output_settings import OUTPUT
from tests.conftest import Site, remediate, run
from tests.environments import Environment

BIN = Path(sys.prefix) / "bin"


@pytest.fixture
def site(take: Callable[[str, str], Site]) -> Site:
    return take("emulated", "ntlm")


# One file with all that could end or hold a run, or hide its answers.
CONFIG = """[defaults]
stdout_callback = nobody.knows.this
callback_result_format = xml
callbacks_enabled = nobody.knows.that, ansible.builtin.junit
bin_ansible_callbacks = true
display_skipped_hosts = maybe
display_ok_hosts = perhaps
show_task_path_on_failure = never
check_mode_markers = no idea
enable_task_debugger = true
no_log = true
verbosity = 3
force_color = true
cow_selection = nobody
log_path = /nowhere/at/all.log
[diff]
always = false
context = 0
"""


@pytest.fixture
def odd(site: Site) -> dict[str, Any]:
    config = site.folder / "ansible.cfg"
    config.write_text(CONFIG)
    return {"ANSIBLE_CONFIG": str(config)}


def test_a_run_and_its_record(site: Site, odd: dict[str, Any], environment: Environment) -> None:
    """The dry run, the run, and what is known of it: a `no_log` of ansible.cfg would hide what was written."""
    folder = site.folder / "plan"
    where = ("-i", site.inventory)
    remediate("plan", *where, "--fix", "on-demand", "--out", folder, expect=2, bin=environment.bin, **odd)
    dry = remediate("apply", folder, *where, "--check", expect=2, bin=environment.bin, **odd)
    assert "1 pending" in dry.stdout
    done = remediate("apply", folder, *where, "--yes", expect=0, bin=environment.bin, **odd)
    assert "startMode: AlwaysRunning -> OnDemand, written and verified" in done.stdout
    environ = {"ANSIBLE_STDOUT_CALLBACK": "nobody.knows.this", "ANSIBLE_CALLBACK_RESULT_FORMAT": "xml"}
    assert "1 unchanged" in remediate("apply", folder, *where, "--yes", expect=0, bin=environment.bin, **environ).stdout


def test_a_failure_does_not_wait_for_a_debugger(site: Site, odd: dict[str, Any]) -> None:
    """Also of a plain ansible-playbook the answers are recorded in spite of `no_log`."""
    folder = site.folder / "plan"
    where = ("-i", site.inventory)
    remediate("plan", *where, "--fix", "on-demand", "--out", folder, expect=2)
    done = remediate("apply", folder, *where, "-e", "ansible_port=1", "--yes", expect=3, **odd)
    assert "not written" in done.stdout
    run(BIN / "ansible-playbook", *where, folder / "playbook.yml", expect=0, ANSIBLE_NO_LOG="1")
    made = sorted((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    (host,) = json.loads(remediate("show", made[-1], "--format", "json", expect=0).stdout)["hosts"]
    assert [change["written"] for change in host["changes"]] == [True]


def test_the_hosts_that_go_through_ansible(site: Site, odd: dict[str, Any]) -> None:
    """They get as far as their closed port, and say so."""
    closed = {"ansible_connection": "psrp", "ansible_port": 1, "ansible_host": "127.0.0.1"}
    site.inventory.write_text(yaml.safe_dump({"iis": {"hosts": {"closed": closed | {"ansible_user": "u"}}}}))
    done = remediate("audit", "-i", site.inventory, "-e", "ansible_password=p", "--format", "json", expect=3, **odd)
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["detail"] == "127.0.0.1:1 refused the connection: check that it listens on that port"


@pytest.mark.every_ansible
def test_the_table_is_whole(environment: Environment) -> None:
    """Each option of the callback plugin that our runs use is in it, on each ansible-core."""
    said = run(environment.bin / "ansible-doc", "-t", "callback", "--json", "ansible.builtin.default", expect=0).stdout
    (doc,) = json.loads(said).values()
    names = {source["name"] for option in doc["doc"]["options"].values() for source in option.get("env", ())}
    assert "ANSIBLE_CALLBACK_RESULT_FORMAT" in names
    assert names <= OUTPUT.keys()
