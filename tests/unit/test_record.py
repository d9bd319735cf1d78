"""A run's record may end anywhere; what it says is what is known."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from remediate.audit.summary import assemble
from remediate.errors import RemediateError
from remediate.plan.planner import Choice, make_plan, make_rollback
from remediate.playbook.directory import host_vars_text
from remediate.playbook.record import RECORD, read_run
from tests.conftest import remediate
from tests.unit.values import host, pool

AUDIT = assemble((host("web01", pool()), host("web02", pool())), "2026-01-01T00:00:00Z")
CHANGES = msgspec.to_builtins(make_plan(AUDIT, Choice(fix="idle-timeout"), "2026-01-01T00:00:00Z").changes)
ANSWER = {
    "pool": "Shop", "attribute": "processModel.idleTimeout", "found": "00:20:00", "found_source": "pool",
    "written": True, "verified": True,
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"event": "begin", "at": "2026-01-01T00:00:00Z", "format": "remediate.record", "format_version": 1, "run": "r",
     "plan_digest": "d", "check": False, "hosts": ["web01", "web02"]},
    {"event": "start", "at": "2026-01-01T00:00:01Z", "host": "web01", "changes": CHANGES[:1]},
    {"event": "host", "at": "2026-01-01T00:00:02Z", "host": "web01", "status": "changed", "detail": None,
     "backup": None, "changes": [ANSWER]},
    {"event": "end", "at": "2026-01-01T00:00:03Z"},
]  # fmt: skip


def record(folder: Path, text: bytes) -> Path:
    (folder / RECORD).write_bytes(text)
    return folder


def test_wherever_it_ends_it_says_what_is_known(tmp_path: Path) -> None:
    """Cut the record after each byte: an error before its first line is whole, then the states that were reached."""
    whole = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)
    ends = [whole.index(b"\n", 0) + 1]
    for _ in EVENTS[1:]:
        ends.append(whole.index(b"\n", ends[-1]) + 1)
    expected = ["not-reached", "unknown", "changed", "changed"]
    for cut in range(0, len(whole) + 1, 7):
        reached = sum(end <= cut for end in ends)
        folder = record(tmp_path, whole[:cut])
        if reached == 0:
            with pytest.raises(RemediateError):
                read_run(folder)
            continue
        run = read_run(folder)
        assert [h.status for h in run.hosts] == [expected[reached - 1], "not-reached"]
        assert (run.finished_at is None) is (reached < 4)


@pytest.mark.parametrize("record", [None, b""])
def test_a_record_that_is_gone_does_not_mean_that_nothing_was_written(tmp_path: Path, record: bytes | None) -> None:
    """The marks of the hosts that were begun are still there, so what was written is not known."""
    run = tmp_path / "runs" / "20261129T110916Z-528fd4"
    (run / "marks").mkdir(parents=True)
    (run / "marks" / "web01").touch()
    if record is not None:
        (run / RECORD).write_bytes(record)
    for arguments in ((), ("--out", tmp_path / "undo")):
        said = remediate("rollback" if arguments else "show", run, *arguments, expect=1).stderr
        assert "1 of its hosts were begun" in said and "not known" in said and said.count("\n") == 1
        assert "nothing was written" not in said


def test_junk_is_one_line(tmp_path: Path) -> None:
    for junk in (
        b"",
        b"\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"event": "begin"}\n',
        b'{"format": "remediate.record", "format_version": 1}\n',
    ):
        with pytest.raises(RemediateError) as refused:
            read_run(record(tmp_path, junk))
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "odd",
    [
        {"changes": 5},
        {"changes": ["x"]},
        {"changes": [{"pool": ["a"], "attribute": 1}]},
        {"changes": [ANSWER | {"found": 5}]},
        {"changes": [ANSWER | {"written": "yes"}]},
        {"changes": [ANSWER | {"found_source": "elsewhere"}]},
        {"detail": ["x"]},
        {"backup": 1},
        {"status": "fine"},
    ],
)
def test_an_odd_answer_is_that_hosts_trouble_alone(tmp_path: Path, odd: dict[str, Any]) -> None:
    """The run stays readable, and what may have been written there can be undone."""
    start = {"event": "start", "at": "2026-01-01T00:00:01Z", "host": "web02", "changes": CHANGES[1:]}
    answer = EVENTS[2] | {"host": "web02"} | odd
    run = read_run(record(tmp_path, b"".join(json.dumps(e).encode() + b"\n" for e in [*EVENTS[:3], start, answer])))
    assert [host.status for host in run.hosts] == ["changed", "failed"]
    assert [change.written for change in run.hosts[1].changes] == [None]
    assert [change.host for change in make_rollback(run, "2026-01-01T00:00:00Z").changes] == ["web01", "web02"]


def test_an_answer_that_lists_nothing_may_have_written(tmp_path: Path) -> None:
    answer = EVENTS[2] | {"changes": []}
    run = read_run(record(tmp_path, b"".join(json.dumps(e).encode() + b"\n" for e in [*EVENTS[:2], answer])))
    assert len(make_rollback(run, "2026-01-01T00:00:00Z").changes) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", "../../../escaped"),
        ("host", "x{{ lookup('pipe', 'id') }}"),
        ("host", "a\n- hosts: all"),
        ("host", "localhost"),
        ("attribute", "{{ lookup('pipe', 'id') }}"),
        ("pool", "\ud800"),
        ("set", None),
    ],
)
def test_a_record_from_elsewhere_harms_nobody(tmp_path: Path, key: str, value: str | None) -> None:
    """Its names become files and a playbook: what cannot be one is refused, and nothing is written anywhere."""
    evil = [CHANGES[0] | {key: value}]
    host = str(evil[0]["host"])
    events = [EVENTS[0] | {"hosts": [host]}, EVENTS[1] | {"host": host, "changes": evil}]
    (tmp_path / "run").mkdir()
    folder = record(tmp_path / "run", b"".join(json.dumps(e).encode() + b"\n" for e in events))
    done = remediate("rollback", folder, "--out", tmp_path / "a" / "b" / "plan", expect=1)
    assert done.stderr.startswith("remediate: ") and done.stderr.count("\n") == 1 and "bug" not in done.stderr
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {RECORD}


BEGIN: dict[str, Any] = EVENTS[0] | {"plan_digest": "", "hosts": [], "playbook": "fix_idle_timeout.yml"}
START: dict[str, Any] = {"event": "start", "at": "2026-01-01T00:00:01Z", "host": "web01", "wanted": {"pools": "Shop*"}}
STATIC: dict[str, Any] = EVENTS[2] | {
    "machine": "WEB01.lab.example",
    "changes": [
        ANSWER | {"set": "00:00:00", "expect": "00:20:00", "wanted": "00:00:00", "state": "pending"},
        {"pool": "Left", "attribute": "startMode", "state": "skipped", "detail": "expected startMode"},
    ],
}


def static(folder: Path, *events: dict[str, Any]) -> Path:
    return record(folder, b"".join(json.dumps(event).encode() + b"\n" for event in events))


def test_a_run_without_a_plan_is_known_from_its_answers(tmp_path: Path) -> None:
    """What was found counts as expected, what was left out is no change; its rollback is an ordinary plan."""
    run = read_run(static(tmp_path, BEGIN, START, STATIC))
    (found,) = run.hosts
    (change,) = found.changes
    assert (found.status, change.machine, change.expect, change.expect_source, change.set, change.recycle) == (
        "changed", "WEB01.lab.example", "00:20:00", "pool", "00:00:00", "unknown",
    )  # fmt: skip
    assert "fix_idle_timeout.yml" in change.reason
    (undo,) = make_rollback(run, "2026-01-01T00:00:00Z").changes
    assert (undo.expect, undo.set, undo.machine) == ("00:00:00", "00:20:00", "WEB01.lab.example")


@pytest.mark.parametrize(
    "events", [(START,), (START, STATIC | {"changes": [], "status": "failed"}), (START, STATIC | {"changes": 5})]
)
def test_where_nobody_knows_what_to_undo_the_rollback_says_so(tmp_path: Path, events: tuple[dict[str, Any]]) -> None:
    plan = make_rollback(read_run(static(tmp_path, BEGIN, *events)), "2026-01-01T00:00:00Z")
    assert plan.changes == ()
    assert [(host.host, "is not known" in host.detail) for host in plan.not_inspected] == [("web01", True)]


def test_an_attribute_that_we_never_write_is_not_undone(tmp_path: Path) -> None:
    """A server could say that anything was written; what goes into a plan is checked."""
    lie = STATIC["changes"][0] | {"attribute": "processModel.password"}
    run = read_run(static(tmp_path, BEGIN, START, STATIC | {"changes": [lie]}))
    assert (run.hosts[0].status, run.hosts[0].changes) == ("failed", ())


@pytest.mark.parametrize(
    ("source", "undone"), [("defaults", ("AlwaysRunning", None)), ("schema", (None, "AlwaysRunning"))]
)
def test_the_defaults_and_a_pool_of_that_name_are_told_apart(
    tmp_path: Path, source: str, undone: tuple[str | None, str | None]
) -> None:
    """Both changed in one run, under the same name; a value of the defaults' own is set again, not cleared."""
    both = [
        CHANGES[0] | {"scope": scope, "pool": "applicationPoolDefaults", "attribute": "startMode", "set": "OnDemand"}
        for scope in ("defaults", "pool")
    ]
    told = {"pool": "applicationPoolDefaults", "attribute": "startMode", "found": "AlwaysRunning"}
    answers = [
        told | {"scope": "pool", "found_source": "pool", "written": False},
        told | {"scope": "defaults", "found_source": source, "written": True, "verified": True},
    ]
    events = [EVENTS[0], EVENTS[1] | {"changes": both}, EVENTS[2] | {"changes": answers}]
    run = read_run(static(tmp_path, *events))
    assert [(c.scope, c.written) for c in run.hosts[0].changes] == [("defaults", True), ("pool", False)]
    plan = make_rollback(run, "2026-01-01T00:00:00Z")
    assert [(c.scope, c.expect, (c.set, c.inherits)) for c in plan.changes] == [("defaults", "OnDemand", undone)]
    (written,) = yaml.safe_load(host_vars_text(list(plan.changes)).replace("!unsafe ", ""))["remediate_changes"]
    assert (written["scope"], "pool" in written) == ("defaults", False)


def answered(tmp_path: Path, answer: dict[str, Any]) -> Any:
    """The first host of a record in which it said that."""
    events = [*EVENTS[:2], EVENTS[2] | answer]
    (tmp_path / RECORD).write_text("".join(json.dumps(event) + "\n" for event in events))
    return read_run(tmp_path).hosts[0]


def test_an_answer_that_leaves_a_change_out_is_no_success(tmp_path: Path) -> None:
    """Nobody knows whether it was written, whatever else the server says."""
    for status in ("ok", "changed"):
        host = answered(tmp_path, {"status": status, "changes": []})
        assert (host.status, [change.written for change in host.changes]) == ("failed", [None])
        assert "it is not known whether they were written" in host.detail


def test_stale_and_written_is_no_stale(tmp_path: Path) -> None:
    """Stale promises that nothing was written there."""
    host = answered(tmp_path, {"status": "stale", "detail": "s"})
    assert (host.status, [change.written for change in host.changes]) == ("failed", [True])
