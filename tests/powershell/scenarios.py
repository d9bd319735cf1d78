"""What the scripts must do on a server, one function for each promise.

Each takes a bench and asserts; it does not know whether the scripts on it are the shipped ones, or a copy with a
mistake put in. So an assertion that guards the shipped scripts is the very one that a planted mistake must break.
"""

import json
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.conftest import wait_for
from tests.powershell.bench import CONFIG, Bench

Scenario = Callable[[Bench], None]

SHOP = "Contoso Shop"
IDLE = "processModel.idleTimeout"


def change(**others: Any) -> dict[str, Any]:
    return {"pool": SHOP, "attribute": IDLE, "expect": "00:20:00", "set": "00:00:00"} | others


def only(result: Any) -> Any:
    """The single change of a result."""
    (single,) = result["changes"]
    return single


def written(result: Any) -> list[bool]:
    return [c["written"] and c["verified"] for c in result["changes"]]


def refused(bench: Bench, *changes: dict[str, Any], said: str, **arguments: Any) -> Any:
    """The module fails with that text, and the file is what it was."""
    before = bench.config.read_bytes()
    result = bench.settings(*changes, **arguments)
    assert result.get("failed"), result
    assert said in result["msg"], result["msg"]
    assert bench.config.read_bytes() == before
    return result


def not_written(bench: Bench, said: str, stale: bool, **options: Any) -> None:
    """Refused, and each change is told with the word that it was not written."""
    result = refused(bench, change(), said=said, **options)
    assert (result["stale"], result["changed"]) == (stale, False)
    assert [(c["pool"], c["written"]) for c in result["changes"]] == [(SHOP, False)]


def pool(inspection: Any, name: str) -> Any:
    (found,) = [p for p in inspection["pools"] if p["name"] == name]
    return found


def share(bench: Bench, enabled: bool = True) -> str:
    """Put the configuration on a share, as IIS's shared configuration does."""
    folder = bench.windows / "Share"
    folder.mkdir()
    (folder / "applicationHost.config").write_bytes(bench.config.read_bytes())
    (bench.windows / CONFIG / "redirection.config").write_text(
        f'<configuration><configurationRedirection enabled="{str(enabled).lower()}" path="{folder}" /></configuration>'
    )
    return str(folder)


# Reading


def the_inspection_and_the_module_read_the_same(bench: Bench) -> None:
    """Every pool, its settings and applications, with where each value came from."""
    inspection = bench.inspect()
    assert [p["name"] for p in inspection["pools"]] == ["DefaultAppPool", SHOP, "Reports"]
    shop, reports = pool(inspection, SHOP), pool(inspection, "Reports")
    assert shop["attributes"]["startMode"] == {"value": "AlwaysRunning", "source": "pool"}
    assert shop["attributes"][IDLE] == {"value": "00:20:00", "source": "schema"}
    assert shop["attributes"]["managedRuntimeVersion"] == {"value": "v4.0", "source": "defaults"}
    assert "Time, Requests, Schedule" in shop["attributes"]["recycling.logEventOnRecycle"]["value"]
    assert reports["attributes"][IDLE] == {"value": "00:00:00", "source": "pool"}
    assert reports["attributes"]["autoStart"] == {"value": "true", "source": "pool"}
    assert inspection["appinit_module"] is True
    # Texts, where a date or an enum would be spelt otherwise by each version of ConvertTo-Json.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", inspection["clock"])
    assert shop["state"] == "Started"
    module = bench.module("app_pool_info")["inspection"]
    assert {**module, "clock": None} == {**inspection, "clock": None}


def an_enum_has_its_own_name(bench: Bench) -> None:
    """The API hands out numbers; the name is that of the number, whatever the number is."""
    for name in ("LocalSystem", "NetworkService", "ApplicationPoolIdentity"):
        bench.fresh()
        bench.edit('identityType="SpecificUser"', f'identityType="{name}"')
        assert pool(bench.info(), SHOP)["attributes"]["processModel.identityType"]["value"] == name


def one_of_a_kind_is_a_list_of_one(bench: Bench) -> None:
    """A server with one pool, and that with one application: both are lists, as with many."""
    for name in ("DefaultAppPool", "Reports"):
        text = bench.config.read_text()
        begin = text.index(f'<add name="{name}"')
        end = text.index("/>", begin) + 2 if name == "DefaultAppPool" else text.index("</add>", begin) + 6
        bench.config.write_text(text[:begin] + text[end:])
    pools = bench.inspect()["pools"]
    assert isinstance(pools, list), f"pools is no list: {type(pools).__name__}"
    assert [p["name"] for p in pools] == [SHOP]
    assert pools[0]["applications"] == [
        {"path": "Default Web Site/shop", "site": 1, "preloadEnabled": {"value": "true", "source": "application"}}
    ]


def no_pool_is_an_empty_list(bench: Bench) -> None:
    text = bench.config.read_text()
    begin, end = text.index("<applicationPools>"), text.index("</applicationPools>")
    bench.config.write_text(text[:begin] + "<applicationPools>" + text[end:])
    assert bench.info()["pools"] == []


def inheritance_has_its_source(bench: Bench) -> None:
    """A site's defaults, the pools' defaults, all sites' defaults: the file tells, whatever the API says of a value."""
    for said in ("false", "true"):
        bench.fresh(inherited_from_defaults=said, sites_defaults="wide")
        _inheritance(bench)


def _inheritance(bench: Bench) -> None:
    bench.edit("</site>", '<applicationDefaults preloadEnabled="true" /></site>')
    bench.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="1.02:00:00" />')
    seen = bench.info()
    assert pool(seen, SHOP)["attributes"][IDLE] == {"value": "1.02:00:00", "source": "defaults"}
    assert seen["defaults"][IDLE] == {"value": "1.02:00:00", "source": "defaults"}
    (root,) = pool(seen, "DefaultAppPool")["applications"]
    assert root["preloadEnabled"] == {"value": "true", "source": "site"}
    bench.edit('<applicationDefaults preloadEnabled="true" /></site>', "</site>")
    bench.edit(
        '<applicationDefaults applicationPool="DefaultAppPool" />', '<applicationDefaults preloadEnabled="true" />'
    )
    (root,) = pool(bench.info(), "DefaultAppPool")["applications"]
    assert root["preloadEnabled"] == {"value": "true", "source": "defaults"}


def a_server_without_a_domain_or_without_iis(bench: Bench) -> None:
    """IIS is there by its service or by its key in the registry, one is enough; without both there is none."""
    bench.knobs(domain="")
    assert bench.inspect()["machine"] == "WEB01"
    for sign in ("service", "key"):
        bench.knobs(iis_signs=sign)
        assert bench.info()["iis_version"] == "10.0", sign
    bench.knobs(iis_version="none")
    seen = bench.inspect()
    assert (seen["iis_version"], seen["pools"]) == (None, [])
    with bench.without_api():
        assert bench.info()["pools"] == []
        refused(bench, change(), said="IIS is not installed on this server")


def iis_without_its_api_is_a_failure(bench: Bench) -> None:
    """And never a server without IIS: it would pass for a healthy one. What to install is named."""
    with bench.without_api():
        said = [bench.inspect()["error"]["message"], bench.module("app_pool_info")["msg"]]
        said.append(refused(bench, change(), said="could not be compared")["msg"])
        for sign in ("service", "key"):
            bench.knobs(iis_signs=sign)
            said.append(bench.module("app_pool_info")["msg"])
    for words in said:
        assert "Web-Scripting-Tools" in words and "Microsoft.Web.Administration.dll is missing" in words, words


def another_api_of_that_name_is_refused(bench: Bench) -> None:
    """That of IIS Express, by its version or its folder, which was loaded first: it would write the user's own file."""
    before = bench.config.read_bytes()
    dll = bench.windows / "System32/inetsrv/Microsoft.Web.Administration.dll"
    express = bench.windows / "IIS Express"
    express.mkdir()
    made = express / "Microsoft.Web.Administration.dll"
    for version in ("7.9.0.0", "7.0.0.0"):
        if version == "7.0.0.0":
            shutil.copy(dll.resolve(), made)
        else:
            bench.build(made, "-FileVersion", "10.0.1.1", "-AssemblyVersion", version)
        bench.close()
        said = bench.trouble("Add-Type -Path $given.dll; New-IisManager", dll=str(made))
        assert f"not that of IIS: version {version} from {express}. Is it that of IIS Express?" in said
        result = bench.settings(change())
        assert result["failed"] and "Is it that of IIS Express?" in result["msg"]
    bench.close()
    assert bench.config.read_bytes() == before


def a_share_on_a_drive_that_powershell_does_not_know(bench: Bench) -> None:
    """A mapped drive is one of Windows; the path is put together without asking PowerShell's own drives."""
    folder = bench.windows / "Z:\\share"
    folder.mkdir()
    (folder / "applicationHost.config").write_bytes(bench.config.read_bytes())
    (bench.windows / CONFIG / "redirection.config").write_text(
        '<configuration><configurationRedirection enabled="true" path="Z:\\share" /></configuration>'
    )
    assert bench.info()["shared_config"] == "Z:\\share"
    assert written(bench.settings(change())) == [True]
    assert (folder / "applicationHost.config").read_bytes().count(b'idleTimeout="00:00:00"') == 2


def what_cannot_be_read_is_an_error(bench: Bench) -> None:
    """Never a server without pools."""
    bench.knobs(deny_read="true")
    error = bench.inspect()["error"]
    assert (error["type"], error["hresult"]) == ("System.UnauthorizedAccessException", "0x80070005")
    result = bench.module("app_pool_info")
    assert result["failed"] and "the configuration could not be read" in result["msg"]
    refused(bench, change(), said="could not be compared with the configuration")
    bench.fresh()
    bench.config.write_text("<configuration><system.applicationHost>")
    assert "pools" not in (seen := bench.inspect()) and seen["error"]["message"]
    refused(bench, change(), said="could not be compared with the configuration")
    # So far into the file the stand-in does not look for an encoding: one of the two witnesses takes it, the other not.
    bench.fresh()
    bench.edit('encoding="UTF-8"', " " * 2000 + 'encoding="bogus"')
    assert bench.inspect()["error"]["message"]
    refused(bench, change(), said="could not be compared with the configuration")


def a_shared_configuration_is_read_and_backed_up_where_it_is(bench: Bench) -> None:
    folder = share(bench)
    assert bench.info()["shared_config"] == folder
    result = bench.settings(change(), backup="remediate-20260101T000000Z")
    assert written(result) == [True]
    copy = bench.windows / "System32/inetsrv/backup/remediate-20260101T000000Z/applicationHost.config"
    assert copy.read_bytes() == bench.config.read_bytes()
    assert copy.read_bytes() != (bench.windows / "Share" / "applicationHost.config").read_bytes()


def what_the_api_hands_out_is_spelt_in_one_way(bench: Bench) -> None:
    """As the type's object, as its text, or as its number; what is none of them is refused."""
    given = [
        ("timeSpan", "[TimeSpan]'1.02:00:00'", "1.02:00:00"),
        ("timeSpan", "'26:00:00'", "1.02:00:00"),
        ("timeSpan", "[uint64]12000000000", "00:20:00"),
        ("bool", "$true", "true"),
        ("bool", "0", "false"),
        ("flags", "'Time, Memory'", "Time, Memory"),
        ("flags", "5", "Time, Memory"),
        ("flags", "0", ""),
        ("enum", "'alwaysrunning'", "AlwaysRunning"),
        ("enum", "1", "AlwaysRunning"),
        ("string", "'v4.0'", "v4.0"),
    ]
    code = """
        $flags = [ordered]@{ Time = 1; Requests = 2; Memory = 4 }
        $names = @{ enum = @{ OnDemand = 0; AlwaysRunning = 1 }; flags = $flags }
        $schema = [pscustomobject]@{ Type = $given.type; Name = 'x' }
        $schema | Add-Member -MemberType ScriptMethod -Name GetEnumValues -Value {
            foreach ($pair in $names[$this.Type].GetEnumerator()) {
                [pscustomobject]@{ Name = $pair.Key; Value = $pair.Value }
            }
        }
        ConvertTo-IisText $schema (& ([scriptblock]::Create($given.value)))
    """
    for kind, value, wanted in given:
        assert bench.code(code, type=kind, value=value) == [wanted], (kind, value)
    assert "for the time span x" in bench.trouble(code, type="timeSpan", value="20")
    assert "has no such value" in bench.trouble(code, type="enum", value="7")


def a_silent_api_is_an_error(bench: Bench) -> None:
    """PowerShell makes $null of an exception in a property; $null is no value, and no state."""
    code = """
        $schema = [pscustomobject]@{ Name = 'startMode'; Type = 'enum' }
        $known = [pscustomobject]@{ ChildElementSchemas = @(); AttributeSchemas = @($schema) }
        $attribute = [pscustomobject]@{ Schema = $schema }
        $element = [pscustomobject]@{ Schema = $known; ElementTagName = 'add' }
        $element | Add-Member -MemberType ScriptMethod -Name GetAttribute -Value { $attribute }
        $element | Add-Member -MemberType ScriptMethod -Name GetAttributeValue -Value { $null }
        Read-IisAttribute $element 'startMode'
    """
    assert "The API gave nothing for startMode." in bench.trouble(code)
    assert bench.code("Get-IisPoolState ([pscustomobject]@{ State = $null })") == ["Unknown"]
    assert bench.code("Test-IisNode $null 'a.b'") == [False]
    unknown = "@(Find-IisAttribute (New-IisManager).ApplicationPoolDefaults $given.name).Count"
    assert [bench.code(unknown, name=name) for name in ("none", "none.none", "startMode")] == [[0], [0], [1]]


# Refusing


def what_means_nothing_is_refused(bench: Bench) -> None:
    refused(bench, change(set="20"), said="'20' is not a time span")
    refused(bench, change(given={"startMode": "Sometimes"}), said="'Sometimes' is not a value of startMode")
    refused(bench, change(given={"autoStart": "perhaps"}), said="'perhaps' is neither true nor false (autoStart)")
    refused(bench, change(set=None), said="either 'set' or 'clear: true'")
    refused(bench, change(), backup="mine", said="must be 'remediate-'")
    refused(bench, change(), pools_per_commit=0, said="must be 1 or more")


def what_changed_since_the_plan_is_refused(bench: Bench) -> None:
    """With the reason in the operator's words, and nothing written."""
    reasons = [
        (change(pool="Nobody"), "the pool is not there"),
        (change(expect="00:21:00"), "expected 00:21:00, found 00:20:00"),
        (change(given={"startMode": "OnDemand"}), "expected startMode OnDemand, found AlwaysRunning"),
        (change(given={"managedRuntimeVersion": "v2.0"}), "expected managedRuntimeVersion v2.0, found v4.0"),
    ]
    for wrong, detail in reasons:
        result = refused(bench, wrong, said="changed since the plan")
        assert (result["stale"], result["changed"]) == (True, False)
        assert only(result)["detail"] == detail
    bench.edit(
        'startMode="AlwaysRunning">\r\n                <processModel identityType',
        '>\r\n                <processModel idleTimeout="00:05:00" identityType',
    )
    clear = change(set=None, clear=True, expect="00:05:00", inherits="00:30:00")
    result = refused(bench, clear, said="changed since the plan")
    assert only(result)["detail"] == "clearing it would give 00:20:00, not 00:30:00"


def another_machine_is_refused(bench: Bench) -> None:
    result = refused(bench, change(), machine="WEB99.lab.example", said="another machine answers here")
    assert result["stale"] is True


# Writing


def check_mode_writes_nothing_and_shows_the_diff(bench: Bench) -> None:
    bench.edit('<add name="Reports"', '<add name="Re&#x85;ports"')
    before = bench.config.read_bytes()
    result = bench.settings(
        change(given={"autoStart": "true", "startMode": "alwaysrunning"}),
        change(attribute="startMode", expect="AlwaysRunning", set="OnDemand"),
        change(pool="Re\x85ports", expect="00:00:00", set="00:10:00"),
        check=True,
    )
    assert result["changed"] is True
    assert result["diff"]["prepared"] == (
        f"pool: {SHOP}\n  {IDLE}: 00:20:00 -> 00:00:00\n  startMode: AlwaysRunning -> OnDemand\n"
        f"pool: Re\\u0085ports\n  {IDLE}: 00:00:00 -> 00:10:00\n"
    )
    assert bench.config.read_bytes() == before


def a_change_is_written_once_and_cleared_again(bench: Bench) -> None:
    before = bench.config.read_bytes()
    result = bench.settings(change(), machine="web01.LAB.example")
    assert (result["changed"], written(result), only(result)["found_source"]) == (True, [True], "schema")
    again = bench.settings(change())
    assert (again["changed"], only(again)["state"]) == (False, "ok")
    result = bench.settings(change(set=None, clear=True, expect="00:00:00", inherits="00:20:00"))
    assert (written(result), only(result)["wanted"]) == ([True], "00:20:00")
    assert result["diff"]["prepared"].endswith("00:00:00 -> 00:20:00 (inherited)\n")
    assert bench.config.read_bytes() == before


def many_pools_go_in_several_commits(bench: Bench) -> None:
    bench.edit('name="DefaultAppPool" />', 'name="DefaultAppPool" startMode="AlwaysRunning" />')
    changes = [
        change(pool=name, attribute="startMode", expect="AlwaysRunning", set="OnDemand")
        for name in ("DefaultAppPool", SHOP, "Reports")
    ]
    result = bench.settings(*changes, pools_per_commit=2, pause=1)
    assert written(result) == [True] * 3
    assert bench.config.read_text().count("AlwaysRunning") == 0


def a_conflict_is_read_compared_and_tried_again(bench: Bench) -> None:
    for fault in ("changed:2", "in_use:1"):
        bench.fresh(fail_commit=fault)
        assert written(bench.settings(change())) == [True], fault
    bench.fresh(fail_commit="changed:9")
    result = refused(bench, change(), said="could not be written")
    assert (result["changed"], written(result)) == (False, [False])


def a_conflict_is_known_by_its_type_or_its_code(bench: Bench) -> None:
    """Not by its text, which is translated; however deep it is wrapped."""
    code = """
        $made = New-Object System.Runtime.InteropServices.COMException 'Zugriff', ([int]$given.code)
        try { throw (New-Object System.InvalidOperationException 'outer', $made) } catch { Test-IisFileConflict $_ }
    """
    in_use, denied = 0x80070020 - 2**32, 0x80070005 - 2**32
    assert [bench.code(code, code=number) for number in (in_use, denied)] == [[True], [False]]


def a_refused_commit_is_a_failure(bench: Bench) -> None:
    """No right to write: said, and nothing counts as written."""
    bench.knobs(fail_commit="denied")
    result = refused(bench, change(), said="the configuration could not be written", verify_seconds=0)
    assert (result["changed"], result["stale"], only(result)["written"]) == (False, False, False)


def somebody_else_between_the_look_and_the_commit(bench: Bench) -> None:
    """His other value makes the change stale; the very value that we wanted makes it done."""
    other = bench.windows.parent / "other.config"
    theirs = bench.config.read_bytes().replace(
        b'identityType="SpecificUser"', b'idleTimeout="00:07:00" identityType="SpecificUser"'
    )
    other.write_bytes(theirs)
    bench.knobs(on_commit=str(other))
    result = bench.settings(change())
    assert result["failed"] and "changed while this ran" in result["msg"]
    assert (result["stale"], result["changed"]) == (True, False)
    assert bench.config.read_bytes() == theirs
    bench.fresh(on_commit=str(other))
    other.write_bytes(theirs.replace(b"00:07:00", b"00:00:00"))
    result = bench.settings(change())
    assert (result["changed"], only(result)["state"], only(result)["written"]) == (False, "ok", False)


def a_share_that_is_denied_names_the_second_hop(bench: Bench) -> None:
    """Reading it and writing it; and what is denied on the server itself has nothing to do with a share."""
    folder = share(bench)
    words = (
        folder,
        "no second hop",
        "CredSSP, Kerberos with delegation, or Basic over HTTPS",
        "insufficient permissions",
    )
    bench.knobs(deny_share="true")
    error = bench.inspect()["error"]
    assert (error["type"], error["hresult"]) == ("System.UnauthorizedAccessException", "0x80070005")
    result = bench.module("app_pool_info")
    assert result["failed"]
    refusal = bench.settings(change())
    bench.knobs(deny_share="false", fail_commit="denied")
    unwritten = bench.settings(change())
    assert refusal["failed"] and "could not be compared" in refusal["msg"]
    assert unwritten["failed"] and "the configuration could not be written" in unwritten["msg"]
    for said in (error["message"], result["msg"], refusal["msg"], unwritten["msg"]):
        assert all(word in said for word in words), said
    bench.fresh(fail_commit="denied")
    assert "share" not in bench.settings(change())["msg"]


def a_value_that_iis_does_not_keep_is_not_reported_as_verified(bench: Bench) -> None:
    """Where setting the schema's default leaves nothing in the file, the pool inherits another value afterwards."""
    bench.knobs(keep_schema_default="false")
    bench.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="01:30:00" />')
    back = change(pool="Reports", expect="00:00:00", set="00:20:00")
    result = bench.settings(back, verify_seconds=0)
    assert result["failed"] and "not seen on a fresh look" in result["msg"]
    assert (only(result)["written"], only(result)["verified"], result["changed"]) == (True, False, True)


def a_late_file_is_waited_for(bench: Bench) -> None:
    bench.knobs(commit_delay_ms="600")
    assert written(bench.settings(change())) == [True]
    bench.fresh(commit_delay_ms="3600000")
    result = bench.settings(change(), verify_seconds=0)
    assert result["failed"] and "not seen on a fresh look" in result["msg"]
    assert (only(result)["written"], only(result)["verified"], result["changed"]) == (True, False, True)
    bench.close()  # the commit that is still waiting in it must not come in another one's way


def a_server_that_falls_silent_after_the_commit(bench: Bench) -> None:
    """Written, and then it cannot be read again: a failure, with the word that it was written."""
    # The fault that never comes leaves a file behind when the commit begins: then the right to read is taken away.
    bench.knobs(fail_commit="changed:0", commit_delay_ms="3600000")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.settings, change())
        wait_for((bench.windows / "lab.fail_commit.count").exists, "the commit")
        bench.deny_read()
        result = running.result()
    assert result["failed"] and "written, but the configuration could not be read again" in result["msg"]
    assert (only(result)["written"], only(result)["verified"], result["changed"]) == (True, False, True)
    bench.close()  # the commit that is still waiting in it must not come in another one's way


def an_odd_name_is_shown_and_written(bench: Bench) -> None:
    """No code page, quote or template has a say in it."""
    name = "Ünï 'x' {{ y }} $(calc) %PATH%"
    data = bench.config.read_bytes()
    bench.config.write_bytes(data.replace(f'name="{SHOP}"'.encode(), f'name="{name}"'.encode()))
    assert [p["name"] for p in bench.inspect()["pools"]] == ["DefaultAppPool", name, "Reports"]
    result = bench.settings(change(pool=name.upper(), set="1.02:00:00"))
    assert (written(result), only(result)["wanted"]) == ([True], "1.02:00:00")


def only_our_own_backups_are_removed(bench: Bench) -> None:
    root = bench.windows / "System32/inetsrv/backup"
    # The second is of no run: a line's end stands behind it.
    others = ("remediate-golden", "remediate-20250101T000000Z\n", "mine")
    for name in others:
        (root / name).mkdir(parents=True)
    for number in range(7):
        wanted, expected = ("00:00:00", "00:20:00") if number % 2 == 0 else ("00:20:00", "00:00:00")
        bench.settings(change(set=wanted, expect=expected), backup=f"remediate-20260101T00000{number}Z")
    kept = {path.name for path in root.iterdir()}
    assert kept == {*others, *(f"remediate-20260101T00000{number}Z" for number in range(2, 7))}


def an_older_iis_lacks_attributes(bench: Bench) -> None:
    """IIS 7.5 has no idleTimeoutAction and no preload: they are left out, and a change that needs one is stale."""
    bench.config.write_text(bench.config.read_text().replace(' preloadEnabled="true"', ""))
    seen = bench.info()
    assert seen["iis_version"] == "7.5"
    assert "processModel.idleTimeoutAction" not in pool(seen, SHOP)["attributes"]
    assert "processModel.idleTimeoutAction" not in seen["defaults"]
    assert all("preloadEnabled" not in a for p in seen["pools"] for a in p["applications"])
    result = refused(
        bench, change(given={"processModel.idleTimeoutAction": "Terminate"}), said="changed since the plan"
    )
    assert only(result)["detail"] == "this version of IIS does not know processModel.idleTimeoutAction"
    needed = """
        $change = @{
            scope = 'pool'; pool = 'Reports'; attribute = 'processModel.idleTimeoutAction'; expect = ''; set = ''
            given = @{}; clear = $false; inherits = $null
        }
        (Compare-IisChange (Open-IisSnapshot) $change).detail
    """
    assert bench.code(needed) == ["this version of IIS does not know the attribute"]


def no_password_is_printed(bench: Bench) -> None:
    said = json.dumps([bench.inspect(), bench.module("app_pool_info"), bench.settings(change())])
    assert b"canary-b5b1f2d0" in bench.config.read_bytes()
    assert "canary-b5b1f2d0" not in said


ON_IIS_10: list[Scenario] = [
    the_inspection_and_the_module_read_the_same,
    an_enum_has_its_own_name,
    one_of_a_kind_is_a_list_of_one,
    no_pool_is_an_empty_list,
    inheritance_has_its_source,
    a_server_without_a_domain_or_without_iis,
    iis_without_its_api_is_a_failure,
    another_api_of_that_name_is_refused,
    a_share_on_a_drive_that_powershell_does_not_know,
    what_cannot_be_read_is_an_error,
    a_shared_configuration_is_read_and_backed_up_where_it_is,
    a_share_that_is_denied_names_the_second_hop,
    what_the_api_hands_out_is_spelt_in_one_way,
    a_silent_api_is_an_error,
    what_means_nothing_is_refused,
    what_changed_since_the_plan_is_refused,
    another_machine_is_refused,
    check_mode_writes_nothing_and_shows_the_diff,
    a_change_is_written_once_and_cleared_again,
    many_pools_go_in_several_commits,
    a_conflict_is_read_compared_and_tried_again,
    a_conflict_is_known_by_its_type_or_its_code,
    a_refused_commit_is_a_failure,
    somebody_else_between_the_look_and_the_commit,
    a_value_that_iis_does_not_keep_is_not_reported_as_verified,
    a_late_file_is_waited_for,
    a_server_that_falls_silent_after_the_commit,
    an_odd_name_is_shown_and_written,
    only_our_own_backups_are_removed,
    no_password_is_printed,
]
ON_IIS_7_5: list[Scenario] = [an_older_iis_lacks_attributes]
