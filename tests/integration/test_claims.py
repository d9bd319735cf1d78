"""A server that says what cannot be: that it wrote in a dry run, or what nobody asked for. That fails."""

import json
from pathlib import Path
from typing import Any

import msgspec
import yaml

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Up, remediate

SHOP = {
    "scope": "pool", "pool": "Contoso Shop", "attribute": "startMode", "set": "OnDemand", "expect": "AlwaysRunning",
    "wanted": "OnDemand", "found": "AlwaysRunning", "found_source": "pool",
}  # fmt: skip
PENDING = SHOP | {"state": "pending", "written": False, "verified": False}
WRITTEN = SHOP | {"state": "pending", "written": True, "verified": True}
THERE = SHOP | {"state": "ok", "written": False, "verified": True, "found": "OnDemand"}
UNDO = {"pool": "Contoso Shop", "attribute": "startMode", "expect": "OnDemand", "set": "AlwaysRunning"}
# What the module's answer has in a dry run -> the host's status, and words of it.
DRY: list[tuple[dict[str, Any], str, str]] = [
    ({}, "pending", ""),
    ({"changes": [PENDING | {"undo": UNDO}]}, "pending", ""),
    ({"changes": [WRITTEN]}, "failed", "it reports a write in a dry run"),
    ({"changes": [WRITTEN | {"undo": UNDO}], "changed": False}, "failed", "it reports a write in a dry run"),
    ({"changes": [WRITTEN], "failed": True, "msg": "no"}, "failed", "it reports a write in a dry run"),
    ({"backup": "remediate-x"}, "failed", "it reports a write in a dry run"),
    ({"changes": []}, "failed", "leaves changes out"),
    ({"changed": False}, "failed", "is not as wanted"),
    ({"changes": [THERE]}, "failed", "all is as wanted"),
    ({"changes": [PENDING, PENDING | {"pool": "Payroll"}]}, "failed", "not asked for, startMode of Payroll"),
]
# The same of a run that writes.
WET: list[tuple[dict[str, Any], str, str]] = [
    ({}, "changed", ""),
    ({"changes": [WRITTEN, WRITTEN | {"pool": "Payroll"}]}, "failed", "not asked for, startMode of Payroll"),
    ({"changes": [WRITTEN | {"pool": "Payroll"}]}, "failed", "not asked for, startMode of Payroll"),
    ({"changes": [WRITTEN | {"set": "Whatever"}]}, "failed", "not asked for, startMode of Contoso Shop"),
    ({"changes": [WRITTEN, PENDING]}, "failed", "one change twice"),
    ({"changes": [WRITTEN], "changed": False}, "failed", "nothing changed, and that it wrote"),
    ({"changes": [PENDING]}, "failed", "it is done, and startMode of Contoso Shop is not as wanted"),
    ({"changes": [WRITTEN | {"verified": False}]}, "failed", "is not as wanted"),
    ({"changes": [THERE]}, "failed", "that it wrote nothing"),
    ({"changes": [PENDING], "changed": False}, "failed", "is not as wanted"),
]


def hosts(up: Up, lies: list[tuple[dict[str, Any], str, str]], *options: str) -> tuple[dict[str, Any], str, Path]:
    """Each host's result after an apply of a plan in which each tells one of the lies; what it printed."""
    state = up("--from-configs", PLAIN, "--servers", str(len(lies)), "--auth", "basic")
    inventory = state / "inventory" / "hosts.yml"
    plan, run = state.parent / "plan", state.parent / "run"
    remediate("plan", "-i", inventory, "--fix", "on-demand", "--out", plan, expect=2)
    names = list(yaml.safe_load(inventory.read_text())["iis"]["hosts"])
    for name, (lie, _, _) in zip(names, lies, strict=True):
        write_knobs(state / "servers" / name / "Windows", lie=json.dumps(lie))
    more = ("--max-failures", "100%", "--batches", "100%", "--run-dir", str(run), *options)
    done = remediate("apply", plan, "-i", inventory, *more, expect=3)
    told = json.loads(remediate("show", run, "--format", "json", expect=0).stdout)["hosts"]
    assert [host["host"] for host in told] == sorted(names)
    for name, (lie, status, words) in zip(names, lies, strict=True):
        (host,) = (host for host in told if host["host"] == name)
        assert (host["status"], words in (host["detail"] or "")) == (status, True), (lie, host)
    return {host["host"]: host for host in told}, done.stdout + remediate("show", run, expect=0).stdout, run


def test_a_dry_run_never_says_that_anything_was_written(up: Up, tmp_path: Path) -> None:
    """Whatever the servers answer; and it does not say that nothing was, where one says that it did."""
    _, said, run = hosts(up, DRY, "--check")
    assert "written and verified" not in said and ", written" not in said
    assert "nothing was written" not in said and "the server reports that it wrote this" in said
    assert "dry run" in remediate("rollback", run, "--out", tmp_path / "undo", expect=1).stderr


def test_an_answer_that_does_not_fit_the_plan(up: Up) -> None:
    """It is no success; and what it says was written can be undone."""
    told, _, run = hosts(up, WET, "--yes")
    undo = run.parent / "undo"
    remediate("rollback", run, "--out", undo, expect=0)
    undone = {change["host"] for change in json.loads((undo / "plan.json").read_text())["changes"]}
    assert undone == {name for name, host in told.items() if any(c["written"] is not False for c in host["changes"])}
    assert {change["pool"] for change in json.loads((undo / "plan.json").read_text())["changes"]} == {"Contoso Shop"}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def test_an_answer_that_no_record_can_hold(up: Up) -> None:
    """Deep, long, or no text: it fails alone, the record can be read by any reader, and all can be undone."""
    lies: list[tuple[dict[str, Any], str, str]] = [
        ({}, "changed", ""),
        ({"changes": nested(300)}, "failed", ""),
        # The inverse is computed here, and what a server says of it is not kept.
        ({"changes": [WRITTEN | {"undo": nested(300)}]}, "changed", ""),
        ({"changes": [WRITTEN | {"found": "\ud800"}]}, "failed", ""),
        ({"machine": "a\udce9"}, "failed", ""),
        ({"changes": [WRITTEN | {"found": "x" * 2_000_000}]}, "failed", ""),
        ({"msg": "x" * 2_000_000, "failed": True}, "failed", ""),
        ({"backup": "x" * 2_000_000}, "failed", ""),
    ]
    _, said, run = hosts(up, lies, "--yes")
    for line in (run / "record.jsonl").read_bytes().splitlines():
        assert msgspec.json.decode(line)
        # A text is cut at 100,000 characters; what was found stands in the inverse again.
        assert len(line) < 400_000
    assert max(map(len, said.splitlines())) < 10_000
    remediate("rollback", run, "--out", run.parent / "undo", expect=0)
