"""Any Ansible inventory: the same fleet written in each way gives the same audit; and what is wrong is named."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment
from tests.terminal import on_a_terminal

BIN = Path(sys.prefix) / "bin"
CANARY = "canary-0c9e44"
VAULT = "ault password"
needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")


class Fleet:
    """One server, and ways to write down how it is reached. Its address and password come from the lab."""

    def __init__(self, site: Site) -> None:
        (group,) = yaml.safe_load(site.inventory.read_text()).values()
        self.folder = site.folder / "fleet"
        self.folder.mkdir()
        self.name = site.name
        self.address = group["hosts"][site.name]["ansible_host"]
        self.secret = group["vars"].pop("ansible_password")
        self.common: dict[str, Any] = group["vars"]

    def write(self, path: str, value: Any, mode: int = 0o600) -> Path:
        """A file of the inventory: YAML, or a text as it is."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value if isinstance(value, str) else yaml.safe_dump(value))
        file.chmod(mode)
        return file

    @property
    def ini(self) -> str:
        """The hosts without a variable."""
        return f"[iis]\n{self.name}\n[linux]\nlin01\n[here]\nlocalhost ansible_connection=local\n"


@pytest.fixture
def fleet(take: Callable[[str, str], Site]) -> Fleet:
    return Fleet(take("emulated", "ntlm"))


def yaml_file(fleet: Fleet) -> list[str]:
    hosts = {fleet.name: {"ansible_host": fleet.address}}
    whole = {
        "iis": {"vars": fleet.common | {"ansible_password": fleet.secret}, "hosts": hosts},
        "linux": {"hosts": {"lin01": None}},
        "here": {"hosts": {"localhost": {"ansible_connection": "local"}}},
    }
    return ["-i", str(fleet.write("hosts.yml", whole))]


def ini_file(fleet: Fleet) -> list[str]:
    pairs = fleet.common | {"ansible_password": fleet.secret, "ansible_host": fleet.address}
    variables = "".join(f"{key}={value}\n" for key, value in pairs.items())
    return ["-i", str(fleet.write("hosts", f"{fleet.ini}[iis:vars]\n{variables}"))]


def folder(fleet: Fleet) -> list[str]:
    """Several files, group_vars, host_vars, and a password that is a template over both."""
    fleet.write("inv/10-iis", f"[web]\n{fleet.name}\n[iis:children]\nweb\n")
    fleet.write("inv/20-others.yml", {"linux": {"hosts": {"lin01": None}}})
    fleet.write("inv/30-here.ini", "[here]\nlocalhost ansible_connection=local\n")
    fleet.write("inv/group_vars/iis/connection.yml", fleet.common | {"ansible_password": "{{ head }}{{ tail }}"})
    fleet.write("inv/group_vars/web.yml", {"head": fleet.secret[:5]})
    fleet.write(f"inv/host_vars/{fleet.name}.yml", {"tail": fleet.secret[5:], "ansible_host": fleet.address})
    return ["-i", str(fleet.folder / "inv")]


def script(fleet: Fleet) -> list[str]:
    said = {
        "iis": {"hosts": [fleet.name], "vars": fleet.common},
        "linux": {"hosts": ["lin01"]},
        "here": {"hosts": ["localhost"]},
        "_meta": {
            "hostvars": {
                fleet.name: {"ansible_host": fleet.address, "ansible_password": fleet.secret},
                "localhost": {"ansible_connection": "local"},
            }
        },
    }
    return ["-i", str(fleet.write("cmdb", f"#!/bin/sh\ncat <<'END'\n{json.dumps(said)}\nEND\n", 0o700))]


def plugins(fleet: Fleet) -> list[str]:
    """Two of Ansible's inventory plugins: one makes hosts, one makes groups and variables of them."""
    fleet.write(
        "inv/10.generator.yml",
        {
            "plugin": "ansible.builtin.generator",
            "hosts": {"name": "{{ name }}", "parents": []},
            "layers": {"name": [fleet.name, "lin01", "localhost"]},
        },
    )
    fleet.write(
        "inv/20.constructed.yml",
        {
            "plugin": "ansible.builtin.constructed",
            "strict": True,
            "groups": {"iis": "inventory_hostname is match('plain')", "linux": "inventory_hostname == 'lin01'"},
            "keyed_groups": [],
        },
    )
    fleet.write("inv/group_vars/iis.yml", fleet.common | {"ansible_password": fleet.secret})
    fleet.write(f"inv/host_vars/{fleet.name}.yml", {"ansible_host": fleet.address})
    fleet.write("inv/host_vars/localhost.yml", {"ansible_connection": "local"})
    return ["-i", str(fleet.folder / "inv")]


def several(fleet: Fleet) -> list[str]:
    """A list of hosts, a file with their group, a folder with the group's variables; the last one wins."""
    groups = fleet.write("groups.ini", fleet.ini)
    fleet.write("vars/none.ini", "[iis]\n")
    variables = fleet.common | {"ansible_password": fleet.secret, "ansible_host": fleet.address}
    fleet.write("vars/group_vars/iis.yml", variables)
    return ["-i", f"{fleet.name},lin01,", "-i", str(groups), "-i", str(fleet.folder / "vars")]


WAYS = [yaml_file, ini_file, folder, script, plugins, several]


def test_each_way_gives_the_same_audit(take: Callable[[str, str], Site]) -> None:
    site = take("emulated", "ntlm")
    for way in WAYS:
        fleet = Fleet(site)
        done = remediate("audit", *way(fleet), "--format", "json", expect=2)
        hosts = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
        assert {name: host["status"] for name, host in hosts.items()} == {
            fleet.name: "inspected", "lin01": "skipped", "localhost": "skipped",
        }, way.__name__  # fmt: skip
        assert len(hosts[fleet.name]["pools"]) == 3
        assert fleet.secret not in done.stdout + done.stderr
        shutil.rmtree(fleet.folder)


@needs_ssh
def test_vaults(fleet: Fleet) -> None:
    """Two vaults: a whole file by one, a single value by the other; opened in each of Ansible's ways.

    Also for the host that goes through Ansible: it gets as far as its closed port, so its vaulted user was read.
    """
    one, two = fleet.write("one.txt", "first password\n"), fleet.write("two.sh", "#!/bin/sh\necho second\n", 0o700)
    fleet.write("inv/hosts", f"{fleet.ini}[iis:children]\nssh\n[ssh]\nssh01\n")
    fleet.write("inv/group_vars/iis/connection.yml", fleet.common | {"ansible_password": "{{ head }}{{ tail }}"})
    fleet.write("inv/group_vars/ssh.yml", {
        "ansible_connection": "ssh", "ansible_shell_type": "powershell", "ansible_port": 1,
        "ansible_host": fleet.address, "ansible_user": "{{ tail }}", "ansible_ssh_args": "-F none",
    })  # fmt: skip
    vaulted = fleet.write("inv/group_vars/iis/vault.yml", {"head": fleet.secret[:5]})
    run(BIN / "ansible-vault", "encrypt", "--encrypt-vault-id", "dev", "--vault-id", f"dev@{one}", vaulted, expect=0)

    def value(label: str, password: Path) -> None:
        said = run(BIN / "ansible-vault", "encrypt_string", "--vault-id", f"{label}@{password}", "--encrypt-vault-id",
                   label, "--name", "tail", fleet.secret[5:], expect=0).stdout  # fmt: skip
        fleet.write("inv/host_vars/ssh01.yml", said)
        fleet.write(f"inv/host_vars/{fleet.name}.yml", f"{said}\nansible_host: {fleet.address}\n")

    inventory = ("audit", "-i", str(fleet.folder / "inv"), "-l", "iis", "--format", "json")

    def opened(output: str) -> None:
        hosts = json.loads(output[output.index('{\n  "format"') : output.rindex("}") + 1])["hosts"]
        by_name = {host["host"]: host for host in hosts}
        assert by_name[fleet.name]["status"] == "inspected"
        assert by_name["ssh01"]["status"] == "unreachable"
        # Which of the two Ansible says depends on who was first: ssh's end, or what is sent to it.
        detail = by_name["ssh01"]["detail"]
        assert "Connection refused" in detail or "can be reached over SSH" in detail
        assert fleet.secret not in output and fleet.secret[5:] not in output

    config = fleet.write("ansible.cfg", f"[defaults]\nvault_password_file = {one}\n")
    value("dev", one)
    for options, env in (
        (["--vault-password-file", str(one)], {}),
        ([], {"ANSIBLE_VAULT_PASSWORD_FILE": str(one)}),
        ([], {"ANSIBLE_CONFIG": str(config)}),
    ):
        opened(run(BIN / "remediate", *inventory, *options, expect=3, **env).stdout)
    code, shown = on_a_terminal([str(BIN / "remediate"), *inventory, "--ask-vault-pass"], VAULT, "first password")
    assert code == 3
    assert shown.count("ault password") == 1, "asked once, for both connections"
    assert "first password" not in shown
    opened(shown)
    folder = fleet.folder / "plan"
    remediate("plan", *inventory[1:5], "--vault-password-file", one, "--fix", "on-demand", "--out", folder, expect=3)
    apply = ["apply", str(folder), *inventory[1:3], "--ask-vault-pass"]
    code, shown = on_a_terminal([str(BIN / "remediate"), *apply, "--check"], VAULT, "first password")
    assert (code, shown.count("ault password")) == (2, 1), "the playbook does not ask again"
    code, shown = on_a_terminal([str(BIN / "remediate"), *apply, "--yes"], VAULT, "first password")
    assert (code, "1 changed" in shown) == (0, True)
    (made,) = (folder / "runs").iterdir()
    assert not [path for path in made.iterdir() if "first password" in path.read_text()]

    value("prod", two)
    both = ("--vault-id", f"dev@{one}", "--vault-id", f"prod@{two}")
    opened(run(BIN / "remediate", *inventory, *both, expect=3).stdout)
    done = run(BIN / "remediate", *inventory, "--vault-id", f"dev@{one}", expect=3)
    for host in json.loads(done.stdout)["hosts"]:
        assert host["status"] == "failed"
        assert ": it is encrypted" in host["detail"]
    assert "ANSIBLE_VAULT" not in done.stdout + done.stderr
    # Without any, the file that cannot be read is named.
    done = run(BIN / "remediate", *inventory, expect=3)
    assert all("group_vars/iis/vault.yml" in host["detail"] for host in json.loads(done.stdout)["hosts"])


def test_limits(tmp_path: Path) -> None:
    """Ansible's patterns. No host needs to be reached: they are local ones, which an audit skips."""
    path = tmp_path / "hosts"
    path.write_text("[all:vars]\nansible_connection=local\n[iis]\nweb[01:03]\n[db]\ndb01\nweb03\n")
    chosen = tmp_path / "chosen.txt"
    chosen.write_text("web02\ndb01\n")
    for pattern, expected in (
        ("iis", ["web01", "web02", "web03"]),
        ("iis:!web02", ["web01", "web03"]),
        ("iis:&db", ["web03"]),
        (f"@{chosen}", ["db01", "web02"]),
        (r"~web0[12]", ["web01", "web02"]),
        ("web*,db01", ["db01", "web01", "web02", "web03"]),
        ("iis[0]", ["web01"]),
    ):
        done = remediate("audit", "-i", path, "-l", pattern, "--format", "json", expect=3)
        audit = json.loads(done.stdout)
        assert [host["host"] for host in audit["hosts"]] == expected, pattern
        assert audit["summary"]["skipped"] == len(expected)


def test_an_inventory_that_cannot_be_read_whole(tmp_path: Path) -> None:
    """One line and exit 1, also where other sources are good: Ansible would warn, and leave hosts out."""
    good = tmp_path / "good.ini"
    good.write_text("web01 ansible_connection=local\n")
    cases = {
        "script.sh": "#!/bin/sh\necho the CMDB is down >&2\nexit 3\n",
        "nonsense.sh": f"#!/bin/sh\necho '{{{CANARY}'\n",
        "no-such.yml": "plugin: nobody.knows.this\n",
        "gen.yml": "plugin: ansible.builtin.generator\nhosts: [1\n",
        "hosts.ini": f"[iis]\nweb01 ansible_password={CANARY} {CANARY}\n",
        "hosts.yml": f"iis:\n  hosts:\n    web01: {{ansible_password: {CANARY}\n",
    }
    for name, text in cases.items():
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text(text)
        (folder / name).chmod(0o700 if name.endswith(".sh") else 0o600)
        (folder / "good.ini").write_text(good.read_text())
        # In a folder with good files too: only the first, for the time that it takes.
        for source in (folder / name, folder)[: 2 if name == "script.sh" else 1]:
            done = remediate("audit", "-i", good, "-i", source, expect=1)
            (line,) = done.stderr.splitlines()
            assert line.startswith("remediate: inventory ") and name in line, line
            assert done.stdout == ""
            assert CANARY not in line
    assert "the CMDB is down" not in remediate("audit", "-i", tmp_path / "script-sh").stderr


# The host's variables -> the name that its line must hold, and a word of what is wrong.
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no-user": ({"ansible_user": None}, "ansible_user", "missing"),
    "no-password": ({"ansible_password": ""}, "ansible_password", "missing"),
    "undefined": ({"ansible_password": "{{ vaulted }}"}, "ansible_password", "'vaulted' is undefined"),
    "undefined-user": ({"ansible_user": "{{ nobody }}"}, "ansible_user", "'nobody' is undefined"),
    "syntax": ({"ansible_password": f"{{{{ '{CANARY}' + }}}}"}, "ansible_password", "template"),
    "no-filter": ({"ansible_password": f"{{{{ '{CANARY}' | nofilter }}}}"}, "ansible_password", "nofilter"),
    "filter": ({"ansible_password": "{{ a_secret | from_json }}"}, "ansible_password", "from_json"),
    "key": ({"ansible_port": "{{ {}[a_secret] }}"}, "ansible_port", "no attribute"),
    "lookup": ({"ansible_password": "{{ lookup('file', '/nowhere') }}"}, "ansible_password", "no such file"),
    "list": ({"ansible_password": [CANARY]}, "ansible_password", "not a text"),
    "mapping": ({"ansible_password": {"a": CANARY}}, "ansible_password", "not a text"),
    "port": ({"ansible_port": "abc"}, "ansible_port", "'abc' is not a whole number"),
    "port-range": ({"ansible_port": 99999}, "ansible_port", "99999"),
    "host": ({"ansible_host": ""}, "ansible_host", "empty"),
    "scheme": ({"ansible_winrm_scheme": "htps"}, "ansible_winrm_scheme", "one of http, https"),
    "transport": ({"ansible_winrm_transport": "ntml"}, "ansible_winrm_transport", "'ntml' is not one of"),
    "transports": ({"ansible_winrm_transport": ["ntlm", "basik"]}, "ansible_winrm_transport", "'basik' is not one of"),
    "operation": ({"ansible_winrm_operation_timeout_sec": "soon"}, "ansible_winrm_operation_timeout_sec", "'soon'"),
    "read": ({"ansible_winrm_read_timeout_sec": "1m"}, "ansible_winrm_read_timeout_sec", "'1m'"),
    "connect": ({"ansible_winrm_connection_timeout": "1m"}, "ansible_winrm_connection_timeout", "'1m'"),
    "ca": ({"ansible_winrm_ca_trust_path": "/nowhere.pem"}, "ansible_winrm_ca_trust_path", "'/nowhere.pem'"),
    "validation": ({"ansible_winrm_server_cert_validation": "ignroe"}, "ansible_winrm_server_cert_validation",
                   "one of validate, ignore"),
    "encryption": ({"ansible_winrm_message_encryption": "yes"}, "ansible_winrm_message_encryption", "one of auto"),
    "proxy": ({"ansible_winrm_proxy": [3]}, "ansible_winrm_proxy", "not a plain value"),
    "no-certificate": ({"ansible_winrm_transport": "certificate"}, "ansible_winrm_cert_pem", "missing"),
    "connection": ({"ansible_connection": "{{ nothing }}"}, "ansible_connection", "'nothing' is undefined"),
    "broken-connection": ({"ansible_connection": "{{ nothing"}, "ansible_connection", "template"),
    "no-connection": ({"ansible_connection": "winrn"}, "ansible_connection", "no connection plugin 'winrn'"),
    "shell": ({"ansible_connection": "ssh", "ansible_shell_type": "{{ x }}"}, "ansible_shell_type", "'x' is undefined"),
    "fix": ({"remediate_fix": "{{ nofix }}"}, "remediate_fix", "'nofix' is undefined"),
    "psrp-port": ({"ansible_connection": "psrp", "ansible_port": "abc"}, "ansible_port", "whole number"),
    "psrp-auth": ({"ansible_connection": "psrp", "ansible_psrp_auth": "ntml"}, "ansible_psrp_auth", "one of"),
    "psrp-password": ({"ansible_connection": "psrp", "ansible_password": "{{ x }}"}, "ansible_password", "undefined"),
    "ssh-user": ({"ansible_connection": "ssh", "ansible_shell_type": "cmd", "ansible_user": "{{ x }}"},
                 "ansible_user", "undefined"),
}  # fmt: skip


@pytest.mark.every_ansible
def test_a_wrong_variable_is_that_hosts_failure_by_its_name(tmp_path: Path, environment: Environment) -> None:
    """On each ansible-core: in one line, without a traceback, and without a password of any shape."""
    common = {
        "ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_winrm_scheme": "http",
        "ansible_user": "u", "ansible_password": CANARY, "a_secret": f"{CANARY} {{",
    }  # fmt: skip
    path = tmp_path / "hosts.yml"
    hosts: dict[str, Any] = {"good": {}} | {name: variables for name, (variables, _, _) in WRONG.items()}
    path.write_text(yaml.safe_dump({"iis": {"vars": common, "hosts": hosts}}))
    done = remediate("audit", "-i", path, "--format", "json", expect=3, bin=environment.bin)
    found = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
    assert "refused the connection" in found.pop("good")["detail"]
    for name, host in found.items():
        _, variable, said = WRONG[name]
        assert host["status"] == "failed", host
        assert host["detail"].startswith(f"its variables: {variable}: "), host
        assert said in host["detail"], host
    assert CANARY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_fix_is_undecided(fleet: Fleet) -> None:
    """It is inspected, and the plan leaves it out with the reason."""
    options = yaml_file(fleet)
    path = Path(options[1])
    whole = yaml.safe_load(path.read_text())
    whole["iis"]["vars"]["remediate_fix"] = "sometimes"
    path.write_text(yaml.safe_dump(whole))
    plan = fleet.folder / "plan"
    remediate("plan", *options, "--fix", "on-demand", "--out", plan, expect=0)
    shown = json.loads(remediate("show", plan, "--format", "json", expect=0).stdout)
    assert shown["changes"] == []
    assert any("remediate_fix" in one["reason"] for one in shown["undecided"])


def test_the_example(tmp_path: Path) -> None:
    """It loads as it stands; with a vault made as it says, Ansible reads it whole; without one, each host says so."""
    example = tmp_path / "example"
    shutil.copytree(Path(__file__).parents[2] / "inventories" / "example", example)
    hosts = json.loads(remediate("audit", "-i", example, "--format", "json", expect=3).stdout)["hosts"]
    assert {host["host"].split(".")[0]: host["status"] for host in hosts} == {
        "api01": "failed", "api02": "failed", "lb01": "skipped", "pay01": "failed", "web01": "failed",
        "web02": "failed",
    }  # fmt: skip
    assert all("'vault_ansible_password' is undefined" in h["detail"] for h in hosts if h["status"] == "failed")

    password, vault = tmp_path / "password.txt", example / "group_vars" / "iis" / "vault.yml"
    password.write_text("a password\n")
    shutil.copy(example / "group_vars" / "iis" / "vault.yml.example", vault)
    run(BIN / "ansible-vault", "encrypt", "--vault-password-file", password, vault, expect=0)
    said = run(BIN / "ansible-inventory", "-i", example, "--list", "--vault-password-file", password, expect=0)
    assert "WARNING" not in said.stderr
    variables = json.loads(said.stdout)["_meta"]["hostvars"]
    found = {
        name.split(".")[0]: (of.get("ansible_connection"), of.get("vault_ansible_password"), of.get("remediate_fix"))
        for name, of in variables.items()
    }
    assert found == {
        "web01": ("winrm", "the password", None), "web02": ("winrm", "the password", None),
        "api01": ("winrm", "the password", "idle-timeout"), "api02": ("winrm", "the password", "none"),
        "pay01": ("psrp", "the password", None),
    }  # fmt: skip
