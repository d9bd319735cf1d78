"""What people type for Ansible (-e, -u, -k, -c), and what ansible.cfg has in its place, count here too.

The server's user and password are in none of these inventories: an audit that reaches the server had them from there.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment
from tests.terminal import on_a_terminal

BIN = Path(sys.prefix) / "bin"


class Bare:
    """One server, and an inventory without user, password and connection."""

    def __init__(self, site: Site) -> None:
        whole = yaml.safe_load(site.inventory.read_text())
        group: dict[str, Any] = whole["iis"]["vars"]
        self.user, self.password = group.pop("ansible_user"), group.pop("ansible_password")
        del group["ansible_connection"]
        self.site, self.folder = site, site.folder
        self.inventory = self.write("bare.yml", yaml.safe_dump(whole))

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path


@pytest.fixture
def bare(take: Callable[[str, str], Site]) -> Bare:
    return Bare(take("emulated", "ntlm"))


def statuses(stdout: str) -> list[str]:
    return [host["status"] for host in json.loads(stdout)["hosts"]]


def test_the_whole_way(bare: Bare, environment: Environment) -> None:
    """Audit, plan, apply and proof, on each ansible-core: with a password from a vaulted file, merged in order."""
    opened = bare.write("vault.txt", "vault password\n")
    secrets = bare.write("secrets.yml", yaml.safe_dump({"ansible_password": "{{ half }}" + bare.password[5:]}))
    run(environment.bin / "ansible-vault", "encrypt", "--vault-password-file", opened, secrets, expect=0)
    options = (
        "-i", bare.inventory, "-e", "ansible_user=nobody half=wrong", "-e", f'{{"half": "{bare.password[:5]}"}}',
        "-e", f"@{secrets}", "-e", f"ansible_user={bare.user}", "-c", "winrm", "--vault-password-file", opened,
    )  # fmt: skip
    folder = bare.folder / "plan"
    done = remediate("plan", *options, "--fix", "on-demand", "--out", folder, expect=2, bin=environment.bin)
    more = ("-e", '{"note": "{{ nothing", "remediate_pause": 0}')
    remediate("apply", folder, *options, *more, "--check", expect=2, bin=environment.bin)
    applied = remediate("apply", folder, *options, *more, "--yes", expect=0, bin=environment.bin)
    assert "1 changed" in applied.stdout
    shown = done.stdout + done.stderr + applied.stdout + applied.stderr
    assert bare.password not in shown
    assert not [p for p in folder.rglob("*") if p.is_file() and bare.password.encode() in p.read_bytes()]


def test_no_secret_is_an_argument_or_in_the_environment(bare: Bare) -> None:
    """Seen while the run goes on, as anybody on the machine sees it; and it goes through no file."""
    folder = bare.folder / "plan"
    secrets = bare.write("e.yml", yaml.safe_dump({"ansible_password": bare.password}))
    options = ["-i", str(bare.inventory), "-c", "winrm", "-u", bare.user, "-e", f"@{secrets}"]
    remediate("plan", *options, "--fix", "on-demand", "--out", folder, expect=2)
    bare.site.knobs(delay="2")
    with subprocess.Popen([BIN / "remediate", "apply", folder, *options, "--check"], stdout=subprocess.DEVNULL) as ours:
        seen: dict[str, bytes] = {}
        while ours.poll() is None:
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    words = (process / "cmdline").read_bytes()
                    if str(folder).encode() in words:
                        seen[words.decode()] = words + (process / "environ").read_bytes()
                except OSError:
                    continue
            time.sleep(0.05)
    assert ours.returncode == 2
    assert [words for words in seen if "ansible_playbook.py" in words], "the run itself was seen"
    assert not [words for words, all_of_it in seen.items() if bare.password.encode() in all_of_it]


def test_the_password_is_asked_for_once(bare: Bare) -> None:
    """-k, and `ask_pass` of ansible.cfg: asked once for the audit, the run and the proof; never shown or written."""
    user = ("-i", str(bare.inventory), "-c", "winrm", "-u", bare.user)
    folder = str(bare.folder / "plan")
    command = [str(BIN / "remediate"), "plan", *user, "-k", "--fix", "on-demand", "--out", folder]
    code, shown = on_a_terminal(command, "SSH password", bare.password)
    assert (code, shown.count("SSH password")) == (2, 1), shown
    config = bare.write(
        "ansible.cfg",
        f"[defaults]\nask_pass = true\nremote_user = {bare.user}\ntransport = winrm\n"
        "[privilege_escalation]\nbecome_ask_pass = true\n",
    )
    command = [str(BIN / "remediate"), "apply", folder, "-i", str(bare.inventory), "--yes"]
    code, shown = on_a_terminal(command, "SSH password", bare.password, {"ANSIBLE_CONFIG": str(config)})
    assert (code, shown.count("assword:")) == (0, 1), shown
    assert "1 changed" in shown
    assert not [p for p in Path(folder).rglob("*") if p.is_file() and bare.password.encode() in p.read_bytes()]


def test_the_inventory_of_ansible_cfg(bare: Bare) -> None:
    """Without -i: of ansible.cfg in the current folder, and of ANSIBLE_INVENTORY, for every command that takes -i."""
    password = bare.write("password.txt", bare.password + "\n")
    config = (
        f"[defaults]\ninventory = bare.yml\ntransport = winrm\nremote_user = {bare.user}\n"
        f"connection_password_file = {password}\n"
    )
    bare.write("ansible.cfg", config)
    bare.folder.chmod(0o700)
    ours = str(BIN / "remediate")

    def here(*arguments: str, expect: int, **env: str) -> "subprocess.CompletedProcess[str]":
        return run("env", "-C", bare.folder, ours, *arguments, expect=expect, **env)

    assert statuses(here("audit", "--format", "json", expect=2).stdout) == ["inspected"]
    here("plan", "--fix", "on-demand", "--out", "plan", expect=2)
    assert "1 pending" in here("apply", "plan", "--check", expect=2).stdout
    assert "1 changed" in here("apply", "plan", "--yes", expect=0).stdout
    only = bare.write("only.yml", "all: {hosts: {lin01: {ansible_connection: local}}}\n")
    done = here("audit", "--format", "json", expect=3, ANSIBLE_INVENTORY=str(only))
    assert statuses(done.stdout) == ["skipped"]
    gone = here("audit", expect=1, ANSIBLE_INVENTORY="nowhere.yml")
    assert "nowhere.yml'" in gone.stderr and "there is no such file" in gone.stderr


@pytest.mark.skipif(os.path.exists("/etc/ansible/hosts"), reason="Ansible's default inventory is there")  # noqa: PTH110
def test_no_inventory_at_all(tmp_path: Path) -> None:
    """A usage error in one line; but audit --config and plan --from want none."""
    for command in (["audit"], ["plan", "--fix", "on-demand", "--out", "p"]):
        done = run("env", "-C", tmp_path, BIN / "remediate", *command, expect=64)
        assert done.stderr.startswith("remediate: give -i INVENTORY or --")
        assert "neither ansible.cfg nor ANSIBLE_INVENTORY names one" in done.stderr
    config = Path(__file__).parents[1] / "cases" / "plain"
    remediate("audit", "--config", config, expect=2)
    done = remediate("audit", "--config", config, "-e", "x=1", expect=64)
    assert "--config" in done.stderr


CANARY = "canary-77aa10"


def test_extra_variables_that_cannot_be_taken(tmp_path: Path) -> None:
    """One line that names the option, and shows nothing of what it holds; our own settings cannot be replaced.

    What was typed wrongly is usage, exit 64; a file that cannot be used is exit 1.
    """
    inventory = tmp_path / "hosts"
    inventory.write_text("web01 ansible_connection=local\n")
    file = tmp_path / "bad.yml"
    file.write_text(f"ansible_password: {CANARY}: {CANARY}\n")
    listed = tmp_path / "list.yml"
    listed.write_text(f"- {CANARY}\n")
    for options, said in (
        (["-e", f"ansible_password={CANARY} {CANARY}"], "-e: Ansible takes nothing after a space"),
        (["-e", "a=b", "-e", f"{{pass: [{CANARY}"], "-e (the one at place 2 of 2): write NAME=VALUE"),
        (["-e", f"[{CANARY}]"], "-e: write NAME=VALUE, a mapping in JSON or YAML, or @FILE"),
        (["-e", f"/{CANARY}"], "-e: write a file as -e @FILE"),
        (["-e", f"@{file}"], f"-e @{file}: is not a mapping in YAML or JSON"),
        (["-e", f"@{listed}"], f"-e @{listed}: is not a mapping in YAML or JSON"),
        (["-e", f"@{tmp_path}"], f"-e @{tmp_path}: "),
        (["-e", f"@{tmp_path}/no"], f"-e @{tmp_path}/no: there is no such file"),
        (["-e", "remediate_batches=1"], "-e remediate_batches: cannot be set on the command line: use --batches"),
        (["-e", f"remediate_changes={CANARY}"], "-e remediate_changes: cannot be set on the command line"),
    ):
        done = remediate("audit", "-i", inventory, *options, expect=1 if options[1].startswith("@") else 64)
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"remediate: {said}"), line
        assert CANARY not in line.replace(str(tmp_path), "")


def test_a_variable_comes_before_the_option(take: Callable[[str, str], Site]) -> None:
    """As in Ansible: -u and -c count where no variable says otherwise."""
    site = take("emulated", "ntlm")
    done = remediate("audit", "-i", site.inventory, "-u", "nobody", "-c", "local", "--format", "json", expect=2)
    assert statuses(done.stdout) == ["inspected"]
    done = remediate("audit", "-i", site.inventory, "-e", "ansible_user=nobody", "--format", "json", expect=3)
    assert statuses(done.stdout) == ["unreachable"]
