"""A user's mistake is one line on stderr and the documented exit code; never a traceback, nothing half-written."""

import json
import os
import pty
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from remediate.playbook.directory import write_plan
from tests.conftest import remediate, run
from tests.unit.test_directory import plan

INVENTORY = (
    "[web]\nweb01 ansible_connection=winrm ansible_user=u ansible_password=p ansible_host=127.0.0.1 ansible_port=1\n"
)


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "hosts.ini"
    path.write_text(INVENTORY)
    return path


def refused(expect: int, *arguments: str | Path) -> str:
    done = remediate(*arguments, expect=expect)
    assert done.stdout == ""
    # What Ansible warns of when it reads an inventory is passed on.
    (line,) = [line for line in done.stderr.strip().splitlines() if not line.startswith("[WARNING]: ")]
    assert line.startswith("remediate: ")
    return line


def test_usage(inventory: Path, tmp_path: Path) -> None:
    for arguments in (
        ["nonsense"],
        ["audit"],
        ["plan", "-i", inventory, "--fix", "nonsense", "--out", tmp_path / "plan"],
        ["plan", "--fix", "on-demand", "--out", tmp_path / "plan"],
        ["plan", "-i", inventory, "--out", tmp_path / "plan"],
        ["audit", "-i", inventory, "--forks", "0"],
        ["audit", "-i", inventory, "--max-missing", "many"],
        ["audit", "-i", inventory, "--rules", "RM001,RM999"],
        ["explain", "RM999"],
        ["audit", "-i", inventory, "stray.config"],
        ["lab", "up", "--servers", "0"],
    ):
        refused(64, *arguments)
    assert not (tmp_path / "plan").exists()


def test_bad_files(inventory: Path, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"\x00\xff junk")
    (tmp_path / "empty").mkdir()
    cases: tuple[list[str | Path], ...] = (
        ["audit", "-i", tmp_path / "nowhere.ini"],
        ["audit", "-i", inventory, "-l", "nobody"],
        ["show", tmp_path / "nowhere"],
        ["show", tmp_path / "junk"],
        ["plan", "--from", tmp_path / "junk", "--fix", "on-demand", "--out", tmp_path / "plan"],
        ["apply", tmp_path / "nowhere", "-i", inventory, "--yes"],
        ["apply", tmp_path / "empty", "-i", inventory, "--yes"],
        ["rollback", tmp_path / "junk", "--out", tmp_path / "plan"],
    )
    for arguments in cases:
        refused(1, *arguments)
    assert not (tmp_path / "plan").exists()


def test_an_empty_name_is_not_the_current_folder(inventory: Path, tmp_path: Path) -> None:
    """A variable of a script that is empty is a usage error, in words about the name."""
    for arguments in (
        ["show", ""],
        ["rollback", "", "--out", tmp_path / "undo"],
        ["apply", "", "-i", inventory, "--yes"],
        ["plan", "-i", inventory, "--fix", "on-demand", "--out", ""],
        ["plan", "--from", "", "--fix", "on-demand", "--out", tmp_path / "plan"],
        ["audit", "--config", ""],
        ["audit", "-i", inventory, "--out", ""],
    ):
        assert "the name is empty: give a path" in refused(64, *arguments)
    assert list(tmp_path.iterdir()) == [inventory]


def test_a_plan_needs_a_folder(inventory: Path, tmp_path: Path) -> None:
    """What is no folder, and a folder in use, are named as what they are."""
    wanted = ("plan", "-i", inventory, "--fix", "on-demand", "--out")
    assert refused(1, *wanted, "/dev/null") == "remediate: /dev/null: is not a folder; name a new folder with --out"
    assert "exists already and is not empty" in refused(1, *wanted, tmp_path)


def test_the_folder_of_a_run_is_new(inventory: Path, tmp_path: Path) -> None:
    """Where it exists already nothing is recorded, and no record is named: it would be that of another run."""
    write_plan(plan(), tmp_path / "plan")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "record.jsonl").write_text("the record of another run\n")
    said = refused(1, "apply", tmp_path / "plan", "-i", inventory, "--yes", "--run-dir", tmp_path / "run")
    assert said == f"remediate: {tmp_path / 'run'}: exists already; name a new folder with --run-dir"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["record.jsonl"]


def test_a_dry_run_that_is_not_kept_has_no_name(inventory: Path, tmp_path: Path) -> None:
    """`show` and `rollback` could do nothing with the name; where --run-dir keeps the record the run is named."""
    write_plan(plan(), tmp_path / "plan")
    dry = ("apply", tmp_path / "plan", "-i", inventory, "--check")
    assert remediate(*dry, expect=3).stdout.startswith("dry run, begun 20")
    kept = remediate(*dry, "--run-dir", tmp_path / "run", expect=3).stdout
    name = json.loads((tmp_path / "run" / "record.jsonl").read_text().splitlines()[0])["run"]
    assert kept.startswith(f"run {name}, begun 20") and kept.endswith(f"record: {tmp_path / 'run'}\n")


def test_an_old_audit_is_not_planned_from(inventory: Path, tmp_path: Path) -> None:
    """Within a day by default; an age says its unit, since 20 could be minutes or hours."""
    saved = tmp_path / "audit.json"
    remediate("audit", "-i", inventory, "--save", saved, expect=3)
    old = json.loads(saved.read_text()) | {"finished_at": (datetime.now(UTC) - timedelta(hours=30)).isoformat()}
    (tmp_path / "old.json").write_text(json.dumps(old))
    (tmp_path / "odd.json").write_text(json.dumps(old | {"finished_at": "yesterday"}))
    for name, when in (("future", "9999-01-01T00:00:00Z"), ("nowhere", "2026-01-01T00:00:00")):
        (tmp_path / f"{name}.json").write_text(json.dumps(old | {"finished_at": when}))
    out = tmp_path / "plan"
    of_old = ("plan", "--from", tmp_path / "old.json", "--fix", "on-demand", "--out", out)
    assert "--max-age 31h" in refused(1, *of_old)
    assert "finished_at" in refused(1, "plan", "--from", tmp_path / "odd.json", "--fix", "on-demand", "--out", out)
    for name, said in (("future", "is from the future"), ("nowhere", "no time zone")):
        assert said in refused(1, "plan", "--from", tmp_path / f"{name}.json", "--fix", "on-demand", "--out", out)
    for age in ("20", "00:20", "h", "1w", "-1h", ""):
        assert "write a number with its unit" in refused(64, *of_old, "--max-age", age)
    assert not out.exists()
    remediate("plan", "--from", saved, "--fix", "on-demand", "--out", out, expect=3)
    for number, age in enumerate(("31h", "2d", "1900m", "1.07:00:00")):
        remediate(*of_old[:-1], tmp_path / f"plan{number}", "--max-age", age, expect=3)


def test_a_terminal_gets_a_bar_and_a_pipeline_lines(inventory: Path) -> None:
    """Trouble is told in both; the report stays on standard output."""
    assert "web01: unreachable: " in remediate("audit", "-i", inventory, expect=3).stderr
    ours, theirs = pty.openpty()
    command = [str(Path(sys.prefix) / "bin" / "remediate"), "audit", "-i", str(inventory)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:
            pass  # how Linux tells that the other end is closed
        report = process.communicate()[0]
    os.close(ours)
    assert process.returncode == 3
    assert b"inspecting" in shown
    assert b"1/1" in shown
    assert b"web01: unreachable: " in shown
    assert report.startswith(b"host ")


def test_a_closed_port_is_that_hosts_line(inventory: Path) -> None:
    done = remediate("audit", "-i", inventory, "--format", "json", expect=3)
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["status"] == "unreachable"
    assert "refused the connection" in host["detail"]


def test_missing_and_wrong_variables_are_that_hosts_failure(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(
        "[web:vars]\nansible_connection=winrm\nansible_user=u\n[web]\n"
        "nopass\nundefined ansible_password='{{ nowhere }}'\nbadport ansible_password=p ansible_port=x\n"
        "[linux]\nlin01 ansible_connection=ssh\n"
    )
    done = remediate("audit", "-i", path, "--format", "json", expect=3)
    hosts = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
    assert {name: host["status"] for name, host in hosts.items()} == {
        "nopass": "failed", "undefined": "failed", "badport": "failed", "lin01": "skipped",
    }  # fmt: skip
    assert "ansible_password" in hosts["nopass"]["detail"]
    assert "nowhere" in hosts["undefined"]["detail"]


def test_no_terminal_to_ask_on(tmp_path: Path, inventory: Path) -> None:
    """apply without --yes in a pipeline is usage, and nothing is done."""
    write_plan(plan(), tmp_path / "plan")
    assert "--yes" in refused(64, "apply", tmp_path / "plan", "-i", inventory)
    assert not (tmp_path / "plan" / "runs").exists()


def test_a_planned_host_that_is_not_in_the_inventory(tmp_path: Path) -> None:
    write_plan(plan(), tmp_path / "plan")
    other = tmp_path / "other.ini"
    other.write_text(INVENTORY.replace("web01", "web99"))
    assert "web01" in refused(3, "apply", tmp_path / "plan", "-i", other, "--yes")
    assert not (tmp_path / "plan" / "runs").exists()
    plain = run("ansible-playbook", "-i", other, tmp_path / "plan" / "playbook.yml", PATH=_path())
    assert plain.returncode != 0
    assert "Not in the inventory: web01" in plain.stdout


def _path() -> str:
    return f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"


def test_an_edited_plan_is_not_applied(tmp_path: Path, inventory: Path) -> None:
    write_plan(plan(), tmp_path / "plan")
    with (tmp_path / "plan" / "host_vars" / "web01.yml").open("a") as file:
        file.write("# a comment\n")
    assert "host_vars/web01.yml: was edited" in refused(1, "apply", tmp_path / "plan", "-i", inventory, "--yes")


def test_a_reader_that_goes_away(inventory: Path) -> None:
    """It is said so, of a command that prints, and nothing is said of Ansible."""
    done = run("bash", "-c", f"remediate show {inventory} | true; remediate --help | head -1", PATH=_path())
    assert "Traceback" not in done.stderr
    write_plan(plan(), inventory.parent / "plan")
    done = run(
        "bash", "-c", f"remediate show {inventory.parent / 'plan'} | true; exit ${{PIPESTATUS[0]}}", PATH=_path()
    )
    said = "remediate: the reader of the output is gone, so the output is cut off\n"
    assert (done.returncode, done.stderr) == (1, said)


class _Web(BaseHTTPRequestHandler):
    """Something on the port that is no WinRM."""

    answer = (200, b"<html><p>It works!</html>")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.answer[0])
        self.send_header("Content-Length", str(len(self.answer[1])))
        self.end_headers()
        self.wfile.write(self.answer[1])

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(
    "answer", [(200, b"<html><p>It works!</html>"), (200, b""), (500, b"oops"), (404, b""), (401, b"")]
)
def test_another_service_on_that_port(tmp_path: Path, answer: tuple[int, bytes]) -> None:
    """The commonest mistake is a line that says so, not a bug of ours."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Other", (_Web,), {"answer": answer}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        path = tmp_path / "hosts.ini"
        path.write_text(
            INVENTORY.replace("ansible_port=1\n", f"ansible_port={server.server_port}\n")
            + "[web:vars]\nansible_winrm_scheme=http\n"
        )
        (host,) = json.loads(remediate("audit", "-i", path, "--format", "json", expect=3).stdout)["hosts"]
    finally:
        server.shutdown()
        server.server_close()
    assert host["status"] in ("unreachable", "failed")
    assert "report this" not in host["detail"] and len(host["detail"]) > 10


def test_out_keeps_what_kind_of_file_it_is(tmp_path: Path) -> None:
    """A link stays a link, permissions stay, a device is written to."""
    (tmp_path / "x.config").write_text(
        "<configuration><system.applicationHost><applicationPools /></system.applicationHost></configuration>"
    )
    target, link = tmp_path / "report.json", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    for out in (link, Path("/dev/null")):
        remediate("audit", "--config", tmp_path / "x.config", "--format", "json", "--out", out, expect=0)
    assert link.is_symlink() and json.loads(target.read_text())["summary"]["hosts"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert Path("/dev/null").is_char_device()


def test_limits_do_not_go_with_a_saved_audit(tmp_path: Path) -> None:
    refused(64, "plan", "--from", tmp_path / "a.json", "-l", "web01", "--fix", "on-demand", "--out", tmp_path / "plan")


def test_vault_settings_of_the_environment_count(tmp_path: Path) -> None:
    """As they do for the ansible-playbook that will apply the plan."""
    (tmp_path / "vault.txt").write_text("hunter2\n")
    (tmp_path / "wrong.txt").write_text("other\n")
    vault = Path(sys.prefix) / "bin" / "ansible-vault"
    text = run(vault, "encrypt_string", "--vault-password-file", tmp_path / "vault.txt", "p", expect=0).stdout
    path = tmp_path / "hosts.yml"
    path.write_text(
        "web:\n  hosts: {web01: {ansible_host: 127.0.0.1, ansible_port: 1}}\n"
        f"  vars:\n    ansible_connection: winrm\n    ansible_user: u\n    ansible_password: {text}\n"
    )
    for options, env, said in (
        ((), {"ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "vault.txt")}, "refused the connection"),
        (("--vault-password-file", tmp_path / "vault.txt"), {}, "refused the connection"),
        (("--vault-password-file", tmp_path / "wrong.txt"), {}, "its variables"),
        ((), {}, "its variables"),
    ):
        done = run(
            Path(sys.prefix) / "bin" / "remediate", "audit", "-i", path, "--format", "json", *options, expect=3, **env
        )
        (host,) = json.loads(done.stdout)["hosts"]
        assert said in host["detail"]
        assert "hunter2" not in done.stdout + done.stderr
