"""The same as scenarios.py, for changes of applicationPoolDefaults and for pools by pattern."""

from typing import Any

from remediate.collection import plugin_util
from tests.powershell.bench import Bench
from tests.powershell.scenarios import IDLE, SHOP, Scenario, change, only, refused, share, written

# Ansible's action plugin adds it to the answer.
INVERSE = plugin_util("inverse").inverse_of_result
AT_RISK = {"startMode": "AlwaysRunning", "processModel.idleTimeoutAction": "Terminate"}


def defaults(**others: Any) -> dict[str, Any]:
    return {"scope": "defaults", "attribute": IDLE, "expect": "00:20:00", "set": "00:30:00"} | others


def pattern(bench: Bench, *pools: str, **others: Any) -> Any:
    given: dict[str, Any] = {"attribute": IDLE, "set": "00:00:00", "given": AT_RISK, "pause": 0} | others
    return bench.module("app_pool_settings", pools=list(pools), **given)


def the_defaults_are_changed_and_given_back(bench: Bench) -> None:
    """Set, then by the inverse cleared again; a pool that inherits them is cleared to what they will be."""
    before = bench.config.read_bytes()
    result = bench.settings(defaults())
    assert (written(result), only(result)["pool"]) == ([True], "applicationPoolDefaults")
    undo = INVERSE(only(result))
    assert undo == {
        "scope": "defaults", "attribute": IDLE, "expect": "00:30:00", "clear": True, "inherits": "00:20:00",
    }  # fmt: skip
    assert written(bench.settings(undo)) == [True]
    assert bench.config.read_bytes() == before
    bench.settings(change())
    clear = change(set=None, clear=True, expect="00:00:00", inherits="00:30:00")
    assert written(bench.settings(defaults(), clear)) == [True, True]
    assert written(bench.settings(change(expect="00:30:00"))) == [True]
    gone = defaults(set=None, clear=True, expect="00:30:00")
    assert written(bench.settings(gone, clear | {"inherits": "00:20:00"})) == [True, True]
    assert bench.config.read_bytes() == before


def what_is_unclear_about_defaults_is_refused(bench: Bench) -> None:
    refused(bench, defaults(pool=SHOP), said="'scope: defaults' is about no pool")
    refused(bench, change(pool=None), said="give 'pool' or 'scope: defaults'")
    refused(bench, defaults(set=None), said="of applicationPoolDefaults")
    given = {"processModel.password": "x"}
    refused(bench, change(given=given), said="'processModel.password' is none of")


def a_time_that_means_nothing_is_told_what_it_could_mean(bench: Bench) -> None:
    for text, said in (
        ("20", "write 00:20:00 for 20 minutes"),
        ("20m", "write 00:20:00."),
        ("2 h", "write 02:00:00."),
        ("20:00", "as hh:mm it would be 20:00:00, as mm:ss 00:20:00"),
        ("soon", "write [d.]hh:mm:ss."),
        ("00:00:30", "in whole minutes"),
        ("31.00:00:00", "is out of the range"),
    ):
        refused(bench, change(set=text), said=said)
    wrong = change(attribute="startMode", expect="AlwaysRunning", set="Sometimes")
    refused(bench, wrong, said="'Sometimes' is not a value of startMode")


def pools_by_pattern_are_changed_where_all_is_as_given(bench: Bench) -> None:
    """One that is not as given stops all of them, or is skipped where that was asked for."""
    before = bench.config.read_bytes()
    result = pattern(bench, "*")
    assert result["failed"] and "not as given: DefaultAppPool: expected startMode AlwaysRunning" in result["msg"]
    assert (result["stale"], bench.config.read_bytes()) == (True, before)
    result = pattern(bench, "*", "Nobod?", on_mismatch="skip")
    assert [(c["pool"], c["state"]) for c in result["changes"] if c["state"] != "ok"] == [
        ("DefaultAppPool", "skipped"), (SHOP, "pending"),
    ]  # fmt: skip
    assert result["warnings"] == ["pools: no application pool matches 'Nobod?'"]
    assert written(bench.settings(INVERSE(result["changes"][1]))) == [True]
    assert bench.config.read_bytes() == before
    assert only(pattern(bench, "contoso ????", given=None))["written"] is True
    refused_result = bench.module("app_pool_settings", pools=[""], attribute=IDLE, set="00:00:00")
    assert "name at least one pool" in refused_result["msg"]


def a_pool_that_is_not_in_the_file_is_not_cleared(bench: Bench) -> None:
    """The API knows it, the file does not: what clearing would take away is not known."""
    code = """
        $snapshot = Open-IisSnapshot
        [void]$snapshot.PoolNodes.Remove($given.pool)
        $change = @{ scope = 'pool'; set = $null; clear = $true; inherits = $null; given = @{} } + $given
        (Compare-IisChange $snapshot $change @()).detail
    """
    asked = {"pool": SHOP, "attribute": IDLE, "expect": "00:20:00"}
    assert bench.code(code, **asked) == ["the pool does not stand in the file"]


def a_pattern_without_iis_is_no_failure(bench: Bench) -> None:
    """A server that has IIS, and not its API, is one: nobody knows what its pools are."""
    with bench.without_api():
        failed = pattern(bench, "*")
        bench.knobs(iis_version="none")
        result = pattern(bench, "*")
    assert failed["failed"] and "Web-Scripting-Tools" in failed["msg"]
    assert result["warnings"] == ["pools: there is no IIS on this server"]
    assert (result["changed"], result["changes"]) == (False, [])


def a_pattern_leaves_a_shared_configuration_alone(bench: Bench) -> None:
    """One edit changes every server of it, and a pattern named none of them."""
    shared = bench.windows / "Share" / "applicationHost.config"
    folder = share(bench)
    before = shared.read_bytes()
    result = pattern(bench, SHOP, on_mismatch="skip")
    assert f"shared configuration ({folder})" in result["warnings"][0]
    assert (result["changed"], result["changes"]) == (False, [])
    result = pattern(bench, SHOP)
    assert (result["failed"], result["stale"]) == (True, True)
    assert shared.read_bytes() == before
    assert only(pattern(bench, SHOP, allow_shared=True))["written"] is True
    assert shared.read_bytes() != before


def an_older_iis_meets_what_it_does_not_know(bench: Bench) -> None:
    """IIS 7.5 has no idleTimeoutAction: an idle worker is always ended there."""
    bench.config.write_text(bench.config.read_text().replace(' preloadEnabled="true"', ""))
    assert only(pattern(bench, SHOP))["written"] is True
    code = "(Expand-IisPattern (Open-IisSnapshot) $given)[0].expect"
    unknown = {"pools": ["*"], "attribute": "processModel.idleTimeoutAction", "set": "Terminate", "given": {}}
    assert bench.code(code, **unknown) == [""]


PATTERNS_ON_IIS_10: list[Scenario] = [
    the_defaults_are_changed_and_given_back,
    what_is_unclear_about_defaults_is_refused,
    a_time_that_means_nothing_is_told_what_it_could_mean,
    pools_by_pattern_are_changed_where_all_is_as_given,
    a_pool_that_is_not_in_the_file_is_not_cleared,
    a_pattern_without_iis_is_no_failure,
    a_pattern_leaves_a_shared_configuration_alone,
]
PATTERNS_ON_IIS_7_5: list[Scenario] = [an_older_iis_meets_what_it_does_not_know]
