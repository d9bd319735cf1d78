"""What a run leaves out: hosts that -l did not ask for are no trouble; tags that leave out everything are, in words."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment

PLAYBOOK = Path(sys.prefix) / "bin" / "ansible-playbook"
OURS = Path(__file__).parents[2] / "playbooks"
SKIPPED = "the tag 'always' is skipped (--skip-tags, ANSIBLE_SKIP_TAGS or ansible.cfg)"


@pytest.fixture
def two(take: Callable[[str, str], Site]) -> tuple[str, str, Path, Path]:
    """Two servers and their plan. The second one is then taken from the inventory."""
    first, second = take("emulated", "ntlm"), take("emulated", "ntlm")
    hosts: dict[str, Any] = {}
    for site in (first, second):
        hosts |= json.loads((site.folder / f"{site.name}.json").read_text())
    whole = yaml.safe_load(first.inventory.read_text())
    first.inventory.write_text(yaml.safe_dump({"iis": whole["iis"] | {"hosts": hosts}}))
    folder = first.folder / "plan"
    remediate("plan", "-i", first.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    del hosts[second.name]
    first.inventory.write_text(yaml.safe_dump({"iis": whole["iis"] | {"hosts": hosts}}))
    return first.name, second.name, first.inventory, folder


def test_a_planned_host_that_is_gone_counts_only_where_it_is_asked_for(two: tuple[str, str, Path, Path]) -> None:
    """By no -l, by its name or by a glob. By another name, or by a group, nobody asked for it."""
    first, second, inventory, folder = two
    some = first[:3]
    for limit in (None, f"{first},{second}", f"{some}*", "all", f"!{first}x", f"~{some}"):
        asked = () if limit is None else ("-l", limit)
        done = remediate("apply", folder, "-i", inventory, *asked, "--yes", expect=3)
        assert f"not in the inventory: {second}; nothing was done" in done.stderr
    for number, limit in enumerate((first, "iis", f"{some}*,!{second}", f"{some}*:&{first}")):
        done = remediate("apply", folder, "-i", inventory, "-l", limit, "--yes", expect=0)
        assert ("1 unchanged" if number else "1 changed") in done.stdout and second not in done.stdout


def test_plain_ansible_asks_for_the_same_hosts(two: tuple[str, str, Path, Path]) -> None:
    """The plan's own check does not fail for hosts that --limit does not name."""
    first, second, inventory, folder = two
    command = (PLAYBOOK, "-i", inventory, folder / "playbook.yml", "--check")
    for limit in ((), ("-l", f"{first},{second},localhost")):
        done = run(*command, *limit)
        assert done.returncode != 0 and f"Not in the inventory: {second}" in done.stdout
    run(*command, "-l", f"{first},localhost", expect=0)


def test_tags_that_are_skipped_for_other_playbooks_are_not_in_ours(
    take: Callable[[str, str], Site], environment: Environment
) -> None:
    """By the environment or by ansible.cfg: the run does what it is for. So does an audit through Ansible."""
    site = take("emulated", "ntlm")
    config = site.folder / "ansible.cfg"
    config.write_text("[tags]\nskip = always, tagged\nrun = never\n")
    settings = {"ANSIBLE_CONFIG": str(config)}
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    done = remediate("apply", folder, "-i", site.inventory, "--yes", expect=0, bin=environment.bin, **settings)
    assert "written and verified" in done.stdout
    closed = {"ansible_connection": "psrp", "ansible_port": 1, "ansible_host": "127.0.0.1", "ansible_user": "u"}
    site.inventory.write_text(yaml.safe_dump({"iis": {"hosts": {"closed": closed | {"ansible_password": "p"}}}}))
    done = remediate("audit", "-i", site.inventory, expect=3, bin=environment.bin, ANSIBLE_SKIP_TAGS="always")
    assert "refused the connection" in done.stdout


def test_plain_ansible_says_why_nothing_would_be_done(
    take: Callable[[str, str], Site], environment: Environment
) -> None:
    """For a plan and for a playbook that plans nothing: a run that does nothing must not look well."""
    site = take("emulated", "ntlm")
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    program = environment.bin / "ansible-playbook"
    for arguments in (
        (folder / "playbook.yml",),
        (OURS / "fix_on_demand.yml", "-e", "remediate_pools=*"),
    ):
        done = run(program, "-i", site.inventory, *arguments, ANSIBLE_SKIP_TAGS="always")
        assert done.returncode != 0 and SKIPPED in done.stdout + done.stderr
    assert not (folder / "runs").exists()
