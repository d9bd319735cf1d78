"""Faults that a simulated server plays by its lab.txt: each is one host's line, and the others are done."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Up, remediate

# fault -> the host's status, and what its line says
FAULTS = {
    "silent": ("unreachable", "did not answer in time"),
    "500": ("unreachable", "answered HTTP 500"),
    "locked": ("unreachable", "wrong user or password"),
    "mute": ("failed", "printed nothing"),
    "endless": ("failed", "the script "),  # did not end in time, or printed too much
    "rubbish": ("unreachable", "does not speak WS-Management"),
    "typo": ("unreachable", "answered HTTP 500"),
}


def audit(state: Path, *options: str) -> Any:
    inventory = state / "inventory" / "hosts.yml"
    return json.loads(remediate("audit", "-i", inventory, "--format", "json", *options).stdout)["hosts"]


@pytest.mark.parametrize("tls", [(), ("--tls",)], ids=["http", "https"])
def test_each_fault_is_one_hosts_line(up: Up, auth: str, tls: tuple[str, ...]) -> None:
    """All at once: every faulty host is told in a line, and the others are done."""
    state = up("--from-configs", PLAIN, "--servers", str(len(FAULTS) + 2), "--auth", auth, *tls)
    names = list(yaml.safe_load((state / "inventory" / "hosts.yml").read_text())["iis"]["hosts"])
    for name, fault in zip(names, FAULTS, strict=False):
        write_knobs(state / "servers" / name / "Windows", fault=fault)
    seen = {host["host"]: (host["status"], host["detail"]) for host in audit(state, "--timeout", "8")}
    for name, (fault, (status, said)) in zip(names, FAULTS.items(), strict=False):
        assert seen[name][0] == status and said in seen[name][1], (fault, seen[name])
        assert "\n" not in seen[name][1]
    assert [seen[name] for name in names[len(FAULTS) :]] == [("inspected", None)] * 2


def test_a_server_that_lies(up: Up, engine: str, tmp_path: Path) -> None:
    """An inspection's answer can be any bytes."""
    state = up("--engine", engine)
    lie = tmp_path / "lie.json"
    answer = {"format": "remediate.inspection", "format_version": 1, "machine": "LIAR", "iis_version": "10.0"}
    lie.write_text(json.dumps(answer))
    write_knobs(state / "servers" / "web001" / "Windows", answer=str(lie))
    (host,) = audit(state)
    assert (host["status"], host["machine"], host["pools"]) == ("inspected", "LIAR", [])
    lie.write_bytes(b"\xff\0{")
    (host,) = audit(state)
    assert host["status"] == "failed" and "cannot be read" in host["detail"]


def test_a_late_answer_is_still_an_answer(up: Up) -> None:
    """With a delay the host is done where it may take that long, and else is told as too slow; the others are not."""
    state = up("--servers", "2", "--delay", "30")
    write_knobs(state / "servers" / "web002" / "Windows", delay="0")
    late, early = audit(state, "--timeout", "8")
    assert (late["status"], early["status"]) == ("failed", "inspected")
    assert "did not end in time" in late["detail"]
    write_knobs(state / "servers" / "web001" / "Windows", delay="1.5")
    assert [host["status"] for host in audit(state)] == ["inspected"] * 2


def test_the_emulated_server_says_who_it_is(up: Up) -> None:
    state = up()
    write_knobs(state / "servers/web001/Windows", powershell_version="4.0")
    (host,) = audit(state)
    assert host["powershell_version"] == "4.0"
