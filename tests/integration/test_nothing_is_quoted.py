"""Nothing of an inventory, a variable file, a vault or a script's output is ever printed: it may be a secret.

A canary stands at each place where a parser of Ansible's can fail. What is printed is the file, the line where it is
known, and what is wrong in words.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import remediate, run
from tests.environments import Environment

BIN = Path(sys.prefix) / "bin"
CANARY = "Canary5e1f"

# File name -> its text, what the line must hold of the place, and what of the reason.
BROKEN: dict[str, tuple[str, str, str]] = {
    "quote/hosts": (f"[iis]\nweb01 ansible_user=ops ansible_password=Don't{CANARY}\n", "hosts:2", "quote"),
    "word/hosts.ini": (f"[iis]\nweb01 a=1 {CANARY}\n", "hosts.ini:2", "NAME=VALUE"),
    "variable/hosts": (f"[iis]\nweb01\n[iis:vars]\n{CANARY}\n", "hosts:4", "NAME=VALUE"),
    "section/hosts": (f"[iis:{CANARY}]\nweb01\n", "hosts:1", "section"),
    "children/hosts": (f"[iis:children]\n{CANARY}\n", "hosts", "group that is not there"),
    "range/hosts": (f"web[9:1:{CANARY}]\n", "hosts:1", "range"),
    "list/hosts.yml": (f"iis:\n  hosts:\n    - web01: {{x: {CANARY}}}\n", "hosts.yml", "`hosts` of the group 'iis'"),
    "list-without-an-ending/hosts": (f"iis:\n  hosts:\n    - {CANARY}\n", "hosts", "`hosts` of the group 'iis'"),
    "vars/hosts.yml": (f"iis:\n  vars: [{CANARY}]\n", "hosts.yml", "`vars` of the group 'iis'"),
    "open/hosts.yml": (f"iis:\n  hosts:\n    web01: {{p: {CANARY}\n", "hosts.yml:4", "YAML"),
    "tab/hosts.yml": (f"iis:\n  hosts:\n    web01:\n\tp: {CANARY}\n", "hosts.yml:4", "tab"),
    "colon/hosts.yml": (f"iis:\n  vars:\n    p: a: {CANARY}\n", "hosts.yml:3", "quote the value"),
    "alias/hosts.yml": (f"iis:\n  vars:\n    p: *{CANARY}\n", "hosts.yml:3", "YAML"),
    "tag/hosts.yml": (f"iis:\n  vars:\n    p: !{CANARY} x\n", "hosts.yml:3", "YAML"),
    "control/hosts.yml": (f'iis:\n  vars:\n    p: "{CANARY}\x01"\n', "hosts.yml", "UTF-8"),
    "json/hosts.json": (f'{{"iis": {{"vars": {{"p": "{CANARY}", }}\n', "hosts.json:2", "YAML"),
    "toml/hosts.toml": (f'[iis.vars]\np = "{CANARY}\n', "hosts.toml:2", "TOML"),
    "generator/x.yml": (f"plugin: ansible.builtin.generator\nhosts: {CANARY}\nlayers: {CANARY}\n", "x.yml", "plugin"),
    "strange/x.yml": (f"plugin: nobody.knows\npassword: {CANARY}\n", "x.yml", "'nobody.knows'"),
    "vaulted/hosts.yml": (f"$ANSIBLE_VAULT;1.1;AES256\n{CANARY}\n", "hosts.yml", "encrypted"),
    "fails/cmdb.sh": (f"#!/bin/sh\necho {CANARY} >&2\necho {CANARY}\nexit 3\n", "cmdb.sh", "exit code 3"),
    "junk/cmdb.sh": (f"#!/bin/sh\necho '{{{CANARY}'\n", "cmdb.sh", "JSON"),
    "array/cmdb.sh": (f"#!/bin/sh\necho '[\"{CANARY}\"]'\n", "cmdb.sh", "JSON"),
    "text/cmdb.sh": (f"#!/bin/sh\necho {CANARY} >&2\necho '{{\"iis\": {{\"hosts\": \"{CANARY}\"}}}}'\n", "cmdb.sh",
                     "not an inventory"),
    "bytes/cmdb.sh": (f"#!/bin/sh\nprintf '\\377{CANARY}'\n", "cmdb.sh", "UTF-8"),
}  # fmt: skip


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o700 if path.suffix == ".sh" else 0o600)
    return path


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_inventory(tmp_path: Path, name: str) -> None:
    """One line, exit 1, with the place and the reason of the plugin that the file is meant for."""
    text, place, reason = BROKEN[name]
    path = write(tmp_path / name, text)
    done = remediate("audit", "-i", path, expect=1)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"remediate: inventory {path.parent / place}"), line
    assert reason in line.removeprefix(f"remediate: inventory {path}"), line
    assert CANARY not in done.stdout + done.stderr


# A file of a group's variables -> what the host's failure must hold of the place, and of the reason.
VARIABLES: dict[str, tuple[str, str, str]] = {
    "colon": (f"ansible_password: a: {CANARY}\n", ":1", "quote the value"),
    "list": (f"- {CANARY}\n", "", "not a mapping"),
    "word": (f"{CANARY}\n", "", "not a mapping"),
    "vault": (f"$ANSIBLE_VAULT;1.1;AES256\n{CANARY}\n", "", "encrypted"),
}
# A host's own password -> its failure.
TEMPLATES: dict[str, tuple[Any, str]] = {
    "syntax": (f"{{{{ '{CANARY}' + }}}}", "syntax error"),
    "open": (f"{{{{ {CANARY}", "syntax error"),
    "tag": (f"{{% {CANARY} %}}", "syntax error"),
    "filter": ("{{ canary | from_json }}", "from_json"),
    "key": ("{{ {}[canary] }}", "no attribute"),
    "pipe": (f"{{{{ lookup('pipe', 'echo {CANARY}; exit 3') }}}}", "exit code 3"),
    "file": (f"{{{{ lookup('file', '/nowhere/{CANARY}') }}}}", "no such file"),
    "url": (f"{{{{ lookup('url', 'http://127.0.0.1:1/{CANARY}') }}}}", "lookup plugin 'url' failed"),
    "template": (f"{{{{ lookup('template', '{CANARY}') }}}}", "no such file"),
    "vars": ("{{ lookup('vars', canary) }}", "undefined"),
    "hash": ("{{ 'x' | hash(canary) }}", "hash"),
    "list": ([CANARY], "not a text"),
}


@pytest.mark.every_ansible
def test_variables(tmp_path: Path, environment: Environment) -> None:
    """Each is that host's failure, on each ansible-core; Ansible's warnings do not come through either."""
    common = {"ansible_connection": "winrm", "ansible_user": "u", "canary": CANARY}
    groups: dict[str, Any] = {name.replace("-", "_"): {"hosts": {f"g-{name}": {}}} for name in VARIABLES}
    hosts = {f"t-{name}": {"ansible_password": value} for name, (value, _) in TEMPLATES.items()}
    whole = {"all": {"vars": common, "hosts": hosts, "children": groups}}
    path = write(tmp_path / "hosts.yml", yaml.safe_dump(whole))
    for name, (text, _, _) in VARIABLES.items():
        write(tmp_path / "group_vars" / f"{name}.yml", text)
    saved = tmp_path / "audit.json"
    done = remediate("audit", "-i", path, "--format", "json", "--save", saved, expect=3, bin=environment.bin)
    found = {host["host"]: host["detail"] for host in json.loads(done.stdout)["hosts"]}
    assert len(found) == len(VARIABLES) + len(TEMPLATES)
    for name, (_, place, reason) in VARIABLES.items():
        assert f"group_vars/{name}.yml{place}" in found[f"g-{name}"], found[f"g-{name}"]
        assert reason in found[f"g-{name}"], found[f"g-{name}"]
    for name, (_, reason) in TEMPLATES.items():
        assert found[f"t-{name}"].startswith("its variables: ansible_password: "), found[f"t-{name}"]
        assert reason in found[f"t-{name}"], found[f"t-{name}"]
    assert CANARY not in done.stdout + done.stderr + saved.read_text()


@pytest.mark.every_ansible
def test_what_ansible_warns_of_is_said_in_words(tmp_path: Path, environment: Environment) -> None:
    """Of what changes the fleet, with its place: Ansible would print the lines around it."""
    path = write(
        tmp_path / "hosts.yml",
        f"iis:\n  hosts:\n    web01:\n      ansible_connection: local\n      p: {CANARY}1\n      p: {CANARY}2\n"
        f"bad: {CANARY}\n",
    )
    done = remediate("audit", "-i", path, "-l", "web01,web02", bin=environment.bin)
    assert f"remediate: warning: {path}:6:7: p stands twice in one mapping, and the last one counts\n" in done.stderr
    assert "remediate: warning: the group 'bad' is not a mapping, and is left out\n" in done.stderr
    assert "remediate: warning: a part of -l matches no host: web02\n" in done.stderr
    assert "WARNING" not in done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_vaults_and_patterns(tmp_path: Path) -> None:
    """A password script that fails, a password that opens nothing, and a pattern taken from the wrong file."""
    plain = write(tmp_path / "hosts.yml", yaml.safe_dump({"iis": {"hosts": {"web01": {"p": CANARY}}}}))
    password = write(tmp_path / "password.txt", CANARY)
    other = write(tmp_path / "other.txt", "another")
    fails = write(tmp_path / "fails.sh", f"#!/bin/sh\necho {CANARY} >&2\nexit 2\n")
    vaulted = write(tmp_path / "vaulted.yml", plain.read_text())
    run(BIN / "ansible-vault", "encrypt", "--vault-password-file", password, vaulted, expect=0)
    cases: list[tuple[list[str | Path], str]] = [
        (["-i", vaulted, "--vault-password-file", other], "encrypted"),
        (["-i", vaulted, "--vault-password-file", fails], "password script failed"),
        (["-i", vaulted, "--vault-password-file", tmp_path / "gone"], "missing or empty"),
        (["-i", plain, "-l", f"@{password}"], "no host"),
        (["-i", plain, "-l", f"@{tmp_path / 'gone'}"], "file that -l names"),
    ]
    for options, reason in cases:
        done = remediate("audit", *options, expect=1)
        assert reason in done.stderr, done.stderr
        assert CANARY not in done.stdout + done.stderr
