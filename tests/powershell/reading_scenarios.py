"""What the scripts must read of a server, and what they must not show."""

import re
import shutil

from tests.powershell.bench import CONFIG, Bench
from tests.powershell.scenarios import IDLE, SHOP, Scenario, change, pool, refused, share, written


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


READING_ON_IIS_10: list[Scenario] = [
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
    what_the_api_hands_out_is_spelt_in_one_way,
    a_silent_api_is_an_error,
]
