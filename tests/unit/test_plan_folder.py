"""A plan's folder among people: beside their files, through their git, and with its runs."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.plugins.loader import get_all_plugin_loaders

from remediate.errors import RemediateError
from remediate.playbook.directory import check_digest, read_plan, write_plan
from tests.conftest import remediate, run
from tests.unit.test_directory import plan
from tests.unit.test_record import EVENTS

SUBFOLDERS = sorted({str(loader.subdir) for _, loader in get_all_plugin_loaders() if loader.subdir})


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "hosts.ini"
    path.write_text(
        "web01 ansible_connection=winrm ansible_user=u ansible_password=p ansible_host=127.0.0.1 ansible_port=1\n"
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_plan(plan(), tmp_path / "plan")
    return tmp_path / "plan"


def tried(folder: Path, inventory: Path, expect: int = 3) -> str:
    """What `apply --check` says; the one server is not there, so 3 is a plan that was taken for good."""
    return remediate("apply", folder, "-i", inventory, "--check", expect=expect).stderr


def add(path: Path, text: str = "{}\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt", ".DS_Store", ".git/config", ".git/hooks/pre-commit.py", "playbook-artifact-2026-11-28.json",
        "playbook.retry", ".ansible/x", ".vscode/settings.json", "README.md", "inventory/hosts.yml", "vars/x.yml",
        "host_vars/.DS_Store", "host_vars/web01.yml~", "callback_plugins/.remediate_record.py.swp",
    ],
)  # fmt: skip
def test_what_ansible_does_not_load_is_only_reported(folder: Path, name: str) -> None:
    add(folder / name)
    shown = name if name.startswith(("host_vars", "callback")) else name.partition("/")[0]
    assert check_digest(folder, read_plan(folder)) == (shown,)


def test_it_is_named_and_the_plan_stays_usable(folder: Path, inventory: Path) -> None:
    """In one line on standard error."""
    for name in ("notes.txt", ".git/config", ".git/HEAD"):
        add(folder / name)
    (line,) = [line for line in tried(folder, inventory).splitlines() if "not part of the plan" in line]
    assert line == f"remediate: {folder}: not part of the plan, and not loaded by Ansible: .git, notes.txt"


@pytest.mark.parametrize(
    "name",
    [
        *(f"{subfolder}/new.py" for subfolder in SUBFOLDERS), "ansible.cfg", "roles/x/tasks/main.yml",
        "group_vars/all.yml", "group_vars/all", "host_vars/web01/extra.yml", "host_vars/web02.yaml",
        "Group_Vars/all.yml",
        "collections/ansible_collections/remediate/iis/plugins/modules/new.ps1",
        "collections/ansible_collections/other/x/plugins/modules/new.py",
        # Names that count for nothing in the plan's own folder alone.
        "group_vars/runs/x.yml", "group_vars/__pycache__/x.yml", "group_vars/SHA256SUMS", "host_vars/web01/runs/x.yml",
        "group_vars/all/__pycache__/x", "group_vars/all/__pycache__/x.pyc/y.yml", "library/runs/new.py",
        "collections/ansible_collections/remediate/iis/plugins/modules/__pycache__/new.py",
    ],
)  # fmt: skip
def test_what_ansible_would_load_is_refused(folder: Path, name: str) -> None:
    """Whatever folder beside a playbook this ansible-core takes plugins from, and all that can set a variable."""
    add(folder / name)
    with pytest.raises(RemediateError, match=f"{folder / name}: is not part of the plan, and Ansible would load it"):
        check_digest(folder, read_plan(folder))


def test_show_warns_of_what_apply_refuses(folder: Path) -> None:
    """In one line; the plan is shown all the same, and a plan as it was made without a word."""
    assert remediate("show", folder, expect=0).stderr == ""
    add(folder / "filter_plugins" / "x.py")
    for path in (folder, folder / "plan.json"):
        done = remediate("show", path, expect=0)
        assert "web01" in done.stdout and done.stderr.count("\n") == 1
        assert done.stderr.startswith(f"remediate: warning: {folder / 'filter_plugins/x.py'}: is not part of the plan")


@pytest.mark.parametrize("name", ["group_vars", "library", "ansible.cfg"])
def test_a_link_is_refused_too(folder: Path, inventory: Path, name: str) -> None:
    (folder / name).symlink_to(folder.parent)
    assert f"{folder / name}: is not part of the plan" in tried(folder, inventory, expect=1)


def test_a_plan_survives_git(folder: Path, inventory: Path, tmp_path: Path) -> None:
    """Committed and cloned where git converts line ends, as Git for Windows does by default: byte for byte the same."""
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(folder, first / "fixes" / "plan")
    add(first / ".gitattributes", "* text=auto eol=crlf\n")
    for command in (f"init -q {first}", f"-C {first} add .", f"-C {first} commit -qm x"):
        subprocess.run([*git, *command.split()], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([*git, "clone", "-q", first, second], check=True)
    assert tried(second / "fixes" / "plan", inventory)
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert all((second / "fixes" / "plan" / file).read_bytes() == (folder / file).read_bytes() for file in files)


@pytest.mark.parametrize("name", ["host_vars/web01.yml", "playbook.yml", "plan.json"])
def test_converted_line_ends_are_called_that(folder: Path, inventory: Path, name: str) -> None:
    """Not an edit: the way back is git's setting. With one more letter changed it is an edit again."""
    data = (folder / name).read_bytes().replace(b"\n", b"\r\n")
    (folder / name).write_bytes(data)
    said = tried(folder, inventory, expect=1)
    assert f"{folder / name}: differs only in its line ends" in said and "core.autocrlf" in said
    (folder / name).write_bytes(data + b"\r\n")
    assert f"{folder / name}: was edited" in tried(folder, inventory, expect=1)


def test_a_plan_copied_without_its_hidden_file_is_good(folder: Path, inventory: Path) -> None:
    """`cp -r plan/*` leaves .gitattributes behind."""
    (folder / ".gitattributes").unlink()
    assert tried(folder, inventory)


def test_a_plan_of_an_older_remediate_is_good(folder: Path, inventory: Path) -> None:
    """It has no .gitattributes; its digest is over the lines of SHA256SUMS but for plan.json's (docs/files.md)."""
    (folder / ".gitattributes").unlink()
    lines = [line for line in (folder / "SHA256SUMS").read_text().splitlines(True) if ".gitattributes" not in line]
    summed = "".join(line for line in lines if not line.endswith("  plan.json\n"))
    data = json.loads((folder / "plan.json").read_bytes()) | {"digest": hashlib.sha256(summed.encode()).hexdigest()}
    (folder / "plan.json").write_text(json.dumps(data))
    own = f"{hashlib.sha256((folder / 'plan.json').read_bytes()).hexdigest()}  plan.json\n"
    (folder / "SHA256SUMS").write_text("".join(own if line.endswith("  plan.json\n") else line for line in lines))
    assert run("env", "-C", folder, "sha256sum", "--quiet", "-c", "SHA256SUMS").returncode == 0
    assert tried(folder, inventory)


@pytest.mark.parametrize("spoil", ["used", "file", "below-a-file"])
def test_a_folder_in_use_is_refused_before_anything_is_inspected(tmp_path: Path, inventory: Path, spoil: str) -> None:
    """Minutes of inspecting a fleet for a plan that cannot be written would be lost."""
    out = tmp_path / "out"
    if spoil == "used":
        add(out / "mine.txt")
    else:
        out.write_text("mine")
    target = out / "plan" if spoil == "below-a-file" else out
    done = remediate("plan", "-i", inventory, "--fix", "on-demand", "--out", target, expect=1)
    assert "unreachable" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--out", "--save"])
def test_a_report_that_cannot_be_written_is_refused_as_early(tmp_path: Path, inventory: Path, option: str) -> None:
    done = remediate("audit", "-i", inventory, option, tmp_path / "nowhere" / "audit.json", expect=1)
    assert "unreachable" not in done.stderr and "cannot be written" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "rollback"])
def test_the_runs_that_are_there_are_named(folder: Path, tmp_path: Path, command: str) -> None:
    """Instead of a run its plan, or the folder of its runs, is given; the latest are named."""
    for number in range(7):
        add(folder / "runs" / f"2026112{number}T000000Z-abcdef" / "record.jsonl", json.dumps(EVENTS[0]) + "\n")
    options = ["--out", str(tmp_path / "undo")] if command == "rollback" else []
    for given in [folder / "runs", *([folder] if command == "rollback" else [])]:
        said = remediate(command, given, *options, expect=1).stderr
        assert "give one of the 7 runs there: " in said and said.count("\n") == 1
        assert [f"runs/2026112{number}T" in said for number in range(7)] == [False, False, *[True] * 5]
    assert not (tmp_path / "undo").exists()


def test_the_one_run_is_named(folder: Path, tmp_path: Path) -> None:
    add(folder / "runs" / "r1" / "record.jsonl", json.dumps(EVENTS[0]) + "\n")
    said = remediate("rollback", folder, "--out", tmp_path / "undo", expect=1).stderr
    assert said == f"remediate: {folder}: is not the folder of a run; give {folder}/runs/r1\n"
    shutil.rmtree(folder / "runs")
    assert "give PLAN/runs/RUN" in remediate("rollback", folder, "--out", tmp_path / "undo", expect=1).stderr


def test_files_where_one_stands_are_not_run(folder: Path, inventory: Path, tmp_path: Path) -> None:
    """Python would import a module from the current folder; a colleague's yaml.py is no part of Ansible."""
    add(tmp_path / "here" / "yaml.py", "raise SystemExit('not yours')\n")
    program = Path(sys.prefix) / "bin" / "remediate"
    done = run("env", "-C", tmp_path / "here", program, "apply", folder, "-i", inventory, "--check")
    assert (done.returncode, "not yours" in done.stdout + done.stderr) == (3, False), done.stderr
    assert "web01: unreachable" in done.stdout
