"""psrp and ssh hosts: through Ansible, beside the winrm hosts, with the same answers and the same manners.

On the wire: OpenSSH's client, and the PowerShell Remoting Protocol, into a real PowerShell.
"""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate_lab.engine import Emit, Server
from remediate_lab.pwsh import PwshEngine
from tests.conftest import Site, remediate, wait_for
from tests.environments import Environment
from tests.eventlog import ago, unhandled, worker, write_log
from tests.psrp import psrp_server
from tests.ssh import ssh_server

CANARY = "canary-77c1e0"
# Through Ansible an answer takes seconds, and far more where both cores are busy.
PATIENT = ("--timeout", "300")
needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")


@pytest.fixture
def remoting(take: Callable[[str, str], Site], pwsh_path: Path) -> tuple[Site, Path, Server]:
    """A server of the lab, and what another protocol needs to serve the same Windows."""
    site = take("pwsh", "ntlm")
    address = next(iter(yaml.safe_load(site.inventory.read_text())["iis"]["hosts"].values()))["ansible_host"]
    return site, pwsh_path, Server(site.name, address, site.windows)


def write(site_or_folder: Site | Path, hosts: dict[str, Any]) -> Path:
    """An inventory with these hosts, and the site's own if there is one."""
    whole: dict[str, Any] = {"others": {"hosts": hosts}}
    folder = site_or_folder if isinstance(site_or_folder, Path) else site_or_folder.folder
    if isinstance(site_or_folder, Site):
        whole |= yaml.safe_load(site_or_folder.inventory.read_text())
    path = folder / "all.yml"
    path.write_text(yaml.safe_dump(whole))
    return path


def audit(inventory: Path, *options: str, **env: Any) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    done = remediate("audit", "-i", inventory, "--format", "json", *options, **env)
    assert done.stdout, done.stderr
    assert CANARY not in done.stdout + done.stderr
    return {host["host"]: host for host in json.loads(done.stdout)["hosts"]}, done


@pytest.mark.pwsh
@needs_ssh
def test_all_connections_see_the_same(remoting: tuple[Site, Path, Server]) -> None:
    """winrm, psrp, ssh with either shell: one audit, the same pools and events; and a refused one is one line."""
    site, pwsh, server = remoting
    write_log(site.windows, "System", [worker(ago(hours=2), 5186, "Contoso Shop")])
    write_log(site.windows, "Application", [unhandled(ago(hours=2), "/LM/W3SVC/1/ROOT/shop-1-133812345678901234")])
    with (
        ssh_server(PwshEngine(pwsh, site.folder / "engine"), server, site.folder / "ssh") as ssh,
        psrp_server(pwsh, server, site.folder / "psrp", CANARY) as psrp,
    ):
        hosts = {
            "by-ssh": ssh | {"remediate_fix": "none"},
            "by-cmd": ssh | {"ansible_shell_type": "cmd"},
            "by-psrp": psrp,
            "wrong-password": psrp | {"ansible_password": f"{CANARY}-wrong"},
            "unknown-key": ssh | {"ansible_ssh_args": "-F none -o UserKnownHostsFile=/dev/null"},
            "closed-ssh": ssh | {"ansible_port": 1},
            "closed-psrp": psrp | {"ansible_port": 1},
            "lin01": {"ansible_connection": "ssh"},
        }
        found, done = audit(write(site, hosts), "--evidence")
    assert done.returncode == 3
    assert {name: host["status"] for name, host in found.items()} == {
        site.name: "inspected", "by-ssh": "inspected", "by-cmd": "inspected", "by-psrp": "inspected",
        "wrong-password": "unreachable", "unknown-key": "unreachable", "closed-ssh": "unreachable",
        "closed-psrp": "unreachable", "lin01": "skipped",
    }  # fmt: skip
    for name in ("by-ssh", "by-cmd", "by-psrp"):
        assert {key: found[name][key] for key in ("machine", "pools", "defaults")} == {
            key: found[site.name][key] for key in ("machine", "pools", "defaults")
        }
        told, seen = found[name]["evidence"], found[site.name]["evidence"]
        assert [told[key] for key in ("logs", "events", "errors")] == [
            seen[key] for key in ("logs", "events", "errors")
        ]
        assert (len(told["events"]), told["errors"][0]["pool"]) == (1, "Contoso Shop")
    assert found["by-ssh"]["vars"] == {"remediate_fix": "none"}
    for name, said in (
        ("wrong-password", "authenticate the user ops"),
        ("unknown-key", "Host key verification failed"),
        ("closed-psrp", "refused the connection"),
    ):
        assert said in found[name]["detail"]
    # Each host has its line of progress.
    assert all(f"{name}: {host['status']}" in done.stderr for name, host in found.items())


@pytest.mark.pwsh
@needs_ssh
def test_an_ssh_host_is_planned_applied_and_proven(
    remoting: tuple[Site, Path, Server], environment: Environment
) -> None:
    """On each ansible-core: the proof goes the same way as the audit; the server's own failure is its line."""
    site, pwsh, server = remoting
    with ssh_server(PwshEngine(pwsh, site.folder / "engine"), server, site.folder / "ssh") as ssh:
        inventory = write(site.folder, {site.name: ssh})
        plan = site.folder / "plan"
        remediate(
            "plan", "-i", inventory, "--fix", "idle-timeout", "--out", plan, *PATIENT, expect=2, bin=environment.bin
        )
        applied = remediate("apply", plan, "-i", inventory, "--yes", *PATIENT, expect=0, bin=environment.bin)
        assert "written and verified" in applied.stdout
        assert b'idleTimeout="00:00:00"' in site.config.read_bytes()
        site.config.write_bytes(b"<configuration><broken>")
        found, _ = audit(inventory)
    assert found[site.name]["status"] == "failed"
    assert "the configuration could not be read" in found[site.name]["detail"]


@pytest.fixture
def silent() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port that takes connections and says nothing; with the connections that it has taken."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], taken
    for connection in taken:
        connection.close()


def silent_hosts(port: int) -> dict[str, Any]:
    common = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "u", "ansible_password": CANARY}
    return {
        "ssh01": common | {"ansible_connection": "ssh", "ansible_shell_type": "powershell"},
        "psrp01": common | {"ansible_connection": "psrp"},
    }


def ended(connection: socket.socket) -> bool:
    """Whether the other side has gone."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@needs_ssh
def test_a_silent_server_holds_nobody(tmp_path: Path, silent: tuple[int, list[socket.socket]]) -> None:
    """--timeout is each host's, and what was started for it has ended with the audit."""
    port, taken = silent
    found, _ = audit(write(tmp_path, silent_hosts(port)), "--timeout", "3")
    assert {host["detail"] for host in found.values()} == {"no answer within 3 s"}
    assert {host["status"] for host in found.values()} == {"unreachable"}
    assert taken
    wait_for(lambda: all(ended(connection) for connection in taken), "all connections to end")


@needs_ssh
def test_an_interrupted_audit_leaves_nothing_behind(tmp_path: Path, silent: tuple[int, list[socket.socket]]) -> None:
    port, taken = silent
    command = [str(Path(sys.prefix, "bin", "remediate")), "audit", "-i", str(write(tmp_path, silent_hosts(port)))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: len(taken) >= 2, "both hosts to be asked")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Traceback" not in said
    wait_for(lambda: all(ended(connection) for connection in taken), "all connections to end")


def test_psrp_without_pypsrp_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pypsrp").mkdir()
    (tmp_path / "pypsrp" / "__init__.py").write_text("raise ImportError('not here')\n")
    found, _ = audit(write(tmp_path, silent_hosts(1)), PYTHONPATH=str(tmp_path))
    assert found["psrp01"]["status"] == "failed"
    assert "run `pip install '.[psrp]'` in a checkout of remediate" in found["psrp01"]["detail"]


def test_an_ansible_that_does_not_start_is_told(tmp_path: Path) -> None:
    """What stops ansible-playbook itself: each of its hosts says so, in one line."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if any(word.endswith('ansible_playbook.py') for word in sys.orig_argv):\n"
        "    sys.exit('no such codec')\n"
    )
    found, done = audit(write(tmp_path, silent_hosts(1)), PYTHONPATH=str(tmp_path))
    assert {host["status"] for host in found.values()} == {"failed"}
    assert all("no such codec" in host["detail"] for host in found.values())
    assert "Traceback" not in done.stderr


class _Liar:
    """A server that answers a module with whatever it likes."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    async def run(self, _server: Server, _line: str, _stdin: asyncio.StreamReader, emit: Emit) -> int:
        emit("stdout", json.dumps(self.answer).encode())
        return 0


@needs_ssh
def test_a_server_that_lies_harms_no_other(tmp_path: Path, silent: tuple[int, list[socket.socket]]) -> None:
    """Ansible obeys some words of a module's result: it must not be led to take another host's password elsewhere."""
    port, taken = silent
    variables = {"ansible_port": port}
    answer = {
        "changed": True, "inspection": {"format": "remediate.inspection", "format_version": 1, "machine": 7},
        "add_host": {"host_name": "d-victim", "groups": [], "host_vars": variables}, "ansible_facts": variables,
    }  # fmt: skip
    with ssh_server(_Liar(answer), Server("a-liar", "127.0.0.1", tmp_path), tmp_path / "ssh") as ssh:
        closed = silent_hosts(1)["psrp01"]
        # Those in between: the next hosts' variables are taken before the first one answers.
        hosts = {"a-liar": ssh, "b": closed, "c": closed, "d-victim": closed}
        found, _ = audit(write(tmp_path, hosts), "--forks", "1", "--timeout", "20")
    assert found["a-liar"]["status"] == "failed"
    assert "cannot be read" in found["a-liar"]["detail"] and "machine" in found["a-liar"]["detail"]
    assert found["d-victim"]["status"] == "unreachable"
    assert taken == []
