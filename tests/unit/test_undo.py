"""`remediate rollback` and the playbook rollback.yml undo the same: whatever the record of a run holds.

The playbook must work without the package, so the record is read twice; this holds both to the same changes.
"""

import importlib.util
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from hypothesis import given
from hypothesis import strategies as st

from remediate.errors import RemediateError
from remediate.plan.planner import make_rollback
from remediate.playbook.directory import host_vars_text
from remediate.playbook.record import RECORD, read_run
from remediate.values.plans import Change
from tests.finder import find_collection

FILE = Path(__file__).parents[2] / "playbooks" / "lookup_plugins" / "remediate_run.py"
AT = "2026-01-01T00:00:00Z"
HOSTS = ("web01", "web02")
SOURCES = st.sampled_from(["pool", "defaults", "schema", "unknown"])
VALUES = {
    "startMode": st.sampled_from(["AlwaysRunning", "OnDemand"]),
    "processModel.idleTimeout": st.sampled_from(["00:20:00", "00:00:00"]),
}
KEYS = st.tuples(
    st.sampled_from(["pool", "defaults"]), st.sampled_from(["Shop", "007"]), st.sampled_from(sorted(VALUES))
)


def lookup() -> Any:
    find_collection()
    spec = importlib.util.spec_from_file_location("remediate_run", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.LookupModule()


LOOKUP = lookup()


def by_the_command(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Host -> machine and changes, as they stand in the plan's host_vars/; and the hosts that it says are not known."""
    plan = make_rollback(read_run(folder), AT)
    hosts: dict[str, list[Change]] = {}
    for change in plan.changes:
        hosts.setdefault(change.host, []).append(change)
    texts = {host: yaml.safe_load(host_vars_text(changes).replace("!unsafe ", "")) for host, changes in hosts.items()}
    told = {host: (v["remediate_machine"], v["remediate_changes"]) for host, v in texts.items()}
    return told, sorted(host.host for host in plan.not_inspected)


def by_the_playbook(folder: Path) -> tuple[dict[str, Any], list[str]]:
    (found,) = LOOKUP.run([str(folder / RECORD)])

    def order(change: dict[str, Any]) -> tuple[bool, str, str]:
        return change.get("scope") != "defaults", change.get("pool", ""), change["attribute"]

    told = {host: (v["machine"], sorted(v["changes"], key=order)) for host, v in found["hosts"].items()}
    return told, found["not_known"]


@st.composite
def planned(draw: st.DrawFn, host: str) -> list[dict[str, Any]]:
    """Changes of one host, as plan.json has them: fixes, and the inverses of fixes."""
    changes = []
    for scope, pool, attribute in draw(st.lists(KEYS, min_size=1, max_size=3, unique_by=_identity)):
        clears = draw(st.booleans())
        changes.append({
            "host": host, "machine": f"{host}.example", "scope": scope, "attribute": attribute,
            "pool": "applicationPoolDefaults" if scope == "defaults" else pool, "expect": draw(VALUES[attribute]),
            "expect_source": draw(SOURCES), "set": None if clears else draw(VALUES[attribute]),
            "inherits": draw(VALUES[attribute]) if clears else None, "recycle": "now", "reason": "r",
        })  # fmt: skip
    return changes


def _identity(key: tuple[str, str, str]) -> tuple[str, ...]:
    scope, _, attribute = key
    return (scope, attribute) if scope == "defaults" else key


@st.composite
def told(draw: st.DrawFn, changes: list[dict[str, Any]]) -> dict[str, Any]:
    """What a server may answer: some of the changes, others, and now and then what has no shape."""
    answers = []
    for change in changes:
        if draw(st.booleans()):
            continue  # left out
        one = {key: change[key] for key in ("scope", "pool", "attribute", "set", "expect")}
        one["wanted"] = change["inherits"] if change["set"] is None else change["set"]
        one |= {"written": draw(st.booleans()), "verified": draw(st.booleans())}
        one["state"] = draw(st.sampled_from(["ok", "pending", "stale", "skipped"]))
        one |= draw(st.sampled_from([{}, {"found": None}, {"found": draw(VALUES[change["attribute"]])}]))
        one["found_source"] = draw(st.one_of(SOURCES, st.none()))
        answers.append(one)
    odd: list[dict[str, Any]] = [
        {}, {}, {}, {"changes": 5}, {"changes": ["x"]}, {"changes": None}, {"detail": ["x"]}, {"backup": 1},
        {"status": "fine"}, {"changes": [*answers, {"pool": ["a"], "attribute": 1}]},
    ]  # fmt: skip
    status = draw(st.sampled_from(["ok", "changed", "stale", "failed", "unreachable"]))
    answer: dict[str, Any] = {"status": status, "detail": "d", "backup": None, "machine": "m.example"}
    answer |= {"changes": answers} | draw(st.sampled_from(odd))
    return answer


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, Any]]:
    with_plan = draw(st.booleans())
    events: list[dict[str, Any]] = [
        {"event": "begin", "at": AT, "format": "remediate.record", "format_version": 1, "run": "r", "check": False,
         "plan_digest": "d" if with_plan else "", "hosts": list(HOSTS) if with_plan else [], "playbook": "fix.yml"},
    ]  # fmt: skip
    for host in HOSTS:
        changes = draw(planned(host))
        if not draw(st.integers(0, 4)):
            continue
        known = {"changes": changes} if with_plan else {"wanted": {"pools": "*"}}
        events.append({"event": "start", "at": AT, "host": host} | known)
        if draw(st.integers(0, 3)):
            events.append({"event": "host", "at": AT, "host": host} | draw(told(changes)))
    return events + [{"event": "end", "at": AT}] * draw(st.integers(0, 1))


@given(records())
def test_both_undo_the_same(events: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / RECORD).write_text("".join(json.dumps(event) + "\n" for event in events))
        try:
            expected = by_the_command(folder)
        except RemediateError:
            with pytest.raises(AnsibleError):
                by_the_playbook(folder)
            return
        assert by_the_playbook(folder) == expected


@pytest.mark.parametrize(
    ("scope", "source", "back"),
    [
        ("pool", "pool", {"pool": "Shop", "set": "00:20:00"}),
        ("pool", "defaults", {"pool": "Shop", "clear": True, "inherits": "00:20:00"}),
        ("pool", "schema", {"pool": "Shop", "clear": True, "inherits": "00:20:00"}),
        ("pool", "unknown", {"pool": "Shop", "set": "00:20:00"}),
        ("defaults", "defaults", {"scope": "defaults", "set": "00:20:00"}),
        ("defaults", "schema", {"scope": "defaults", "clear": True, "inherits": "00:20:00"}),
    ],
)
def test_what_was_inherited_is_cleared_again(tmp_path: Path, scope: str, source: str, back: dict[str, Any]) -> None:
    """A value that stood at the pool, or at the defaults, is set to what it was; an inherited one is not frozen."""
    pool, attribute = "Shop" if scope == "pool" else "applicationPoolDefaults", "processModel.idleTimeout"
    change = {
        "host": "web01", "machine": "WEB01", "scope": scope, "pool": pool, "attribute": attribute, "set": "00:00:00",
        "expect": "00:20:00", "expect_source": source, "recycle": "now", "reason": "r",
    }  # fmt: skip
    done = {
        "scope": scope, "pool": pool, "attribute": attribute, "set": "00:00:00", "expect": "00:20:00",
        "state": "pending", "found": "00:20:00", "found_source": source, "wanted": "00:00:00",
        "written": True, "verified": True,
    }  # fmt: skip
    begin = {
        "event": "begin", "at": AT, "format": "remediate.record", "format_version": 1, "run": "r", "check": False,
        "plan_digest": "d", "hosts": ["web01"], "playbook": "playbook.yml",
    }  # fmt: skip
    answer = {"status": "changed", "detail": None, "backup": None, "machine": "WEB01", "changes": [done]}
    events = [
        begin, {"event": "start", "at": AT, "host": "web01", "changes": [change]},
        {"event": "host", "at": AT, "host": "web01", **answer}, {"event": "end", "at": AT},
    ]  # fmt: skip
    (tmp_path / RECORD).write_text("".join(json.dumps(event) + "\n" for event in events))
    wanted = {"attribute": attribute, "expect": "00:00:00"} | back
    for hosts, _ in (by_the_command(tmp_path), by_the_playbook(tmp_path)):
        (undone,) = hosts["web01"][1]
        assert {key: value for key, value in undone.items() if key in {*wanted, "set", "clear"}} == wanted
