"""The collection's modules by hand, as a playbook of somebody else would use them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate_lab.applicationhost import CANARY
from tests.conftest import Site, on_pwsh, remediate, run
from tests.integration.tasks import NEVER_IDLE, ROOT, change, module, modules, names_and_states

pytestmark = [pytest.mark.parametrize("auth", ["ntlm"]), on_pwsh]


def test_info_reads_what_an_audit_reads(site: Site) -> None:
    info = module(site, "app_pool_info", {}, "--check")["inspection"]
    (host,) = json.loads(remediate("audit", "-i", site.inventory, "--format", "json").stdout)["hosts"]
    assert info["machine"] == host["machine"] == f"{site.name.upper()}.lab.example"
    assert [pool["name"] for pool in info["pools"]] == [pool["name"] for pool in host["pools"]]
    for mine, theirs in zip(info["pools"], host["pools"], strict=True):
        for name, value in mine["attributes"].items():
            assert value == {key: theirs["attributes"][name][key] for key in ("value", "source")}


NO_TIME = {
    "20": "'20' is not a time span: .NET would read 20 days; write 00:20:00 for 20 minutes",
    "20m": "'20m' is not a time span: write 00:20:00",
    "20min": "'20min' is not a time span: write 00:20:00",
    "2h": "'2h' is not a time span: write 02:00:00",
    "90s": "'90s' is not a time span: write 00:01:30",
    "00:20": "'00:20' is not a time span: as hh:mm it would be 00:20:00, as mm:ss 00:00:20; write which",
    "soon": "'soon' is not a time span: write [d.]hh:mm:ss",
}
RANGE = "is out of the range of processModel.idleTimeout: 00:00:00 to 30.00:00:00, in whole minutes"


def test_what_means_nothing_is_refused(site: Site) -> None:
    """A time span means one thing, or is refused with what it would have meant; a change says what it is about."""
    before = site.config.read_bytes()
    about_defaults = {"scope": "defaults", "attribute": "startMode", "expect": "OnDemand", "set": "AlwaysRunning"}
    no_pool = {key: value for key, value in change(set="00:00:00").items() if key != "pool"}
    pattern = {"pools": ["*"], "attribute": "startMode", "set": "OnDemand"}
    cases: list[tuple[dict[str, Any], str]] = [
        *(({"changes": [change(set=text)]}, words) for text, words in NO_TIME.items()),
        ({"pools": ["*"], "attribute": "processModel.idleTimeout", "set": "20"}, NO_TIME["20"]),
        ({"changes": [change(set="00:00:00", expect="20m")]}, NO_TIME["20m"]),
        ({"changes": [change(set="00:00:30")]}, f"'00:00:30' {RANGE}"),
        ({"changes": [change(set="30.00:01:00")]}, f"'30.00:01:00' {RANGE}"),
        ({"changes": [change()]}, "either 'set' or 'clear: true'"),
        ({"changes": [change(set="00:00:00", clear=True)]}, "either 'set' or 'clear: true'"),
        ({"changes": [change(set="00:00:00", given={"startMode": "Sometimes"})]}, "'Sometimes' is not a value of"),
        ({"changes": [no_pool]}, "give 'pool' or 'scope: defaults' for processModel.idleTimeout"),
        ({"changes": [about_defaults | {"pool": "Contoso Shop"}]}, "leave out 'pool: Contoso Shop'"),
        (pattern | {"set": "Sometimes"}, "'Sometimes' is not a value of startMode"),
        (pattern | {"pools": []}, "pools: name at least one pool"),
        (pattern | {"changes": [change(set="00:00:00")]}, "mutually exclusive: changes, pools"),
        ({"pools": ["*"]}, "required together: pools, attribute, set"),
        ({}, "one of the following is required: changes, pools"),
    ]
    results = modules(site, "app_pool_settings", [arguments for arguments, _ in cases])
    for (arguments, said), result in zip(cases, results, strict=True):
        assert result["failed"], arguments
        assert said in result["msg"]
    assert site.config.read_bytes() == before


def test_a_day_is_a_day(site: Site) -> None:
    result = module(site, "app_pool_settings", {"changes": [change(set="1.00:00:00")]})
    assert result["changes"][0]["wanted"] == "1.00:00:00"
    assert b'idleTimeout="1.00:00:00"' in site.config.read_bytes()
    hours = module(site, "app_pool_settings", {"changes": [change(expect="1.00:00:00", set="24:00:00")]})
    assert (hours["changed"], hours["changes"][0]["state"]) == (False, "ok")


def test_no_password_is_compared(site: Site) -> None:
    """What was found is told: so only what an audit reads can be asked for."""
    for arguments in (
        {"changes": [change(set="00:00:00", given={"processModel.password": "x"})]},
        {"pools": ["*"], "attribute": "startMode", "set": "OnDemand", "given": {"processModel.password": "x"}},
    ):
        result = module(site, "app_pool_settings", arguments)
        assert result["failed"]
        assert "given: 'processModel.password' is none of startMode, autoStart," in result["msg"]
        assert CANARY not in json.dumps(result)


def test_a_choice_in_another_case_is_that_choice(site: Site) -> None:
    """Ansible takes a choice in any case: `scope: Defaults` is about the defaults, never about the pool named."""
    before = site.config.read_bytes()
    mode = {"expect": "OnDemand", "set": "AlwaysRunning"}
    both = {"scope": "Defaults", "pool": "Contoso Shop", "attribute": "startMode", "expect": "AlwaysRunning"}
    results = modules(site, "app_pool_settings", [
        {"changes": [both | {"set": "OnDemand"}]},
        {"changes": [{"scope": "DEFAULTS", "attribute": "STARTMODE", **mode}]},
        NEVER_IDLE | {"pools": ["*"], "attribute": "processmodel.IDLETIMEOUT", "on_mismatch": "Skip"},
        {"changes": [{"scope": "everything", "attribute": "startMode", **mode}]},
    ], "--check")  # fmt: skip
    refused, defaults, pattern, unknown = results
    assert refused["failed"] and "'scope: defaults' is about no pool" in refused["msg"]
    (one,) = defaults["changes"]
    assert (one["scope"], one["pool"], one["attribute"]) == ("defaults", "applicationPoolDefaults", "startMode")
    assert (one["state"], one["undo"]["scope"]) == ("pending", "defaults")
    assert names_and_states(pattern)["DefaultAppPool"] == "skipped"
    assert unknown["failed"] and "value of scope must be one of: pool, defaults" in unknown["msg"]
    module(site, "app_pool_settings", {"changes": [both | {"set": "OnDemand"}]})
    assert site.config.read_bytes() == before


def test_a_condition_named_like_a_dictionarys_member_is_refused(site: Site) -> None:
    """It may not hide the other conditions: they would not be compared, and the change be written."""
    before = site.config.read_bytes()
    cases: list[tuple[str, dict[str, Any]]] = []
    for name in ("Keys", "Values", "Count"):
        given = {name: ["startMode"], "startMode": "OnDemand"}
        cases.append((name, {"changes": [change(set="00:00:00", given=given)]}))
        cases.append((name, {"pools": ["Contoso*"], "attribute": "startMode", "set": "OnDemand", "given": given}))
    results = modules(site, "app_pool_settings", [arguments for _, arguments in cases])
    for (name, _), result in zip(cases, results, strict=True):
        assert result["failed"] and f"given: '{name}' is none of startMode" in result["msg"], result
    assert site.config.read_bytes() == before


def test_the_defaults_are_changed_and_undone(site: Site) -> None:
    """Set where nothing stood, set where something stood: the answer's own undo brings back every byte."""
    settings: dict[str, Any] = {"scope": "defaults", "attribute": "startMode", "given": {"autoStart": "true"}}
    for before, source in (("OnDemand", "schema"), ("AlwaysRunning", "defaults")):
        at_first = site.config.read_bytes()
        wanted = "AlwaysRunning" if before == "OnDemand" else "OnDemand"
        arguments = {"changes": [settings | {"expect": before, "set": wanted}]}
        dry = module(site, "app_pool_settings", arguments, "--check", "--diff")
        assert site.config.read_bytes() == at_first
        done = module(site, "app_pool_settings", arguments)
        (one,) = done["changes"]
        assert (one["scope"], one["pool"]) == ("defaults", "applicationPoolDefaults")
        assert (one["found"], one["found_source"], one["written"], one["verified"]) == (before, source, True, True)
        inverse = {"clear": True, "inherits": before} if source == "schema" else {"set": before}
        assert one["undo"] == {"scope": "defaults", "attribute": "startMode", "expect": wanted} | inverse
        assert dry["changes"][0]["undo"] == one["undo"]
        assert module(site, "app_pool_settings", arguments)["changes"][0]["undo"] is None
        assert module(site, "app_pool_settings", {"changes": [one["undo"]]})["changed"] is True
        assert site.config.read_bytes() == at_first
        if source == "schema":
            old = '<applicationPoolDefaults managedRuntimeVersion="v4.0"'
            site.edit(old, f'{old} startMode="AlwaysRunning"')


def test_the_defaults_can_be_stale(site: Site) -> None:
    before = site.config.read_bytes()
    defaults = {"scope": "defaults", "attribute": "startMode", "set": "AlwaysRunning"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"expect": "AlwaysRunning", "set": "OnDemand"}, ""),
        ({"expect": "OnDemand", "given": {"autoStart": "false"}}, "expected autoStart false, found true"),
        ({"attribute": "processModel.idleTimeout", "expect": "00:10:00", "set": "00:05:00"}, "found 00:20:00"),
    ]
    results = modules(site, "app_pool_settings", [{"changes": [defaults | wrong]} for wrong, _ in cases])
    for (_, said), result in zip(cases, results, strict=True):
        assert result["failed"] is bool(said), result
        assert said in (result["changes"][0]["detail"] or "")
    assert site.config.read_bytes() == before


def test_a_pool_may_be_called_like_the_defaults(site: Site) -> None:
    """The scope tells them apart, in the comparison, in the write and in the diff."""
    site.edit('<add name="DefaultAppPool" />', '<add name="applicationPoolDefaults" startMode="AlwaysRunning" />')
    before = site.config.read_text()
    mode = {"attribute": "startMode", "given": {}}
    pool = mode | {"pool": "applicationPoolDefaults", "expect": "AlwaysRunning", "set": "OnDemand"}
    defaults = mode | {"scope": "defaults", "expect": "OnDemand", "set": "AlwaysRunning"}
    both = {"changes": [pool, defaults], "pools_per_commit": 1, "pause": 0}
    dry = module(site, "app_pool_settings", both, "--check", "--diff")
    assert dry["diff"]["prepared"].splitlines() == [
        "pool: applicationPoolDefaults", "  startMode: AlwaysRunning -> OnDemand",
        "applicationPoolDefaults", "  startMode: OnDemand -> AlwaysRunning",
    ]  # fmt: skip
    done = module(site, "app_pool_settings", both)
    assert [(c["scope"], c["written"], c["verified"]) for c in done["changes"]] == [
        ("pool", True, True), ("defaults", True, True),
    ]  # fmt: skip
    after = site.config.read_text()
    assert '<add name="applicationPoolDefaults" startMode="OnDemand" />' in after
    assert 'managedRuntimeVersion="v4.0" startMode="AlwaysRunning"' in after
    undone = module(site, "app_pool_settings", {"changes": [c["undo"] for c in done["changes"]]})
    assert (undone["changed"], site.config.read_text()) == (True, before)


def test_a_pool_inherits_again_what_the_same_task_brings_back(site: Site) -> None:
    """The undo of a change of the defaults and of a pool that inherited them, in commits of one pool each."""
    site.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="00:07:00" />')
    before = site.config.read_bytes()
    idle = {"attribute": "processModel.idleTimeout", "expect": "00:07:00"}
    pace = {"pools_per_commit": 1, "pause": 0}
    first = module(site, "app_pool_settings", {"changes": [change(expect="00:07:00", set="00:00:00")]})
    second = module(site, "app_pool_settings", {"changes": [idle | {"scope": "defaults", "set": "00:30:00"}]})
    undo = [one["undo"] for done in (first, second) for one in done["changes"]]
    assert [u.get("inherits") for u in undo] == ["00:07:00", None]
    done = module(site, "app_pool_settings", {"changes": undo} | pace)
    assert [(c["written"], c["verified"]) for c in done["changes"]] == [(True, True)] * 2, done
    assert site.config.read_bytes() == before


def test_iis_without_its_api_is_no_server_without_iis(site: Site) -> None:
    """Nobody knows what its pools are: a failure, that says what to install."""
    site.knobs(management_tools="absent")
    (site.windows / "System32/inetsrv/Microsoft.Web.Administration.dll").unlink(missing_ok=True)
    pattern, explicit = modules(
        site, "app_pool_settings", [NEVER_IDLE | {"pools": ["*"]}, {"changes": [change(set="00:00:00")]}]
    )
    for result in (pattern, explicit):
        assert result["failed"] is True and "Web-Scripting-Tools" in result["msg"]


def test_one_stale_change_and_nothing_is_written(site: Site) -> None:
    before = site.config.read_bytes()
    good, bad = change(set="00:00:00"), change(set="00:00:00", pool="Nobody")
    result = module(site, "app_pool_settings", {"changes": [good, bad]})
    assert (result["stale"], result["changed"]) == (True, False)
    assert [c["state"] for c in result["changes"]] == ["pending", "stale"]
    assert site.config.read_bytes() == before


def test_clearing_twice_is_safe(site: Site) -> None:
    """Whatever the API says of inheritance: what does not stand in the file is cleared already."""
    site.knobs(inherited_from_defaults="false")
    site.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="00:07:00" />')
    defaults = site.config.read_bytes()
    module(site, "app_pool_settings", {"changes": [change(expect="00:07:00", set="00:00:00")]})
    clear = change(expect="00:00:00", clear=True, inherits="00:07:00")
    assert module(site, "app_pool_settings", {"changes": [clear]})["changed"] is True
    assert site.config.read_bytes() == defaults
    assert module(site, "app_pool_settings", {"changes": [clear]})["changed"] is False
    wrong = module(site, "app_pool_settings", {"changes": [change(expect="00:07:00", set="00:00:00")]})
    assert wrong["changed"] is True
    stale = module(site, "app_pool_settings", {"changes": [clear | {"inherits": "00:30:00"}]})
    assert (stale["stale"], stale["changes"][0]["detail"]) == (True, "clearing it would give 00:07:00, not 00:30:00")


# The second is of no run: a line's end stands behind it. The third has digits that are none of a time of ours.
NOT_OURS = ("remediate-golden", "remediate-20250101T000000Z\n", "remediate-2025\u0660101T000000Z")


def test_five_backups_are_kept(site: Site) -> None:
    """The oldest go, but only those that a run of ours made."""
    root = site.windows / "System32/inetsrv/backup"
    for name in (*NOT_OURS, "mine"):
        (root / name).mkdir(parents=True)
    for number in range(7):
        wanted, expected = ("00:00:00", "00:20:00") if number % 2 == 0 else ("00:20:00", "00:00:00")
        arguments = {"changes": [change(set=wanted, expect=expected)], "backup": f"remediate-20260101T00000{number}Z"}
        assert module(site, "app_pool_settings", arguments)["backup"] == arguments["backup"]
    kept = sorted(path.name for path in root.iterdir())
    assert set(kept) == {"mine", *NOT_OURS, *(f"remediate-20260101T00000{number}Z" for number in range(2, 7))}


def test_arguments_that_would_harm_are_refused(site: Site) -> None:
    """A backup's name is a folder's on the server, and no pools per commit would never end; both engines say so."""
    before = site.config.read_bytes()
    for wrong, said in (
        ({"backup": "../by-hand"}, "backup: '../by-hand'"),
        ({"backup": "remediate-x\n"}, "letters, digits and dashes"),
        ({"pools_per_commit": 0}, "must be 1"),
    ):
        result = module(site, "app_pool_settings", {"changes": [change(set="00:00:00")], **wrong})
        assert result["failed"] and said in result["msg"]
    assert site.config.read_bytes() == before


@pytest.mark.parametrize("name", ["app_pool_info", "app_pool_settings"])
def test_the_examples_run(site: Site, name: str) -> None:
    """What `ansible-doc` shows can be copied into a playbook as it stands."""
    bin, path = Path(sys.prefix) / "bin", {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections")}
    shown = json.loads(run(bin / "ansible-doc", "-t", "module", "-j", f"remediate.iis.{name}", expect=0, **path).stdout)
    tasks = yaml.safe_load(shown[f"remediate.iis.{name}"]["examples"])
    # One of the examples is about defaults by which every pool is always running.
    old = '<applicationPoolDefaults managedRuntimeVersion="v4.0"'
    site.edit(old, f'{old} startMode="AlwaysRunning"')
    before = site.config.read_bytes()
    playbook = site.folder / "examples.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = run(bin / "ansible-playbook", "-i", site.inventory, playbook, "--check", expect=0, **path)
    if name == "app_pool_settings":
        assert f"changed={len(tasks)} " in done.stdout, "each example has something to do on this server"
    assert site.config.read_bytes() == before
