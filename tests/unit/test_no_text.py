"""Bytes that are no UTF-8, and halves of UTF-16's pairs: one input's failure, and what is saved can be read again."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Up, remediate
from tests.unit.test_record import ANSWER, CHANGES, EVENTS


def read(text: str) -> Any:
    """As a strict reader of JSON does, which knows no half of a pair."""
    return msgspec.json.decode(text)


def test_a_file_whose_name_is_no_text(tmp_path: Path) -> None:
    """The audit is printed, saved and read again: the byte is spelled out."""
    (config,) = PLAIN.rglob("*.config")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.config"))
    odd.write_bytes(config.read_bytes())
    saved = tmp_path / "audit.json"
    done = remediate("audit", "--config", odd, "--format", "json", "--save", saved, expect=2)
    (host,) = read(done.stdout)["hosts"]
    assert host["host"].endswith("caf\\udce9.config")
    assert remediate("show", saved, expect=0).stdout.count("caf\\udce9.config")


@pytest.mark.parametrize("half", ["\ud800", "\udce9"])  # noqa: PT014  # two halves, which ruff takes for one
def test_an_answer_that_is_no_text(tmp_path: Path, half: str) -> None:
    """In a record it is that host's failure; the others are shown, and can be undone."""
    start = EVENTS[1] | {"host": "web02", "changes": CHANGES[1:]}
    for odd in ({"detail": half}, {"changes": [ANSWER | {"found": half}]}, {"machine": f"a{half}"}):
        events = [*EVENTS[:3], start, EVENTS[2] | {"host": "web02"} | odd]
        (tmp_path / "record.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        first, second = read(remediate("show", tmp_path, "--format", "json", expect=0).stdout)["hosts"]
        assert (first["status"], second["status"]) == ("changed", "failed")
        assert "no text" in second["detail"] and [c["written"] for c in second["changes"]] == [None]
    remediate("rollback", tmp_path, "--out", tmp_path / "undo", expect=0)
    assert len(read((tmp_path / "undo" / "plan.json").read_text())["changes"]) == 2


def test_a_saved_file_that_is_no_text(tmp_path: Path) -> None:
    """One line says so, and asks for no report."""
    file = tmp_path / "audit.json"
    for data in (b'{"format": "remediate.audit", "tool_version": "\xff"}', b'{"format": "\\ud800"}', b"\xff\xfe"):
        file.write_bytes(data)
        for command in (("show", file), ("plan", "--from", file, "--fix", "on-demand", "--out", tmp_path / "plan")):
            said = remediate(*command, expect=1).stderr
            assert said.count("\n") == 1 and str(file) in said and "report" not in said.replace("please", "")


def test_a_server_that_answers_nonsense_ends_nobodys_plan(up: Up, tmp_path: Path) -> None:
    """Numbers and texts that are too long, bytes that are no text, deep nesting: the server that is well is planned."""
    good = {"format": "remediate.inspection", "format_version": 1, "machine": "M", "iis_version": "10.0"}
    answers = {
        "version": json.dumps(good | {"powershell_version": "9" * 10_000 + ".1"}).encode(),
        "name": json.dumps(good | {"machine": "M" * 1000}).encode(),
        "number": json.dumps(good)[:-1].encode() + b', "format_version": ' + b"9" * 10_000 + b"}",
        "bytes": json.dumps(good | {"machine": "X"}).encode().replace(b'"X"', b'"\xff"'),
        "half": json.dumps(good | {"machine": "\ud800"}).encode(),
        "deep": json.dumps(good)[:-1].encode() + b', "x": ' + b"[" * 100_000,
    }
    state = up("--from-configs", PLAIN, "--servers", str(len(answers) + 3), "--auth", "basic")
    inventory = state / "inventory" / "hosts.yml"
    well, mute, digits, *names = list(yaml.safe_load(inventory.read_text())["iis"]["hosts"])
    write_knobs(state / "servers" / mute / "Windows", fault="mute", exit="9" * 4000)
    write_knobs(state / "servers" / digits / "Windows", powershell_version="9" * 10_000)
    for name, answer in zip(names, answers.values(), strict=True):
        (tmp_path / name).write_bytes(answer)
        write_knobs(state / "servers" / name / "Windows", answer=str(tmp_path / name))
    done = remediate("plan", "-i", inventory, "--fix", "on-demand", "--out", tmp_path / "plan", expect=3)
    assert "please report" not in done.stderr and "codec" not in done.stderr
    plan = read((tmp_path / "plan" / "plan.json").read_text())
    assert {change["host"] for change in plan["changes"]} == {well}
    failed = {host["host"]: host["detail"] for host in plan["not_inspected"]}
    assert failed.keys() == {mute, digits, *names}
    assert "no exit code" in failed[mute]
    assert all(len(detail) < 500 for detail in failed.values())
