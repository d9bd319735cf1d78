# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""What can be read through the stand-in: values, their types and sources, by version of IIS."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.administration.driver import CONFIG, NEEDS_PWSH, MakeServer, Shell, pools

pytestmark = NEEDS_PWSH


def test_effective_values_come_from_the_pool_then_the_defaults_then_the_schema(
    shell: Shell, make_server: MakeServer
) -> None:
    """Inheritance is per attribute, and each level can be told from the next."""
    code = """
    $m = Manager
    foreach ($pool in $m.ApplicationPools) {
        $pm = $pool.ProcessModel
        $start = $pool.GetAttribute('startMode')
        [ordered]@{
            name = $pool.Name; start = "$($pool.StartMode)"; own = $start.IsInheritedFromDefaultValue; fromDefaults = $start.GetMetadata('isInheritedFromDefault')
            idle = "$($pm.IdleTimeout)"; action = "$($pm.IdleTimeoutAction)"; runtime = $pool.ManagedRuntimeVersion
            queue = $pool.QueueLength; stored = $pm.IsLocallyStored; auto = $pool.AutoStart; mode = "$($pool.ManagedPipelineMode)"
            identity = "$($pm.IdentityType)"; user = $pm.UserName; log = "$($pool.Recycling.LogEventOnRecycle)"
            rotation = $pool.Recycling.DisallowRotationOnConfigChange; period = "$($pool.Recycling.PeriodicRestart.Time)"
            times = @($pool.Recycling.PeriodicRestart.Schedule | ForEach-Object { "$($_.Time)" })
        }
    }
    """
    bare, own = shell(make_server(CONFIG), code)
    assert bare == {
        "name": "Bare", "start": "AlwaysRunning", "own": False, "fromDefaults": True,
        "idle": "00:05:00", "action": "Terminate", "runtime": "v4.0",
        "queue": 1000, "stored": False, "auto": True, "mode": "Integrated",
        "identity": "ApplicationPoolIdentity", "user": "",
        "log": "Time, Requests, Schedule, Memory, IsapiUnhealthy, OnDemand, ConfigChange, PrivateMemory",
        "rotation": False, "period": "1.05:00:00", "times": [],
    }  # fmt: skip
    assert own == {
        "name": "Own", "start": "OnDemand", "own": False, "fromDefaults": False,
        "idle": "1.05:00:00", "action": "Suspend", "runtime": "v4.0",
        "queue": 2000, "stored": True, "auto": False, "mode": "Classic",
        "identity": "SpecificUser", "user": "LAB\\svc", "log": "Time, OnDemand",
        "rotation": True, "period": "1.05:00:00", "times": ["03:00:00"],
    }  # fmt: skip


def test_values_and_defaults_have_the_types_of_the_real_ones(shell: Shell, make_server: MakeServer) -> None:
    """Enums are Int32 and their table is Int64; a uint is a long as a value and a UInt32 as a default."""
    code = """
    $m = Manager
    $pool = $m.GetApplicationHostConfiguration().GetSection('system.applicationHost/applicationPools').GetCollection()[1]
    $of = { param($element, $name) $a = $element.GetAttribute($name)
        @($a.Schema.Type, $a.Value.GetType().Name, $a.Schema.DefaultValue.GetType().Name, "$($a.Value)", "$($a.Schema.DefaultValue)") }
    [ordered]@{
        startMode = & $of $pool 'startMode'
        queueLength = & $of $pool 'queueLength'
        autoStart = & $of $pool 'autoStart'
        idleTimeout = & $of $pool.ChildElements['processModel'] 'idleTimeout'
        flags = & $of $pool.GetChildElement('recycling') 'logEventOnRecycle'
        userName = & $of $pool.GetChildElement('processModel') 'userName'
        table = @($pool.GetAttribute('startMode').Schema.GetEnumValues() | ForEach-Object { "$($_.Name)=$($_.Value):$($_.Value.GetType().Name)" })
        none = $null -eq $pool.GetAttribute('autoStart').Schema.GetEnumValues()
        unknown = $null -eq $pool.Attributes['nonsense']
        cased = $pool.Attributes['STARTMODE'].Name
        indexed = $pool['managedPipelineMode']
        noCollection = $null -eq $pool.GetChildElement('processModel').GetCollection()
        schema = @($pool.Schema.Name, $pool.Schema.CollectionSchema, $pool.ElementTagName)
        children = @($pool.ChildElements | ForEach-Object ElementTagName)
    }
    """
    found = shell(make_server(CONFIG), code)
    assert found == {
        "startMode": ["enum", "Int32", "Int32", "0", "0"],
        "queueLength": ["uint", "Int64", "UInt32", "2000", "1000"],
        "autoStart": ["bool", "Boolean", "Boolean", "False", "True"],
        "idleTimeout": ["timeSpan", "TimeSpan", "UInt64", "1.05:00:00", "12000000000"],
        "flags": ["flags", "Int32", "Int32", "33", "255"],
        "userName": ["string", "String", "String", "LAB\\svc", ""],
        "table": ["OnDemand=0:Int64", "AlwaysRunning=1:Int64"],
        "none": True,
        "unknown": True,
        "cased": "startMode",
        "indexed": 1,
        "noCollection": True,
        "schema": ["add", None, "add"],
        "children": ["processModel", "recycling"],
    }


def test_applications_inherit_from_their_site_then_from_all_sites(shell: Shell, make_server: MakeServer) -> None:
    """The pool's name comes through both levels; preloadEnabled only exists on the nearer one."""
    code = """
    $m = Manager
    $all = foreach ($site in $m.Sites) { foreach ($app in $site.Applications) {
        "$($site.Id) $($site.Name)$($app.Path) $($app.ApplicationPoolName) $($app.GetAttributeValue('preloadEnabled')) $($app.GetAttribute('preloadEnabled').IsInheritedFromDefaultValue)"
    } }
    $section = $m.GetApplicationHostConfiguration().GetSection('system.applicationHost/sites')
    $untyped = foreach ($site in $section.GetCollection()) { foreach ($app in $site.GetCollection()) { "$($site['name']) $($app['path']) $($app['applicationPool'])" } }
    $modules = $m.GetApplicationHostConfiguration().GetSection('system.webServer/globalModules').GetCollection() | ForEach-Object { $_['name'] + ' ' + $_['image'] }
    [ordered]@{ all = @($all); untyped = @($untyped); modules = @($modules); byName = $m.Sites['mAIN'].Id; absent = $null -eq $m.Sites['x']
        defaults = $m.ApplicationDefaults.ApplicationPoolName; names = @($m.ApplicationDefaults.Attributes | ForEach-Object Name) }
    """
    assert shell(make_server(CONFIG), code) == {
        "all": ["7 Main/ Own True False", "7 Main/app Bare True False", "8 Other/ Bare False True"],
        "untyped": ["Main / Own", "Main /app Bare", "Other / Bare"],
        "modules": ["ApplicationInitializationModule %windir%\\System32\\inetsrv\\warmup.dll"],
        "byName": 7,
        "absent": True,
        "defaults": "Bare",
        "names": ["path", "applicationPool", "enabledProtocols"],
    }


def test_preload_in_the_defaults_of_all_sites_is_unknown_to_iis(shell: Shell, make_server: MakeServer) -> None:
    """IIS's schema does not have it there, so the sites cannot be read; a switch plays a schema that has it."""
    config = CONFIG.replace(
        '<applicationDefaults applicationPool="Bare" />', '<applicationDefaults preloadEnabled="1" />'
    )
    code = "Caught { Section 'sites' }"
    refused = shell(make_server(config), code)
    assert (refused["type"], refused["code"]) == ("System.Runtime.InteropServices.COMException", "0x8007000D")
    assert "Line number: 35\r\nError: Unrecognized attribute 'preloadEnabled'" in refused["text"]
    wide = make_server(config.replace('"1"', '"true"'), "sites_defaults=wide")
    assert shell(wide, "(Manager).Sites['Other'].Applications['/'].GetAttributeValue('preloadEnabled')") is True


@pytest.mark.parametrize(
    ("version", "lacks", "runtime", "log"),
    [
        ("7.5.7601.17514", ["idleTimeoutAction", "logEventOnProcessModel", "preloadEnabled"], "v2.0", 137),
        ("8.0.9200.16384", ["idleTimeoutAction"], "", 137),
        ("8.5.9600.16384", [], "", 137),
        ("10.0.17763.1", [], "", 255),
    ],
)
def test_each_iis_version_has_its_own_schema(
    shells: Callable[[str], Shell], make_server: MakeServer, version: str, lacks: list[str], runtime: str, log: int
) -> None:
    """What a version lacks cannot be asked for (0x80070585), and makes the section unreadable where a file has it."""
    shell = shells(version)
    body = pools('<add name="P" />').replace(
        "</system.app", '<sites><site name="S" id="1"><application path="/" /></site></sites></system.app'
    )
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['P']
    $app = $m.Sites['S'].Applications['/']
    $names = @($pool.ProcessModel.Attributes | ForEach-Object Name) + @($app.Attributes | ForEach-Object Name)
    [ordered]@{
        lacks = @('idleTimeoutAction', 'logEventOnProcessModel', 'preloadEnabled' | Where-Object { $_ -notin $names })
        asked = @(Caught { $pool.ProcessModel.GetAttributeValue('idleTimeoutAction') }; Caught { $app.GetAttributeValue('preloadEnabled') })
        runtime = $pool.ManagedRuntimeVersion; log = [int]$pool.Recycling.LogEventOnRecycle
        version = [Diagnostics.FileVersionInfo]::GetVersionInfo([Microsoft.Web.Administration.ServerManager].Assembly.Location).FileVersion
    }
    """
    found = shell(make_server(body), code)
    assert (found["lacks"], found["runtime"], found["log"], found["version"]) == (lacks, runtime, log, version)
    for name, asked in zip(("idleTimeoutAction", "preloadEnabled"), found["asked"], strict=True):
        assert asked == "nothing" or (name in lacks and asked["code"] == "0x80070585")
        assert (asked == "nothing") == (name not in lacks)
    written = make_server(pools('<add name="P"><processModel idleTimeoutAction="Suspend" /></add>'))
    read = shell(written, "Caught { Section 'applicationPools' }")
    assert (read == "nothing") == ("idleTimeoutAction" not in lacks)


def test_shared_configuration_is_read_and_written_where_it_is(
    shell: Shell, make_server: MakeServer, tmp_path: Path
) -> None:
    """With redirection enabled, the server's own file counts for nothing."""
    share = tmp_path / "share"
    share.mkdir()
    (share / "applicationHost.config").write_text(pools('<add name="Shared" />'))
    server = make_server(CONFIG)
    redirection = f'<configuration><configurationRedirection enabled="true" path="{share}" /></configuration>'
    (server.config.parent / "redirection.config").write_text(redirection)
    code = """
    $m = Manager
    $r = $m.GetRedirectionConfiguration().GetSection('configurationRedirection')
    $m.ApplicationPools['Shared'].AutoStart = $false
    $m.CommitChanges()
    @($m.ApplicationPools[0].Name, $r['enabled'], $r['path'])
    """
    assert shell(server, code) == ["Shared", True, str(share)]
    assert 'name="Shared" autoStart="false"' in (share / "applicationHost.config").read_text()
    assert server.config.read_text() == CONFIG


NASTY = [
    "{{ inventory_hostname }}", "{% raw %}", "$(calc)", "a'b`n", "%PATH%", "Ünï", "yes", "007", "- x", "#x",
    "!unsafe x", " leading", "www.example.com", "\N{MATHEMATICAL FRAKTUR CAPITAL U} pool", "a (b) {c}", "null",
]  # fmt: skip


def test_nasty_names_are_found_in_any_case_and_changed_alone(shell: Shell, make_server: MakeServer) -> None:
    """A name is data: it is found, compared without case, and nothing else in the file moves."""
    config = pools(*(f'<add name="{name}" />' for name in NASTY))
    server = make_server(config)
    code = """
    $m = Manager
    foreach ($name in $m.ApplicationPools | ForEach-Object Name) { $m.ApplicationPools[$name.ToUpperInvariant()].StartMode = 'AlwaysRunning' }
    $m.CommitChanges()
    @((Manager).ApplicationPools | ForEach-Object { "$($_.Name)=$($_.StartMode)" })
    """
    assert shell(server, code) == [f"{name}=AlwaysRunning" for name in NASTY]
    assert server.config.read_text() == re.sub('" />', '" startMode="AlwaysRunning" />', config)


def test_the_password_is_read_only_by_who_asks_for_it(shell: Shell, make_server: MakeServer) -> None:
    """Reading a pool attribute by attribute never touches the password; asking for it gives clear text, and is noted."""
    server = make_server(CONFIG)
    quiet = """
    $m = Manager
    foreach ($pool in $m.ApplicationPools) {
        $null = $pool.ProcessModel.Attributes | ForEach-Object Name
        $null = $pool.ProcessModel.IdleTimeout, $pool.ProcessModel.UserName, $pool.ProcessModel.GetAttribute('password').IsProtected
    }
    $m.ApplicationPools['Own'].AutoStart = $true
    $m.CommitChanges()
    """
    shell(server, quiet)
    assert server.log("passwords.log") == []
    loud = """
    $pm = (Manager).ApplicationPools['Own'].ProcessModel
    @($pm.Password, $pm.Attributes['password'].Value, $pm.RawAttributes['password'], $pm.RawAttributes['idleTimeoutAction'])
    """
    assert shell(server, loud) == ["CANARY", "CANARY", "CANARY", "1"]
    assert server.log("passwords.log") == ["processModel.password"] * 4
