"""From findings to changes: what is planned, what is left to a person, and what undoes a run."""

from typing import Any

import msgspec

from remediate.audit.summary import assemble
from remediate.plan.planner import Choice, make_plan, make_rollback
from remediate.values.findings import Audit, DoubtKind, FixName, Scope
from remediate.values.fleet import Inspection, Unreachable
from remediate.values.plans import Plan
from remediate.values.runs import HostResult, Run, RunChange, RunStatus
from tests.unit.values import host, pool, value


def audit(*hosts: Inspection | Unreachable) -> Audit:
    return assemble(hosts, "2026-01-01T00:00:00Z")


def plan(
    *hosts: Inspection | Unreachable,
    fix: FixName = "idle-timeout",
    scope: Scope = "pool",
    allow: DoubtKind | None = None,
) -> Plan:
    choice = Choice(fix=fix, scope=scope, allowed=frozenset({allow} if allow else ()))
    return make_plan(audit(*hosts), choice, "2026-01-01T00:00:00Z")


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


SHARE = r"\\fs\iis"


def farm(*names: str, **others: Any) -> list[Inspection]:
    return [host(name, pool(), shared_config=SHARE, **others) for name in names]


def test_one_edit_for_a_share() -> None:
    """Servers that read one file are left to a person; or, when that is allowed, changed once, under the first name."""
    left = plan(*farm("web01", "web02"))
    assert (left.changes, [u.host for u in left.undecided]) == ((), ["web01", "web02"])
    assert "one edit changes every server of it" in left.undecided[0].reason
    (change,) = plan(*farm("web01", "web02", "web03"), allow="shared").changes
    assert (change.host, change.also) == ("web01", ("web02", "web03"))
    assert "shared configuration" in change.reason


def test_spellings_of_one_share() -> None:
    """Windows compares paths without case, and takes either slash."""
    one, other = (
        host("web01", pool(), shared_config=r"\\FS\iis\ ".strip()),
        host("web02", pool(), shared_config="//fs/IIS"),
    )
    assert [c.host for c in plan(one, other, allow="shared").changes] == ["web01"]


def test_a_folder_of_its_own_is_no_share() -> None:
    r"""D:\iis on two servers is two files: each is changed."""
    hosts = [host(name, pool(), shared_config=r"D:\iis") for name in ("web01", "web02")]
    assert [(c.host, c.also) for c in plan(*hosts, allow="shared").changes] == [("web01", ()), ("web02", ())]


def test_one_word_against_a_share_is_enough() -> None:
    """A change there would reach the server whose owner said no."""
    first, second = farm("web01", "web02")
    refused = msgspec.structs.replace(second, vars={"remediate_fix": "none"})
    made = plan(first, refused, allow="shared")
    assert made.changes == ()
    assert [u.reason for u in made.undecided] == [
        "remediate_fix is none for web02",
        "remediate_fix is none for this host",
    ]
    differs = msgspec.structs.replace(second, vars={"remediate_fix": "on-demand"})
    assert all("differs" in u.reason for u in plan(first, differs, allow="shared").undecided)


def test_a_share_that_two_servers_see_differently_is_left() -> None:
    odd = host("web02", pool(), pool("Other"), shared_config=SHARE)
    made = plan(*farm("web01"), odd, allow="shared")
    assert (made.changes, {u.host for u in made.undecided}) == ((), {"web01", "web02"})


def test_dormant_pools_when_they_are_allowed() -> None:
    stopped = host("web01", pool(state="Stopped"))
    (change,) = plan(stopped, allow="stopped").changes
    assert change.reason.endswith("although the pool is stopped")
    assert change.recycle == "none"


RISKY = {
    "startMode": value("AlwaysRunning", "defaults"), "processModel.idleTimeout": value("00:20:00", "schema"),
    "processModel.idleTimeoutAction": value("Terminate", "schema"),
}  # fmt: skip


def test_the_defaults_are_planned_when_they_are_the_scope() -> None:
    """One change on applicationPoolDefaults; the forecast names every pool that follows it, and no other."""
    inherits = pool("inherits")
    inherits.attributes.update(RISKY)
    own = pool("own")
    one = host("web01", inherits, own, defaults=RISKY)
    assert [c.pool for c in plan(one).changes] == ["inherits", "own"]
    (change,) = plan(one, scope="defaults").changes
    assert (change.scope, change.attribute, change.expect, change.expect_source, change.set) == (
        "defaults", "processModel.idleTimeout", "00:20:00", "schema", "00:00:00",
    )  # fmt: skip
    assert change.given == {"startMode": "AlwaysRunning", "processModel.idleTimeoutAction": "Terminate"}
    assert (change.inherited_by, change.applications, change.recycle) == (("inherits",), ("Site/0",), "unknown")
    (mode,) = plan(one, scope="defaults", fix="on-demand").changes
    assert (mode.attribute, mode.inherited_by) == ("startMode", ("inherits",))


def test_a_pool_may_be_named_like_the_defaults() -> None:
    one = host("web01", pool("applicationPoolDefaults"), defaults=RISKY)
    assert [(c.scope, c.pool) for c in plan(one).changes] == [("pool", "applicationPoolDefaults")]
    assert [c.scope for c in plan(one, scope="defaults").changes] == ["defaults"]


def test_defaults_that_were_asked_for_and_not_chosen_are_told() -> None:
    asked = assemble((host("web01", defaults=RISKY),), "2026-01-01T00:00:00Z", frozenset({"RM004"}))
    made = make_plan(asked, Choice(fix="idle-timeout"), "2026-01-01T00:00:00Z")
    assert made.changes == ()
    assert "--scope defaults" in made.undecided[0].reason


def test_notes_are_not_planned_and_a_fix_that_does_not_help_is_not_taken() -> None:
    idle = host("web01", pool(values={"processModel.idleTimeout": "00:00:00"}))
    assert (plan(idle).changes, plan(idle).undecided) == ((), ())
    asked = assemble((idle,), "2026-01-01T00:00:00Z", frozenset({"RM002"}))
    (entry,) = make_plan(asked, Choice(fix="idle-timeout"), "2026-01-01T00:00:00Z").undecided
    assert entry.reason == "idle-timeout does not help against RM002"
    (change,) = make_plan(asked, Choice(fix="on-demand"), "2026-01-01T00:00:00Z").changes
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
