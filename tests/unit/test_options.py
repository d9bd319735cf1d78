"""What is typed for Ansible and cannot be meant so: a usage error, in one line, and no server is asked."""

import sys
from pathlib import Path

import pytest

from tests.conftest import remediate, run

PROGRAM = Path(sys.prefix) / "bin" / "remediate"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text("web01 ansible_connection=local\nweb02 ansible_connection=local\n")
    return path


@pytest.mark.parametrize("limit", ["", " ", ",", "~[", "web01:~[", "[", "web01:!", "@EMPTY"])
def test_a_limit_that_would_mean_every_host(inventory: Path, tmp_path: Path, limit: str) -> None:
    """A variable of a script that is empty must not make one host a thousand."""
    (tmp_path / "empty").write_text("\n")
    limit = limit.replace("EMPTY", str(tmp_path / "empty"))
    done = remediate("audit", "-i", inventory, "-l", limit, expect=64)
    assert done.stdout == "" and done.stderr.count("\n") == 1
    why = "a '[' in it has no ']'" if "[" in limit else "there is no pattern in it"
    assert done.stderr.startswith(f"remediate: -l {limit!r}: {why}, and it would mean every host")


@pytest.mark.parametrize("limit", ["web01,nope", "web01:!nope", "nope:web01:&all"])
def test_the_part_of_a_limit_that_matches_nothing(inventory: Path, limit: str) -> None:
    """It is named as it was typed; what stands in a file of -l is not, since it may be any file."""
    assert "warning: a part of -l matches no host: nope\n" in remediate("audit", "-i", inventory, "-l", limit).stderr
    secret = inventory.with_name("secret")
    secret.write_text("Canary5e1f\nweb01\n")
    said = remediate("audit", "-i", inventory, "-l", f"@{secret}").stderr
    assert "warning: a part of -l matches no host\n" in said and "Canary5e1f" not in said


@pytest.mark.parametrize(("option", "instead"), [("-k", "--connection-password-file"), ("-J", "--vault-password-file")])
def test_nobody_can_be_asked(inventory: Path, option: str, instead: str) -> None:
    """Without a terminal."""
    done = run("setsid", "-w", PROGRAM, "audit", "-i", inventory, option, expect=64)
    assert "there is no terminal to ask on" in done.stderr and instead in done.stderr and done.stderr.count("\n") == 1


def test_an_extra_variable_without_a_value(inventory: Path) -> None:
    """A usage error. The advice is about the missing equals sign, not about spaces."""
    done = remediate("audit", "-i", inventory, "-e", "a=b", "-e", "word", expect=64)
    assert done.stderr.startswith(
        "remediate: -e (the one at place 2 of 2): write NAME=VALUE, a mapping in JSON or YAML, or @FILE"
    )
