"""Pools by pattern in a task of the module app_pool_settings."""

import pytest

from tests.conftest import Site, on_pwsh
from tests.integration.tasks import NEVER_IDLE, PERIODIC, change, iis, module, modules, names_and_states

pytestmark = [pytest.mark.parametrize("auth", ["ntlm"]), on_pwsh]


def test_a_pattern_becomes_changes(site: Site) -> None:
    """What is found is expected; with `skip` a pool that is not as given is left out, with `stale` it stops all."""
    before = site.config.read_bytes()
    refused = module(site, "app_pool_settings", NEVER_IDLE | {"pools": ["*"]})
    assert (refused["stale"], refused["changed"]) == (True, False)
    assert "not as given: DefaultAppPool: expected startMode AlwaysRunning, found OnDemand" in refused["msg"]
    skip = NEVER_IDLE | {"pools": ["*"], "on_mismatch": "skip"}
    dry = module(site, "app_pool_settings", skip, "--check", "--diff")
    assert names_and_states(dry) == {"DefaultAppPool": "skipped", "Contoso Shop": "pending", "Reports": "ok"}
    assert dry["changes"][0]["detail"] == "expected startMode AlwaysRunning, found OnDemand"
    assert dry["diff"]["prepared"] == "pool: Contoso Shop\n  processModel.idleTimeout: 00:20:00 -> 00:00:00\n"
    assert site.config.read_bytes() == before
    done = module(site, "app_pool_settings", skip | {"backup": "remediate-20260101T000000Z"})
    (one,) = [c for c in done["changes"] if c["written"]]
    assert (one["pool"], one["verified"], one["expect"]) == ("Contoso Shop", True, "00:20:00")
    assert one["undo"] == {
        "pool": "Contoso Shop", "attribute": "processModel.idleTimeout", "expect": "00:00:00",
        "clear": True, "inherits": "00:20:00",
    }  # fmt: skip
    after = before.replace(b':enc]" />', b':enc]" idleTimeout="00:00:00" />')
    assert site.config.read_bytes() == after
    backup = site.windows / "System32/inetsrv/backup/remediate-20260101T000000Z/applicationHost.config"
    assert backup.read_bytes() == before
    assert module(site, "app_pool_settings", skip)["changed"] is False
    assert module(site, "app_pool_settings", {"changes": [one["undo"]]})["changed"] is True
    assert site.config.read_bytes() == before


def test_a_pattern_leaves_a_shared_configuration_alone(site: Site) -> None:
    """One edit changes every server of it, and a pattern named none of them; both engines say so."""
    shared = site.folder / "share" / "applicationHost.config"
    shared.parent.mkdir()
    shared.write_bytes(before := site.config.read_bytes())
    redirection = f'<configuration><configurationRedirection enabled="true" path="{shared.parent}" /></configuration>'
    (site.windows / "System32/inetsrv/config/redirection.config").write_text(redirection)
    asked = {"pools": ["*"], "attribute": "startMode", "set": "OnDemand", "given": {"startMode": "AlwaysRunning"}}
    skipped, stale, allowed = modules(
        site, "app_pool_settings",
        [asked | {"on_mismatch": "skip"}, asked, asked | {"on_mismatch": "skip", "allow_shared": True}],
    )  # fmt: skip
    assert (skipped["changed"], skipped["changes"]) == (False, [])
    assert f"shared configuration ({shared.parent})" in str(skipped["warnings"])
    assert (stale["failed"], stale["stale"]) == (True, True)
    assert allowed["changed"]
    assert shared.read_bytes() == before.replace(b"AlwaysRunning", b"OnDemand")


def test_a_pattern_is_a_glob_and_no_more(site: Site) -> None:
    """No set in brackets, no regular expression, no part of a name; `?` is one character of any kind."""
    pools = "".join(f'<add name="{name}" />' for name in ("a.b", "axb", "A\U0001f600B", "$(x)", "a b"))
    site.edit('<add name="DefaultAppPool" />', pools)
    cases: list[tuple[list[str], list[str]]] = [
        (["A.B"], ["a.b"]),
        (["a?b"], ["a.b", "axb", "A\U0001f600B", "a b"]),
        (["a[x]b", "[a]xb", "a.+b", "x"], []),
        (["*shop", "$(*"], ["$(x)", "Contoso Shop"]),
        (["re*s", "REPORTS"], ["Reports"]),
    ]
    mode = {"attribute": "startMode", "set": "OnDemand"}
    results = modules(site, "app_pool_settings", [mode | {"pools": globs} for globs, _ in cases], "--check")
    for (globs, matched), result in zip(cases, results, strict=True):
        assert list(names_and_states(result)) == matched, globs
        unmet = [] if matched else [f"pools: no application pool matches '{glob}'" for glob in globs]
        assert result.get("warnings", []) == unmet
        assert result["failed"] is False


def test_what_an_old_iis_does_not_know_counts_as_met(site: Site) -> None:
    """Before 8.5 an idle worker is always ended: the pattern is meant for such a server too, a plan's change is not."""
    iis(site, "8.0")
    explicit = {"changes": [change(set="00:00:00", given=PERIODIC)]}
    stale, result = modules(site, "app_pool_settings", [explicit, NEVER_IDLE | {"pools": ["Contoso*"]}], "--check")
    assert (stale["stale"], "does not know processModel.idleTimeoutAction" in stale["msg"]) == (True, True)
    assert (result["changed"], names_and_states(result)) == (True, {"Contoso Shop": "pending"})


def test_no_iis_no_pools(site: Site) -> None:
    """A pattern for a whole fleet meets servers without IIS: nothing to do there, and said."""
    iis(site, "none")
    pattern, explicit = modules(
        site, "app_pool_settings", [NEVER_IDLE | {"pools": ["*"]}, {"changes": [change(set="00:00:00")]}]
    )
    assert (pattern["failed"], pattern["changed"], pattern["changes"]) == (False, False, [])
    assert pattern["warnings"] == ["pools: there is no IIS on this server"]
    assert explicit["failed"] is True and "IIS is not installed on this server" in explicit["msg"]
