"""The collection's modules by hand, as a playbook of somebody else would use them."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediate_lab.applicationhost import CANARY
from remediate_lab.pwsh import find_pwsh
from tests.conftest import Site, on_pwsh, remediate, run

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.parametrize("auth", ["ntlm"]), on_pwsh]


def modules(site: Site, name: str, each: Sequence[dict[str, Any]], *options: str) -> list[Any]:
    """The module's results, one task after the other, by plain `ansible-playbook`."""
    tasks: list[dict[str, Any]] = [
        {f"remediate.iis.{name}": arguments, "register": f"result{n}", "ignore_errors": True}
        for n, arguments in enumerate(each)
    ]
    results, said = site.folder / "playbook.yml", site.folder / "results.json"
    content = "{{ [" + ", ".join(f"result{n}" for n in range(len(each))) + "] | to_json }}"
    tell = {"content": content, "dest": str(said), "mode": "0600"}
    tasks.append({"ansible.builtin.copy": tell, "delegate_to": "localhost", "check_mode": False})
    results.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    collections = site.folder / "collections"
    if not collections.exists():
        collections.symlink_to(ROOT / "playbooks" / "collections")
    run(Path(sys.prefix) / "bin" / "ansible-playbook", "-i", site.inventory, results, *options, expect=0)
    return [{"failed": False} | result for result in json.loads(said.read_text())]


def module(site: Site, name: str, arguments: dict[str, Any], *options: str) -> Any:
    """The result of one task."""
    (result,) = modules(site, name, [arguments], *options)
    return result


def iis(site: Site, version: str) -> None:
    """Give the server another version of IIS, or `none`."""
    site.knobs(iis_version=version)
    dll = site.windows / "System32" / "inetsrv" / "Microsoft.Web.Administration.dll"
    dll.unlink()
    pwsh = find_pwsh()
    if version != "none" and pwsh is not None:
        build = ROOT / "lab" / "remediate_lab" / "windows" / "build.ps1"
        run(pwsh, "-NoProfile", "-File", build, "-OutputPath", dll, "-FileVersion", f"{version}.0.1", expect=0)


def change(**others: Any) -> dict[str, Any]:
    return {"pool": "Contoso Shop", "attribute": "processModel.idleTimeout", "expect": "00:20:00"} | others


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


def names_and_states(result: Any) -> dict[str, str]:
    return {c["pool"]: c["state"] for c in result["changes"]}


PERIODIC = {"startMode": "AlwaysRunning", "processModel.idleTimeoutAction": "Terminate"}
NEVER_IDLE = {"attribute": "processModel.idleTimeout", "set": "00:00:00", "given": PERIODIC}


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
