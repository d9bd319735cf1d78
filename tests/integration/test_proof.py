"""The second read after a run: seen while it goes on, kept with the run, and no interruption loses what is known."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Site, remediate, run, wait_for
from tests.integration.test_batches import fleet, plan  # noqa: F401  # a fixture

BIN = Path(sys.prefix) / "bin"


def the_run(folder: Path) -> Path:
    (made,) = (folder / "runs").iterdir()
    return made


def proof(folder: Path) -> Any:
    return json.loads(remediate("show", the_run(folder), "--format", "json", expect=0).stdout)["proof"]


def test_it_is_told_and_kept(fleet: list[Site]) -> None:  # noqa: F811
    """A line for each host, the sum, and the same later from the record."""
    folder, inventory = plan(fleet)
    done = remediate("apply", folder, "-i", inventory, "--yes", expect=0)
    assert "\n4 changed, 4 verified by a second read\n" in done.stdout
    for site in fleet:
        assert f"{site.name}: verified by a second read: 1 change\n" in done.stderr
    kept = proof(folder)
    assert kept["finished_at"] >= kept["started_at"]
    assert kept["hosts"] == [{"host": site.name, "verified": 1, "broken": []} for site in fleet]
    assert "4 changed, 4 verified by a second read\n" in remediate("show", the_run(folder), expect=0).stdout


def test_a_host_that_cannot_be_read_again_is_not_proven(fleet: list[Site]) -> None:  # noqa: F811
    """Incomplete, with the reason, also when the run is shown later."""
    folder, inventory = plan(fleet)
    (folder.parent / "junk").write_text("no JSON")
    fleet[1].knobs(answer=str(folder.parent / "junk"))
    done = remediate("apply", folder, "-i", inventory, "--yes", expect=3)
    for text in (done.stdout, remediate("show", the_run(folder), expect=0).stdout):
        assert f"not proven: {fleet[1].name}: could not be read again: " in text
        assert "\n4 changed, 3 verified by a second read, 1 NOT\n" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_interrupts_it_loses_nothing(fleet: list[Site], number: signal.Signals) -> None:  # noqa: F811
    """All hosts are done and one is slow to be read again: the run is named, reported, and the proof is kept so far."""
    folder, inventory = plan(fleet)
    slow = folder.parent / "slow"
    os.mkfifo(slow)
    fleet[1].knobs(answer=str(slow))  # the inspection waits until somebody writes there
    command = [str(BIN / "remediate"), "apply", str(folder), "-i", str(inventory), "--yes"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        kept = "runs/*/proof.jsonl"
        wait_for(lambda: sum(file.read_text().count('"host"') for file in folder.glob(kept)) >= 6, "three hosts")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=600)
    slow.write_text("")
    assert process.returncode == 130
    made = the_run(folder)
    assert f"what is known of this run: remediate show {made}\n".encode() in stderr
    for text in (stdout.decode(), remediate("show", made, expect=0).stdout):
        assert "4 changed, 3 verified by a second read; the second read ends before all were read\n" in text
    found = proof(folder)
    assert (found["finished_at"], len(found["hosts"])) == (None, 3)


def test_it_has_a_bar_of_its_own(fleet: list[Site]) -> None:  # noqa: F811
    folder, inventory = plan(fleet)
    ours, theirs = pty.openpty()
    command = [str(BIN / "remediate"), "apply", str(folder), "-i", str(inventory), "--yes"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:
            pass  # how Linux tells that the other end is closed
    os.close(ours)
    assert process.returncode == 0
    assert b"applying" in shown and b"reading again" in shown and b"4/4" in shown


def test_a_plain_run_and_a_dry_run_have_none(fleet: list[Site]) -> None:  # noqa: F811
    """Nobody read again there, and nothing says so."""
    folder, inventory = plan(fleet)
    assert "second read" not in remediate("apply", folder, "-i", inventory, "--check", expect=2).stdout
    run(BIN / "ansible-playbook", "-i", inventory, folder / "playbook.yml", expect=0)
    assert proof(folder) is None
    assert "4 changed\n" in remediate("show", the_run(folder), expect=0).stdout


def test_a_damaged_proof_is_one_line(take: Callable[[str, str], Site]) -> None:
    site = take("emulated", "basic")
    folder, inventory = plan([site])
    remediate("apply", folder, "-i", inventory, "--yes", expect=0)
    file = the_run(folder) / "proof.jsonl"
    whole = file.read_bytes()
    for cut in range(0, len(whole), 9):
        file.write_bytes(whole[:cut])
        assert remediate("show", the_run(folder), expect=0).stdout
    for junk in (b"junk\n", b"[]\n", b'{"event": "begin"}\n', b"\xff\n"):
        file.write_bytes(junk)
        said = remediate("show", the_run(folder), expect=1).stderr
        assert "proof.jsonl" in said and said.count("\n") == 1
