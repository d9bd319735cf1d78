"""From findings to changes: what is planned, what is left to a person, and what undoes a run."""

from typing import Any

import msgspec

from remediate.cli.audit import assemble
from remediate.model import Audit, FixName, HostResult, Inspection, Plan, Run, RunChange, RunStatus, Unreachable
from remediate.plan.planner import make_plan, make_rollback
from tests.unit.values import host, pool


def audit(*hosts: Inspection | Unreachable) -> Audit:
    return assemble(hosts, "2026-01-01T00:00:00Z")


def plan(*hosts: Inspection | Unreachable, fix: FixName = "idle-timeout") -> Plan:
    return make_plan(audit(*hosts), fix, "2026-01-01T00:00:00Z")


def test_both_fixes() -> None:
    """A change carries what the planner saw: the value to expect, and the others that made it a finding."""
    (idle,) = plan(host("web01", pool())).changes
    assert (idle.attribute, idle.expect, idle.set) == ("processModel.idleTimeout", "00:20:00", "00:00:00")
    assert idle.given == {"startMode": "AlwaysRunning", "processModel.idleTimeoutAction": "Terminate"}
    (mode,) = plan(host("web01", pool()), fix="on-demand").changes
    assert (mode.attribute, mode.expect, mode.set) == ("startMode", "AlwaysRunning", "OnDemand")
    assert mode.given == {"processModel.idleTimeout": "00:20:00", "processModel.idleTimeoutAction": "Terminate"}


def test_recycle_forecast() -> None:
    deferred = pool("b", {"recycling.disallowRotationOnConfigChange": "true"})
    idle = plan(host("web01", pool("a"), deferred)).changes
    assert [change.recycle for change in idle] == ["now", "deferred"]
    mode = plan(host("web01", pool("a"), deferred), fix="on-demand").changes
    assert [change.recycle for change in mode] == ["unknown", "unknown"], "nobody has published it for startMode"


def test_the_same_audit_gives_the_same_plan() -> None:
    """Sorted whatever order the answers came in; only the time stamp differs."""
    hosts = [host("web02", pool("b"), pool("A")), host("web01", pool())]
    assert msgspec.json.encode(plan(*hosts)) == msgspec.json.encode(plan(*reversed(hosts)))
    assert [(c.host, c.pool) for c in plan(*hosts).changes] == [("web01", "Shop"), ("web02", "A"), ("web02", "b")]


def test_two_names_of_one_machine_are_planned_once() -> None:
    made = plan(host("alias", pool(), machine="WEB01.lab.example"), host("web01", pool(), machine="web01.LAB.example"))
    assert [(c.host, c.also) for c in made.changes] == [("alias", ("web01",))]


def test_two_machines_of_one_name_are_not_one() -> None:
    """A clone, or a server that lies about its name, must not hide another one's finding."""
    one, other = host("web01", pool("A"), machine="X"), host("web02", pool("B"), machine="x")
    made = plan(one, other)
    assert made.changes == ()
    assert [(u.host, u.pool) for u in made.undecided] == [("web01", "A"), ("web02", "B")]
    assert all("shows other pools" in entry.reason for entry in made.undecided)


def test_what_is_left_to_a_person() -> None:
    """Doubts, the host's own word, two pools of one name, a PowerShell that Ansible's modules do not run on."""
    cases = {
        "stopped": host("web01", pool(state="Stopped")),
        "remediate_fix is none": host("web01", pool(), vars={"remediate_fix": "none"}),
        "remediate_fix is 'offf'": host("web01", pool(), vars={"remediate_fix": "offf"}),
        "two pools": host("web01", pool("Shop"), pool("SHOP")),
        "PowerShell 4.0": host("web01", pool(), powershell_version="4.0"),
        "cannot be a file's name": host("web/01", pool()),
        "give the host an alias": host("localhost", pool()),
    }
    for reason, one in cases.items():
        made = plan(one)
        assert made.changes == (), reason
        assert made.undecided and all(reason in entry.reason for entry in made.undecided), reason


def test_notes_are_not_planned_and_a_fix_that_does_not_help_is_not_taken() -> None:
    idle = host("web01", pool(values={"processModel.idleTimeout": "00:00:00"}))
    assert (plan(idle).changes, plan(idle).undecided) == ((), ())
    asked = assemble((idle,), "2026-01-01T00:00:00Z", frozenset({"RM002"}))
    (entry,) = make_plan(asked, "idle-timeout", "2026-01-01T00:00:00Z").undecided
    assert entry.reason == "idle-timeout does not help against RM002"
    (change,) = make_plan(asked, "on-demand", "2026-01-01T00:00:00Z").changes
    assert (change.attribute, change.set, change.rules) == ("startMode", "OnDemand", ("RM002",))


def test_the_hosts_own_fix_comes_first() -> None:
    (change,) = plan(host("web01", pool(), vars={"remediate_fix": "on-demand"})).changes
    assert change.attribute == "startMode"


def test_missing_hosts_are_told() -> None:
    made = plan(Unreachable("web09", "refused"))
    assert [(h.host, h.status, h.detail) for h in made.not_inspected] == [("web09", "unreachable", "refused")]


def run_of(status: RunStatus, **known: Any) -> Run:
    (change,) = plan(host("web01", pool())).changes
    values = {name: getattr(change, name) for name in change.__struct_fields__} | known
    result = HostResult(host="web01", status=status, changes=(RunChange(**values),))
    return Run(run="r", plan_digest="", started_at="2026-01-01T00:00:00Z", hosts=(result,))


def test_undo_of_each_source() -> None:
    """Inherited: cleared again. The pool's own: set. Not known: set, and the plan says so."""
    for source, expected in (
        ("schema", (None, "00:20:00")),
        ("defaults", (None, "00:20:00")),
        ("pool", ("00:20:00", None)),
        ("unknown", ("00:20:00", None)),
    ):
        run = run_of("changed", found="00:20:00", found_source=source, written=True, verified=True)
        (change,) = make_rollback(run, "2026-01-01T00:00:00Z").changes
        assert (change.set, change.inherits) == expected
        assert (change.expect, change.machine) == ("00:00:00", "WEB01.lab.example")
        assert ("is not known" in change.reason) is (source == "unknown")


def test_undo_takes_what_may_have_been_written_and_nothing_else() -> None:
    cases: tuple[tuple[RunStatus, bool | None, bool], ...] = (
        ("changed", True, True),
        ("failed", True, True),
        ("unknown", None, True),
        ("unreachable", None, True),
        ("unchanged", False, False),
        ("stale", False, False),
        ("failed", False, False),
    )
    for status, written, undone in cases:
        changes = make_rollback(run_of(status, found="00:20:00", written=written), "2026-01-01T00:00:00Z").changes
        assert bool(changes) is undone, (status, written)


def test_undo_of_an_undo() -> None:
    """A run that cleared an attribute is undone by setting it."""
    run = run_of(
        "changed", set=None, inherits="00:20:00", expect="00:00:00", found="00:00:00", found_source="pool", written=True
    )
    (change,) = make_rollback(run, "2026-01-01T00:00:00Z").changes
    assert (change.expect, change.set, change.inherits) == ("00:20:00", "00:00:00", None)
