"""The rules: which pools they name, how sure they are, and what makes them doubt."""

import pytest

from remediate.audit.rules import find
from remediate.iis.attributes import legal_name, seconds
from remediate.values.fleet import Pool
from tests.unit.values import host, pool, value


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, True),
        ({"startMode": "OnDemand"}, False),
        ({"processModel.idleTimeout": "00:00:00"}, False),
        ({"processModel.idleTimeout": "1.00:00:00"}, True),
        ({"processModel.idleTimeoutAction": "Suspend"}, False),
    ],
)
def test_the_condition(values: dict[str, str], found: bool) -> None:
    findings = find([host("web01", pool(values=values))])
    assert ("RM001" in [finding.rule for finding in findings]) is found


def test_a_server_before_85_always_terminates() -> None:
    """Where IIS does not know idleTimeoutAction, the worker ends when idle."""
    old = pool()
    del old.attributes["processModel.idleTimeoutAction"]
    assert [f.rule for f in find([host("web01", old)])] == ["RM001"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"processModel.idleTimeout": "00:00:00"}, True),
        ({"processModel.idleTimeoutAction": "Suspend"}, True),
        ({}, False),
        ({"startMode": "OnDemand", "processModel.idleTimeout": "00:00:00"}, False),
    ],
)
def test_recycle_is_a_note_until_it_is_asked_for(values: dict[str, str], found: bool) -> None:
    one = host("web01", pool(values=values))
    assert [f.level for f in find([one]) if f.rule == "RM002"] == ["note"] * found
    assert [(f.rule, f.level) for f in find([one], frozenset({"RM002"}))] == [("RM002", "finding")] * found


def test_defaults_at_risk() -> None:
    """Every new pool would have the fault; nothing is said of a pool."""
    risky = {"startMode": value("AlwaysRunning", "defaults"), "processModel.idleTimeout": value("00:20:00", "schema")}
    (note,) = find([host("web01", defaults=risky)])
    assert (note.rule, note.level, note.scope) == ("RM004", "note", "defaults")
    assert find([host("web01", defaults=risky | {"processModel.idleTimeout": value("00:00:00", "defaults")})]) == ()


@pytest.mark.parametrize(
    ("one", "module", "grade"),
    [
        (pool(), True, "likely"),
        (pool(), False, "possible"),
        (pool(preload="false"), True, "possible"),
        (pool(values={"managedRuntimeVersion": ""}), True, "possible"),
    ],
)
def test_grades(one: Pool, module: bool, grade: str) -> None:
    (finding,) = find([host("web01", one, appinit_module=module)])
    assert finding.grade == grade
    assert all(finding.reasons)


@pytest.mark.parametrize(
    ("one", "settings", "doubt"),
    [
        (pool(state="Stopped"), {}, "stopped"),
        (pool(values={"managedRuntimeVersion": ""}), {}, "managed"),
        (pool(applications=0), {}, "no application"),
        (pool("a|b"), {}, "characters"),
        (pool(), {"shared_config": r"\\share\iis"}, "shared configuration"),
    ],
)
def test_doubts(one: Pool, settings: dict[str, str], doubt: str) -> None:
    (finding,) = find([host("web01", one, **settings)])
    assert [one.text for one in finding.doubts if doubt in one.text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00:20:00", 1200), ("29:00:00", 104400), ("1.05:00:00", 104400), ("00:00:00", 0), ("30.00:00:00", 2592000)],
)
def test_time_spans(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["20", "20m", "00:20", "-00:20:00", "00:60:00", "", "1:2:3:4", "00:20:00x"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time span"):
        seconds(text)


def test_legal_names() -> None:
    """What the API refuses is not legal. All else is, also what output must spell out."""
    nasty = (
        "{{ inventory_hostname }}", "{% raw %}", "$(calc)", "a'b`n", "%PATH%", "Ünï", "yes", "007", "- x", "#x",
        "!unsafe x", " a", "a\u3000b", "a\u00a0b", "a\u00adb", "a\tb", "a\nb",
    )  # fmt: skip
    assert [name for name in nasty if not legal_name(name)] == []
    assert [name for name in ("", *(f"a{c}" for c in '\\/"|<>:*?][+=;,@&')) if legal_name(name)] == []
