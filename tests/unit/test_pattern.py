"""Pools by pattern: the playbooks change what a plan would change, and a pattern names pools as the scripts compare."""

import importlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.audit.summary import assemble
from remediate.collection import plugin_util
from remediate.iis.attributes import FIXES
from remediate.plan.planner import Choice, make_plan
from remediate.values.findings import DoubtKind, FixName
from remediate.values.fleet import Application, Inspection, Pool, Value
from tests.finder import find_collection
from tests.unit.values import host

NAMES = plugin_util("names")
SHARED: frozenset[DoubtKind] = frozenset({"shared"})
DORMANT: frozenset[DoubtKind] = frozenset({"stopped", "unmanaged", "unused"})
# None: this version of IIS does not know the attribute.
VALUES: dict[str, list[str | None]] = {
    "startMode": ["AlwaysRunning", "AlwaysRunning", "OnDemand", None],
    "processModel.idleTimeout": ["00:20:00", "1.00:00:00", "00:00:00"],
    "processModel.idleTimeoutAction": ["Terminate", "Suspend", None],
    "managedRuntimeVersion": ["v4.0", "v4.0", "", None],
}


def _choose() -> Any:
    find_collection()
    return importlib.import_module("ansible_collections.remediate.iis.plugins.plugin_utils.pattern").choose


@st.composite
def pools(draw: st.DrawFn) -> tuple[Pool, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from(["Shop", "SHOP", "Reports", "a/b", ""]), max_size=4)):
        drawn = {attribute: draw(st.sampled_from(values)) for attribute, values in VALUES.items()}
        attributes = {attribute: Value(text, "pool") for attribute, text in drawn.items() if text is not None}
        served = (Application("Site/"),) if draw(st.booleans()) else ()
        found.append(Pool(name, draw(st.sampled_from(["Started", "Stopped", "Unknown"])), attributes, served))
    return tuple(found)


def planned(inspection: Inspection, fix: FixName, allowed: frozenset[DoubtKind]) -> list[tuple[Any, ...]]:
    plan = make_plan(assemble((inspection,), "2026-01-01T00:00:00Z"), Choice(fix=fix, allowed=allowed), "")
    return sorted((c.pool, c.attribute, c.expect, c.set, sorted(c.given.items())) for c in plan.changes)


@given(
    found=pools(), fix=st.sampled_from(sorted(FIXES)), shared=st.sampled_from([None, r"\\\\share\\config"]),
    allow_shared=st.booleans(), allow_dormant=st.booleans(),
)  # fmt: skip
def test_a_pattern_changes_what_a_plan_would_change(
    found: tuple[Pool, ...], fix: FixName, shared: str | None, allow_shared: bool, allow_dormant: bool
) -> None:
    """The same pools, for the same fix and with the same doubts lifted; with the same values that must still hold."""
    inspection = host("web01", *found, shared_config=shared)
    allowed = (SHARED if allow_shared else frozenset()) | (DORMANT if allow_dormant else frozenset())
    answer = msgspec.to_builtins(inspection)
    wanted = FIXES[fix]
    chosen = _choose()(answer, ["*"], wanted.attribute, wanted.set, allow_shared, allow_dormant)
    changes = [c for c in chosen.changes if c["expect"] != c["set"]]
    assert sorted(
        (c["pool"], c["attribute"], c["expect"], c["set"], sorted(c["given"].items())) for c in changes
    ) == planned(inspection, fix, allowed)


@pytest.mark.parametrize(
    ("glob", "named", "others"),
    [
        ("Contoso*", ["contoso", "CONTOSO SHOP", "Contoso\n"], ["My Contoso", ""]),
        ("shop-?", ["Shop-1", "SHOP-\u00e9"], ["Shop-", "Shop-10"]),
        ("[ab].*", ["[AB].", "[ab].x"], ["a.x", "[ab]x"]),
        ("stra\u00dfe", ["STRA\u00dfE"], ["STRASSE"]),
        ("*", ["", "any"], []),
    ],
)
def test_a_glob_is_the_whole_name(glob: str, named: list[str], others: list[str]) -> None:
    assert [name for name in named if not NAMES.matches(glob, name)] == []
    assert [name for name in others if NAMES.matches(glob, name)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        {"pools": None}, {"pools": [{}]}, {"pools": ["Shop"]}, {"iis_version": "10.0", "pools": 5},
        {"pools": [{"name": 7, "state": "Started", "attributes": {}, "applications": []}]},
        {"pools": [{"name": "a", "state": "Started", "attributes": {"startMode": {"value": 1}}, "applications": []}]},
    ],
)  # fmt: skip
def test_an_odd_answer_is_no_choice(spoil: dict[str, Any]) -> None:
    """It comes from a server: it is refused, and nothing is made of it."""
    answer = msgspec.to_builtins(host("web01")) | spoil
    with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
        _choose()(answer, ["*"], "startMode", "OnDemand")
