"""Completion at TAB: the words that fit, and never an error in the middle of a line that is being typed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import remediate

SHELLS = ("bash", "zsh", "fish")
BIN = Path(sys.prefix) / "bin"


def at_tab(shell: str, line: str) -> list[str]:
    """What the shell's script is told for a line, in the words of click's protocol; nothing may stand on stderr."""
    words = line.split(" ")
    # fish hands over the words before the one that is typed, and that one.
    before, typed = (" ".join(words[:-1]), words[-1]) if shell == "fish" else (line, str(len(words) - 1))
    done = remediate(expect=0, _REMEDIATE_COMPLETE=f"{shell}_complete", COMP_WORDS=before, COMP_CWORD=typed)
    assert done.stderr == ""
    lines = [one for one in done.stdout.splitlines() if one]
    return lines[1::3] if shell == "zsh" else [one.partition(",")[2].partition("\t")[0] for one in lines]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("remediate ap", ["apply"]),
        ("remediate audit --form", ["--format"]),
        ("remediate audit --format js", ["json"]),
        ("remediate plan --fix o", ["on-demand"]),
        ("remediate explain rm004", ["RM004"]),
        ("remediate lab st", ["status"]),
        ("remediate lab up --engine p", ["pwsh"]),
        ("remediate nonsense --x", []),
    ],
)
def test_each_shell_is_answered(shell: str, line: str, words: list[str]) -> None:
    """Commands, subcommands, options and choices; nothing for what cannot be completed."""
    assert at_tab(shell, line) == words


@pytest.mark.parametrize("line", ["remediate audit -i ", "remediate show ", "remediate diagnose --events "])
def test_files_are_the_shells(line: str) -> None:
    """Where a file is expected the shell is asked to complete its name."""
    done = remediate(expect=0, _REMEDIATE_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(line.count(" ")))
    assert done.stdout == "file,\n"


def test_an_ansible_that_does_not_load_is_no_error_at_tab() -> None:
    """Ansible ends a process whose locale is not UTF-8."""
    done = remediate(
        _REMEDIATE_COMPLETE="bash_complete", COMP_WORDS="remediate audit --form", COMP_CWORD="2",
        LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0",
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_that_shells(shell: str) -> None:
    """The shell itself takes it, where it is there."""
    script = remediate("completion", shell, expect=0).stdout
    assert f"_REMEDIATE_COMPLETE={shell}_complete" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_bash_completes() -> None:
    """The whole way in a real bash: the script is read, and its function called as at TAB."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    script = """
        eval "$(remediate completion bash)"
        COMP_WORDS=(remediate log-f); COMP_CWORD=1
        "$(complete -p remediate | sed 's/.*-F \\([^ ]*\\).*/\\1/')" remediate
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    env = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run([bash, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("log-filter\n", "")
