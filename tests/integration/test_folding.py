"""What is the same of many hosts is one line with their names; JSON keeps one entry for each."""

import json
import os
import pty
import sys
from pathlib import Path
from subprocess import run as start

import yaml

from tests.conftest import remediate, run

HOSTS = [f"web{number:02}" for number in range(1, 17)]
BIN = Path(sys.prefix) / "bin"


def vaulted(folder: Path) -> Path:
    """Sixteen hosts whose password is in a vault of another password, and one with a trouble of its own."""
    right, wrong = folder / "right", folder / "wrong"
    right.write_text("right\n")
    wrong.write_text("wrong\n")
    encrypt = (BIN / "ansible-vault", "encrypt_string", "--vault-password-file", right)
    secret = run(*encrypt, "--name", "ansible_password", "p", expect=0).stdout
    variables = folder / "group_vars"
    variables.mkdir()
    (variables / "iis.yml").write_text(f"{secret}\nansible_user: u\nansible_connection: winrm\n")
    hosts = dict.fromkeys(HOSTS) | {"other": {"ansible_port": "abc", "ansible_password": "p"}}
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"iis": {"hosts": hosts}}))
    return inventory


def test_one_wrong_vault_password(tmp_path: Path) -> None:
    """The table has one line for the sixteen; on standard error the first has the reason, the others name the first."""
    inventory = vaulted(tmp_path)
    options = ("-i", inventory, "--vault-password-file", tmp_path / "wrong")
    done = remediate("audit", *options, expect=3)
    (line,) = [line for line in done.stdout.splitlines() if "it is encrypted" in line]
    assert line.startswith("16 hosts  failed  its variables: ")
    assert line.endswith(f"; on: {', '.join(HOSTS)}")
    assert done.stdout.count("web07") == 1
    (own,) = [line for line in done.stdout.splitlines() if line.startswith("other ")]
    assert "ansible_port: 'abc' is not a whole number" in own
    said = [line for line in done.stderr.splitlines() if not line.startswith("other")]
    assert "it is encrypted" in said[0] and said[0].startswith("web01: failed: ")
    assert said[1:] == [f"{host}: failed, as web01" for host in HOSTS[1:]]

    audit = json.loads(remediate("audit", *options, "--format", "json", expect=3).stdout)
    assert [host["host"] for host in audit["hosts"]] == ["other", *HOSTS]

    plan = remediate("plan", *options, "--fix", "on-demand", "--out", tmp_path / "plan", expect=3).stdout
    assert plan.count("not inspected: ") == 2
    assert f"; on: {', '.join(HOSTS)}" in plan
    shown = remediate("show", tmp_path / "plan", "--format", "json", expect=0).stdout
    assert len(json.loads(shown)["not_inspected"]) == 17


def test_beside_a_bar(tmp_path: Path) -> None:
    """On a terminal the same trouble is told once."""
    inventory = vaulted(tmp_path)
    ours, theirs = pty.openpty()
    command = (BIN / "remediate", "audit", "-i", inventory, "--vault-password-file", tmp_path / "wrong")
    done = start([str(part) for part in command], stderr=theirs, capture_output=False, stdout=-1, check=False)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # the other side is closed
    os.close(ours)
    assert done.returncode == 3
    assert shown.count(b"failed: its variables") == 2, shown
    assert b"as web01" not in shown


def test_hosts_that_were_not_reached(tmp_path: Path) -> None:
    """A run that ended early, of a thousand hosts: one line for all that it did not begin."""
    names = [f"web{number:04}" for number in range(1000)]
    begin = {
        "event": "begin", "at": "2026-01-01T00:00:00Z", "format": "remediate.record", "format_version": 1, "run": "r",
        "playbook": "playbook.yml", "plan_digest": "d", "check": False, "hosts": names,
    }  # fmt: skip
    (tmp_path / "record.jsonl").write_text(json.dumps(begin) + "\n")
    lines = remediate("show", tmp_path, expect=0).stdout.splitlines()
    assert lines[1].startswith("1000 hosts: not-reached: not begun in this run; on: web0000, web0001, ")
    assert len(lines) == 3
    assert len(json.loads(remediate("show", tmp_path, "--format", "json", expect=0).stdout)["hosts"]) == 1000
