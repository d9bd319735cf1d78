"""Any path works, for a plan, a run, an inventory and a report, and `apply` takes the same ones as `apply --check`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.playbook.directory import write_plan
from tests.conftest import Site, remediate, run
from tests.unit.test_directory import plan

PROGRAM = Path(sys.prefix) / "bin" / "remediate"
NAMES = ("a b, c:d", "-$nothing 'q\" %d {{ x }}", "~root\n#&=@\\", "Pläne 計画", os.fsdecode(b"\xff"))


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_of_any_name(take: Callable[[str, str], Site], name: str) -> None:
    """Written, tried, applied and shown; with the record and the scratch files in folders of such names too."""
    site = take("emulated", "basic")
    inventory = site.folder / name.replace(",", "") / "hosts.yml"
    inventory.parent.mkdir()
    inventory.write_bytes(site.inventory.read_bytes())
    scratch = site.folder / f"{name} scratch"
    scratch.mkdir()

    def here(*arguments: str, expect: int) -> str:
        done = run("env", "-C", site.folder, PROGRAM, *arguments, expect=expect, TMPDIR=str(scratch))
        assert "Traceback" not in done.stderr
        return done.stdout

    source = f"--inventory={inventory.relative_to(site.folder)}"
    here("plan", source, "--fix", "on-demand", f"--out={name}/plan", expect=2)
    assert "1 pending" in here("apply", source, "--check", "--", f"{name}/plan", expect=2)
    assert "1 changed, 1 verified" in here(
        "apply", source, "--yes", f"--run-dir={name}/r", "--", f"{name}/plan", expect=0
    )
    assert "1 changed, 1 verified" in here("show", "--", f"{name}/r", expect=0)
    here("rollback", f"--out={name}/undo", "--", f"{name}/r", expect=0)
    assert "1 changed, 1 verified" in here("apply", source, "--yes", "--", f"{name}/undo", expect=0)


@pytest.mark.parametrize("name", ["a[b]", "a*b", "a?b", "a$HOME"])
def test_what_ansible_itself_takes_for_something_else(tmp_path: Path, name: str) -> None:
    """Patterns and variables in a path: refused in one line, before anything is written or read."""
    inventory = tmp_path / "hosts"
    inventory.write_text("web01 ansible_connection=local\n")
    out = tmp_path / name / "plan"
    done = remediate("plan", "-i", inventory, "--fix", "on-demand", "--out", out, expect=1)
    assert "use another folder for the plan" in done.stderr and done.stderr.count("\n") == 1
    assert not out.parent.exists()
    write_plan(plan(), tmp_path / "plan")
    out.parent.mkdir()
    (tmp_path / "plan").rename(out)
    for option in ("--check", "--yes"):
        done = remediate("apply", out, "-i", inventory, option, expect=1)
        assert "use another folder for the plan" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["a,b", "a$HOME", ""])
def test_an_inventory_that_ansible_would_not_read(tmp_path: Path, name: str) -> None:
    """A comma makes hosts of a path, and a variable makes another path of it; no text means no folder."""
    (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / name / "hosts").write_text("web01 ansible_connection=local\n")
    source = name and f"{name}/hosts"
    done = run("env", "-C", tmp_path, PROGRAM, "audit", f"--inventory={source}", expect=1)
    assert done.stderr.startswith(f"remediate: inventory {source!r}: ") and done.stderr.count("\n") == 1
