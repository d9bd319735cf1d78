# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""The lab's stand-in for Microsoft.Web.Administration, driven by PowerShell as our scripts drive the real one.

The configuration files here are written by hand, after what IIS 10 writes. One PowerShell process serves many
checks (a start costs half a second); what ends, hangs or races has a process of its own.
"""

import base64
import fcntl
import json
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediate.lab.pwsh import find_pwsh

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "remediate" / "lab" / "windows"

DRIVER = r"""
param([string] $Assembly, [string] $Once)
$ErrorActionPreference = 'Stop'
Add-Type -Path $Assembly
function Manager { New-Object Microsoft.Web.Administration.ServerManager }
# PowerShell makes $null of an exception from a property or an indexer that is read; a method throws.
function Section($name) { (Manager).GetApplicationHostConfiguration().GetSection("system.applicationHost/$name") }
function Innermost($exception) {
    while ($exception.InnerException) { $exception = $exception.InnerException }
    [ordered]@{ type = $exception.GetType().FullName; code = '0x{0:X8}' -f $exception.HResult; text = $exception.Message }
}
function Caught([scriptblock] $block) { try { $null = & $block; 'nothing' } catch { Innermost $_.Exception } }
function Invoke-Request([string] $line) {
    $request = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line)) | ConvertFrom-Json
    $env:windir = $request.windir
    try { $answer = @{ value = & ([scriptblock]::Create($request.code)) } } catch { $answer = @{ error = Innermost $_.Exception } }
    [Console]::Out.WriteLine([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes(($answer | ConvertTo-Json -Compress -Depth 8))))
}
if ($Once) { Invoke-Request $Once; return }
while ($null -ne ($line = [Console]::In.ReadLine())) { Invoke-Request $line }
"""


PWSH = find_pwsh()
pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh: set REMEDIATE_PWSH or put PowerShell 7 on PATH"),
]


@dataclass(frozen=True)
class Server:
    """A simulated server's Windows folder."""

    windows: Path

    @property
    def config(self) -> Path:
        return self.windows / "System32" / "inetsrv" / "config" / "applicationHost.config"

    def lab(self, *lines: str) -> None:
        (self.windows / "lab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def log(self, name: str) -> list[str]:
        file = self.windows / name
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def request(self, code: str) -> str:
        return base64.b64encode(json.dumps({"windir": str(self.windows), "code": code}).encode()).decode()


def answer(line: str) -> Any:
    reply = json.loads(base64.b64decode(line))
    if "error" in reply:
        raise AssertionError(f"the script failed: {reply['error']}")
    return reply["value"]


def until(holds: Callable[[], bool]) -> None:
    """Wait for another process."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Shell:
    """One PowerShell process with the assembly of one IIS version."""

    def __init__(self, driver: Path, assembly: Path) -> None:
        assert PWSH is not None
        self._command = [str(PWSH), "-NoProfile", "-NonInteractive", "-File", str(driver), str(assembly)]
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, server: Server, code: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(server.request(code) + "\n")
        self._process.stdin.flush()
        return answer(self._process.stdout.readline())

    def alone(self, server: Server, code: str) -> "subprocess.Popen[str]":
        """The same in a process of its own."""
        return subprocess.Popen([*self._command, server.request(code)], stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="session")
def shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Shell]]:
    """A shell for each IIS version that is asked for."""
    assert PWSH is not None
    folder = tmp_path_factory.mktemp("mwa")
    driver = folder / "driver.ps1"
    driver.write_text(DRIVER, encoding="utf-8")
    made: dict[str, Shell] = {}

    def shell(version: str) -> Shell:
        if version not in made:
            assembly = folder / version / "Microsoft.Web.Administration.dll"
            assembly.parent.mkdir()
            build = [PWSH or "", "-NoProfile", "-File", str(SOURCES / "build.ps1"), "-OutputPath", str(assembly)]
            subprocess.run([*build, "-FileVersion", version], check=True, timeout=120)
            made[version] = Shell(driver, assembly)
        return made[version]

    yield shell
    for each in made.values():
        each.close()


@pytest.fixture
def shell(shells: Callable[[str], Shell]) -> Shell:
    return shells("10.0.17763.1")


MakeServer = Callable[..., Server]


@pytest.fixture
def make_server(tmp_path: Path) -> MakeServer:
    """Make a server from a configuration: text (written as UTF-8) or bytes."""
    count = 0

    def make(config: str | bytes, *lab: str) -> Server:
        nonlocal count
        count += 1
        server = Server(tmp_path / f"server{count}" / "Windows")
        server.config.parent.mkdir(parents=True)
        server.config.write_bytes(config.encode() if isinstance(config, str) else config)
        redirection = "<configuration>\n  <configurationRedirection />\n</configuration>\n"
        (server.config.parent / "redirection.config").write_text(redirection)
        if lab:
            server.lab(*lab)
        return server

    return make


CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- by hand -->
<configuration>
    <configSections><sectionGroup name="system.applicationHost" /></configSections>
    <system.applicationHost>
        <applicationPools>
            <add name="Bare" />
            <add name="Own" autoStart="false" startMode="ondemand" managedPipelineMode="Classic" queueLength="2000">
                <processModel identityType="SpecificUser" userName="LAB\\svc" password="[enc:Prov:CANARY:enc]" \
idleTimeout="1.05:00:00" idleTimeoutAction='SUSPEND' />
                <recycling logEventOnRecycle="time, ONDEMAND" disallowRotationOnConfigChange="true">
                    <periodicRestart time="29:00:00">
                        <schedule>
                            <add value="03:00:00" />
                        </schedule>
                    </periodicRestart>
                </recycling>
            </add>
            <!-- <add name="Commented" /> -->
            <applicationPoolDefaults managedRuntimeVersion="v4.0" startMode="AlwaysRunning">
                <processModel idleTimeout="00:05:00" />
            </applicationPoolDefaults>
        </applicationPools>
        <sites>
            <site name="Main" id="7">
                <application path="/" applicationPool="Own" preloadEnabled="true">
                    <virtualDirectory path="/" physicalPath="C:\\inetpub" password="[enc:Prov:CANARY:enc]" />
                </application>
                <application path="/app" />
                <bindings><binding protocol="http" bindingInformation="*:80:" /></bindings>
                <applicationDefaults preloadEnabled="true" />
            </site>
            <site name="Other" id="8">
                <application path="/" />
            </site>
            <applicationDefaults applicationPool="Bare" />
            <siteDefaults><logFile logFormat="W3C" /></siteDefaults>
        </sites>
    </system.applicationHost>
    <system.webServer>
        <globalModules>
            <add name="ApplicationInitializationModule" image="%windir%\\System32\\inetsrv\\warmup.dll" />
        </globalModules>
    </system.webServer>
</configuration>
"""


def pools(*inside: str) -> str:
    """A file with these lines in its applicationPools section."""
    lines = "".join(f"      {line}\n" for line in inside)
    return f"<configuration>\n  <system.applicationHost>\n    <applicationPools>\n{lines}    </applicationPools>\n  </system.applicationHost>\n</configuration>\n"


SET_BARE = "$m = Manager; $m.ApplicationPools['Bare'].StartMode = 'OnDemand'; $m.CommitChanges()"


# Reading


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
        "name": "Bare", "start": "AlwaysRunning", "own": True, "fromDefaults": True,
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
        "all": ["7 Main/ Own True False", "7 Main/app Bare True True", "8 Other/ Bare False True"],
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


# Writing


FULL_CHANGE = """
$m = Manager
$bare = $m.ApplicationPools['Bare']
$bare.ProcessModel.IdleTimeout = [TimeSpan]::Zero
$bare.AutoStart = $false
$own = $m.ApplicationPools['Own']
$own.StartMode = 'AlwaysRunning'
$own.ProcessModel.IdleTimeoutAction = 'Terminate'
$own.Recycling.LogEventOnRecycle = 'Time, ConfigChange'
$m.ApplicationPoolDefaults.StartMode = 'OnDemand'
$m.ApplicationPoolDefaults.ProcessModel.GetAttribute('idleTimeout').Value = [TimeSpan]::FromMinutes(90)
$m.Sites['Main'].Applications['/'].SetAttributeValue('preloadEnabled', $false)
$m.CommitChanges()
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""), ("latin-1", b""),
    ],
)  # fmt: skip
def test_a_commit_changes_the_attributes_and_not_a_byte_else(
    shell: Shell, make_server: MakeServer, encoding: str, mark: bytes, newline: str
) -> None:
    """Encoding, mark, line ends, comments, quotes and order stay, and an element that was missing fits in."""
    text = CONFIG.replace("by hand", "von Hand: ü").replace("\n", newline)
    if encoding != "utf-8":
        text = text.replace('"UTF-8"', '"ISO-8859-1"' if encoding == "latin-1" else '"UTF-16"')
    server = make_server(mark + text.encode(encoding))
    server.config.chmod(0o640)
    shell(server, FULL_CHANGE)
    bare = '<add name="Bare" autoStart="false">\n                <processModel idleTimeout="00:00:00" />\n            </add>'
    for old, new in [
        ('<add name="Bare" />', bare.replace("\n", newline)),
        ('startMode="ondemand"', 'startMode="AlwaysRunning"'),
        ("'SUSPEND'", "'Terminate'"),
        ('"time, ONDEMAND"', '"Time, ConfigChange"'),
        ('v4.0" startMode="AlwaysRunning"', 'v4.0" startMode="OnDemand"'),
        ('"00:05:00"', '"01:30:00"'),
        ('"Own" preloadEnabled="true"', '"Own" preloadEnabled="false"'),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    assert server.config.read_bytes() == mark + text.encode(encoding)
    assert server.config.stat().st_mode & 0o777 == 0o640
    kept = {"applicationHost.config", "applicationHost.config.lock", "redirection.config"}
    assert {file.name for file in server.config.parent.iterdir()} == kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (['<add name="P"/>'], ['<add name="P">', '  <processModel idleTimeout="00:00:00" />', "</add>"]),
        (["<add name='P'></add>"], ["<add name='P'>", '  <processModel idleTimeout="00:00:00" />', "</add>"]),
        (
            ['<add name="P"><recycling/></add>'],
            ['<add name="P"><recycling/><processModel idleTimeout="00:00:00" /></add>'],
        ),
        (
            ['<add name="P">', "    <!-- a note -->", "</add>"],
            ['<add name="P">', "    <!-- a note -->", '  <processModel idleTimeout="00:00:00" />', "</add>"],
        ),
        (
            ['<add name="P">', "\t<recycling />", "</add>"],
            ['<add name="P">', "\t<recycling />", '      \t<processModel idleTimeout="00:00:00" />', "</add>"],
        ),
        (
            ['<add name="P">', "  <processModel", "     userName='a'", "     />", "</add>"],
            ['<add name="P">', "  <processModel", "     userName='a'", '           idleTimeout="00:00:00"', "     />", "</add>"],
        ),
        (['<add name="P"><processModel /></add>'], ['<add name="P"><processModel idleTimeout="00:00:00" /></add>']),
    ],
)  # fmt: skip
def test_what_is_missing_is_put_in_as_the_file_is_laid_out(
    shell: Shell, make_server: MakeServer, before: list[str], after: list[str]
) -> None:
    """A new element or attribute takes the indentation and the manner of its neighbours."""
    server = make_server(pools(*before))
    shell(
        server, "$m = Manager; $m.ApplicationPools['P'].ProcessModel.IdleTimeout = [TimeSpan]::Zero; $m.CommitChanges()"
    )
    expected = pools(*after).replace("            \t<", "      \t<").replace("                 idle", "           idle")
    assert server.config.read_text() == expected


def test_missing_defaults_and_a_missing_section_are_made(shell: Shell, make_server: MakeServer) -> None:
    """A file may lack applicationPoolDefaults, or the whole section; both read as the schema and can be written."""
    server = make_server("<configuration>\n\t<system.webServer />\n</configuration>")
    code = """
    $m = Manager
    $before = "$($m.ApplicationPools.Count) $($m.ApplicationPoolDefaults.StartMode) $($m.ApplicationPoolDefaults.IsLocallyStored)"
    $m.ApplicationPoolDefaults.Recycling.PeriodicRestart.Time = [TimeSpan]::FromHours(29)
    $m.CommitChanges()
    $before
    """
    assert shell(server, code) == "0 OnDemand False"
    lines = [
        "<configuration>", "\t<system.webServer />", "\t<system.applicationHost>", "\t\t<applicationPools>",
        "\t\t\t<applicationPoolDefaults>", "\t\t\t\t<recycling>", '\t\t\t\t\t<periodicRestart time="1.05:00:00" />',
        "\t\t\t\t</recycling>", "\t\t\t</applicationPoolDefaults>", "\t\t</applicationPools>",
        "\t</system.applicationHost>", "</configuration>",
    ]  # fmt: skip
    assert server.config.read_text() == "\n".join(lines)


@pytest.mark.parametrize(
    ("switch", "after"),
    [
        ("delete_leaves=nothing", ['<add name="P">', "</add>", '<add name="Q">', "  <processModel><!-- keep --></processModel>", "</add>"]),
        ("delete_leaves=empty_element", ['<add name="P">', "  <processModel />", "</add>", '<add name="Q">', "  <processModel><!-- keep --></processModel>", "</add>"]),
    ],
)  # fmt: skip
def test_delete_takes_an_attribute_out_again(
    shell: Shell, make_server: MakeServer, switch: str, after: list[str]
) -> None:
    """The value is inherited again; what an emptied element leaves is a switch, and no comment is ever lost."""
    before = ['<add name="P" autoStart="false">', '  <processModel idleTimeout="00:01:00" />', "</add>",
              '<add name="Q">', '  <processModel idleTimeout="00:02:00"><!-- keep --></processModel>', "</add>"]  # fmt: skip
    server = make_server(pools(*before, '<applicationPoolDefaults autoStart="false" />'), switch)
    code = """
    $m = Manager
    foreach ($pool in $m.ApplicationPools) {
        $pool.ProcessModel.GetAttribute('idleTimeout').Delete()
        $pool.GetAttribute('autoStart').Delete()
        $pool.GetAttribute('startMode').Delete()
        "$($pool.ProcessModel.IdleTimeout) $($pool.AutoStart)"
    }
    $m.CommitChanges()
    """
    assert shell(server, code) == ["00:20:00 False"] * 2
    assert server.config.read_text() == pools(*after, '<applicationPoolDefaults autoStart="false" />')


def test_what_is_set_and_deleted_before_the_commit_leaves_no_trace(shell: Shell, make_server: MakeServer) -> None:
    """Only the end state counts; an element can be deleted whole."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $bare = $m.ApplicationPools['Bare']
    $bare.ProcessModel.IdleTimeout = [TimeSpan]::Zero
    $bare.ProcessModel.GetAttribute('idleTimeout').Delete()
    $bare.Recycling.PeriodicRestart.Requests = 5
    $bare.Recycling.Delete()
    $m.ApplicationPools['Own'].StartMode = 'OnDemand'
    $m.CommitChanges()
    """
    shell(server, code)
    assert server.config.read_text() == CONFIG
    shell(server, "$m = Manager; $m.ApplicationPools['Own'].ProcessModel.Delete(); $m.CommitChanges()")
    assert server.config.read_text() == re.sub(r"\n +<processModel identity.*/>", "", CONFIG)


def test_values_are_escaped_for_the_quotes_and_the_encoding_of_the_file(shell: Shell, make_server: MakeServer) -> None:
    """What the encoding cannot hold becomes a character reference, and reads back the same."""
    config = '<?xml version="1.0" encoding="us-ascii"?>\n' + pools("<add name='P'><processModel userName='x' /></add>")
    server = make_server(config)
    value = "a<b>&\"c\"'d'\tü\N{MATHEMATICAL FRAKTUR CAPITAL U}"
    code = f"""
    $m = Manager
    $m.ApplicationPools['P'].ProcessModel.UserName = '{value.replace("'", "''")}'
    $m.CommitChanges()
    (Manager).ApplicationPools['P'].ProcessModel.UserName
    """
    assert shell(server, code) == value
    stored = """'a&lt;b&gt;&amp;"c"&apos;d&apos;&#x9;&#xFC;&#x1D518;'"""
    assert server.config.read_bytes() == config.replace("'x'", stored).encode("ascii")


def model(config: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    """What another XML parser sees: the attributes of each pool and of its processModel."""
    section = ET.fromstring(config)[0][0]
    return [(dict(pool.attrib), dict(pool[0].attrib) if len(pool) else {}) for pool in section]


ATTRIBUTES = {"startMode": ["OnDemand", "AlwaysRunning"], "autoStart": ["true", "false"]}
CHILD = {"idleTimeout": ["00:00:00", "00:10:00"], "idleTimeoutAction": ["Terminate", "Suspend"]}
Edit = tuple[int, bool, str, str | None]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[str], list[Edit]]:
    """Pools laid out in any manner, and edits to them: (pool, on its processModel, attribute, value or delete)."""
    space = st.sampled_from([" ", "  ", "\r\n\t", "\n"])
    filler = st.sampled_from(["", "\n   ", "\r\n\t", "<!-- <add name='x'> -->", "\n  <!-- > -->\n", " "])

    def attributes(table: dict[str, list[str]]) -> str:
        chosen = draw(st.lists(st.sampled_from(sorted(table)), unique=True))
        quote = draw(st.sampled_from("\"'"))
        return "".join(f"{draw(space)}{name} = {quote}{draw(st.sampled_from(table[name]))}{quote}" for name in chosen)

    found = []
    for number in range(draw(st.integers(1, 3))):
        head = f'<add{draw(space)}name="P{number}"{attributes(ATTRIBUTES)}'
        child = draw(st.sampled_from(["", "<processModel%s/>", "<processModel%s></processModel>"]))
        body = draw(filler) + (child % attributes(CHILD) if child else "") + draw(filler)
        found.append(head + draw(st.sampled_from(["", " "])) + (f">{body}</add>" if body else "/>"))
    edit = st.one_of(
        *(
            st.tuples(
                st.integers(0, len(found) - 1), st.just(on_child), st.just(name), st.sampled_from([*values, None])
            )
            for on_child, table in ((False, ATTRIBUTES), (True, CHILD))
            for name, values in table.items()
        )
    )
    return found, draw(st.lists(edit, min_size=1, max_size=6))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layouts())
def test_any_edits_of_any_layout_give_what_was_asked_and_keep_the_rest(
    shell: Shell, tmp_path: Path, case: tuple[list[str], list[Edit]]
) -> None:
    """After a commit the file holds exactly the asked attributes; comments and untouched pools stand as they were.

    Edits that end where they began leave the same bytes.
    """
    texts, edits = case
    server = Server(tmp_path / "any")
    server.config.parent.mkdir(parents=True, exist_ok=True)
    before = f"<configuration><system.applicationHost>\n<applicationPools>{''.join(texts)}</applicationPools></system.applicationHost></configuration>"
    server.config.write_bytes(before.encode())
    code = "$m = Manager\n"
    expected = model(before)
    for number, on_child, name, value in edits:
        target = f"$m.ApplicationPools['P{number}']{'.ProcessModel' if on_child else ''}.GetAttribute('{name}')"
        if value is None:
            code += target + ".Delete()\n"
            expected[number][on_child].pop(name, None)
        else:
            wanted = (
                f"[TimeSpan]'{value}'" if ":" in value else f"${value}" if value in ("true", "false") else f"'{value}'"
            )
            code += f"{target}.Value = {wanted}\n"
            expected[number][on_child][name] = value
    shell(server, code + "$m.CommitChanges()")
    after = server.config.read_bytes().decode()
    assert model(after) == expected
    assert re.findall("<!--.*?-->", after) == re.findall("<!--.*?-->", before)
    touched = {number for number, *_ in edits}
    assert all(text in after for number, text in enumerate(texts) if number not in touched)
    if expected == model(before):
        assert after == before


# Refusals


COM = "System.Runtime.InteropServices.COMException"


@pytest.mark.parametrize(
    ("config", "line", "error"),
    [
        (pools('<add name="P">'), 5, "Configuration file is not well-formed XML"),
        ("", 0, "Configuration file is not well-formed XML"),
        ("\ufeff<configuration>\ud7ff</configuration", 1, "Configuration file is not well-formed XML"),
        (pools('<add name="P" bogus="1" />'), 4, "Unrecognized attribute 'bogus'"),
        (pools('<add name="P"><bogus /></add>'), 4, "Unrecognized element 'bogus'"),
        (pools("<add />"), 4, "Missing required attribute 'name'"),
        (pools('<add name="P" />', '<add name="p" />'), 5, "Cannot add duplicate collection entry of type 'add' with unique key attribute 'name' set to 'p'"),
        (pools('<add name="P" startMode="Never" />'), 4, "The 'startMode' attribute is invalid.  Enum must be one of OnDemand, AlwaysRunning\r\n"),
        (pools('<add name="P"><processModel idleTimeout="00:00:30" /></add>'), 4, "The 'idleTimeout' attribute is invalid.  Timespan value must be between 00:00:00 and 30.00:00:00 seconds inclusive, with a granularity of 60 seconds\r\n"),
        (pools('<add name="a/b" />'), 4, "The 'name' attribute is invalid.  Invalid application pool name\r\n"),
    ],
)  # fmt: skip
def test_a_file_that_iis_cannot_take_is_an_error_with_its_line(
    shell: Shell, make_server: MakeServer, config: str, line: int, error: str
) -> None:
    """Nothing of a broken section can be read."""
    server = make_server(config)
    found = shell(server, "Caught { Section 'applicationPools' }")
    place = f"Line number: {line}\r\n" if line else ""
    assert found["text"] == f"Filename: \\\\?\\{server.config}\r\n{place}Error: {error}\r\n\r\n"
    assert (found["type"], found["code"]) == (COM, "0x800700B7" if "duplicate" in error else "0x8007000D")


def test_a_missing_file_or_folder_is_an_error_of_its_type(shell: Shell, make_server: MakeServer) -> None:
    server = make_server(CONFIG)
    server.config.unlink()
    code = "Caught { Section 'sites' }"
    text = f"Filename: \\\\?\\{server.config}\r\nError: Cannot read configuration file\r\n\r\n"
    found = shell(server, code)
    assert found == {"type": "System.IO.FileNotFoundException", "code": "0x80070002", "text": text}
    shutil.rmtree(server.config.parent)
    found = shell(server, code)
    assert found == {"type": "System.IO.DirectoryNotFoundException", "code": "0x80070003", "text": text}


def test_values_that_iis_does_not_take_are_refused_and_nothing_is_written(
    shell: Shell, make_server: MakeServer
) -> None:
    """Range, step, type and name are checked when a value is set."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['Bare']
    $pm = $pool.ProcessModel
    [ordered]@{
        step = Caught { $pm.IdleTimeout = [TimeSpan]::FromSeconds(90) }
        range = Caught { $pm['idleTimeout'] = [TimeSpan]::FromDays(31) }
        negative = Caught { $pm.SetAttributeValue('idleTimeout', [TimeSpan]::FromMinutes(-1)) }
        text = Caught { $pm.SetAttributeValue('idleTimeout', '00:01:00') }
        null = Caught { $pm.SetAttributeValue('idleTimeout', $null) }
        enum = Caught { $pool.SetAttributeValue('startMode', 'Sometimes') }
        number = Caught { $pool.SetAttributeValue('startMode', 2) }
        flags = Caught { $pool.Recycling.SetAttributeValue('logEventOnRecycle', 'Time, Never') }
        uint = Caught { $pool.SetAttributeValue('queueLength', '500') }
        queue = Caught { $pool.QueueLength = 5 }
        unknown = Caught { $pool.GetAttribute('nonsense') }
        child = Caught { $pool.GetChildElement('nonsense') }
        left = @("$($pm.IdleTimeout)", "$($pool.StartMode)")
    }
    $m.CommitChanges()
    """
    found = shell(server, code)
    span = "Timespan value must be between 00:00:00 and 30.00:00:00 seconds inclusive, with a granularity of 60 seconds\r\n"
    for name in ("step", "range", "negative"):
        assert found[name] == {"type": COM, "code": "0x8007000D", "text": span}
    assert found["enum"]["text"] == found["number"]["text"] == "Enum must be one of OnDemand, AlwaysRunning\r\n"
    assert found["flags"]["text"].startswith("Flags must be some combination of Time, Requests")
    assert found["queue"]["text"] == "Integer value must be between 10 and 65535 inclusive\r\n"
    assert found["text"]["type"] == found["uint"]["type"] == "System.InvalidCastException"
    assert found["null"]["type"] == "System.ArgumentNullException"
    assert found["unknown"]["code"] == found["child"]["code"] == "0x80070585"
    assert found["left"] == ["00:05:00", "AlwaysRunning"]
    assert server.config.read_text() == CONFIG


def test_members_that_the_lab_does_not_play_say_so(shell: Shell, make_server: MakeServer) -> None:
    """No invented answers."""
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['Own']
    @(
        Caught { $m.ApplicationPools.Add('x') }
        Caught { $m.ApplicationPools.RemoveAt(0) }
        Caught { $m.get_WorkerProcesses() }
        Caught { $m.Sites['Main'].get_Bindings() }
        Caught { $pool.GetChildElement('failure') }
        Caught { $pool.get_Cpu() }
        Caught { $m.GetApplicationHostConfiguration().GetSection('system.webServer/asp') }
    ) | ForEach-Object { "$($_.type) $($_.text)" }
    """
    for text in shell(make_server(CONFIG), code):
        assert re.match(r"System.NotSupportedException .* does not offer \S+", text)


# Commits and their failures


LOAD = "System.IO.FileLoadException"


def changed(server: Server, code: str = "0x80131621") -> dict[str, str]:
    text = "Cannot commit configuration changes because the file has changed on disk"
    return {"type": LOAD, "code": code, "text": f"Filename: \\\\?\\{server.config}\r\nError: {text}\r\n\r\n"}


def test_a_manager_keeps_its_picture_and_refuses_to_write_over_another_edit(
    shell: Shell, make_server: MakeServer
) -> None:
    """The stale object fails each time; a fresh one reads the other's edit and succeeds."""
    server = make_server(CONFIG)
    code = """
    $stale = Manager
    $pool = $stale.ApplicationPools['Bare']
    $other = Manager
    $other.ApplicationPools['Own'].AutoStart = $true
    $other.CommitChanges()
    $seen = $stale.ApplicationPools['Own'].AutoStart
    $pool.AutoStart = $false
    $errors = @(Caught { $stale.CommitChanges() }; Caught { $stale.CommitChanges() })
    $fresh = Manager
    $fresh.ApplicationPools['Bare'].AutoStart = $false
    $fresh.CommitChanges()
    [ordered]@{ seen = $seen; errors = $errors; pools = @((Manager).ApplicationPools | ForEach-Object AutoStart) }
    """
    assert shell(server, code) == {"seen": False, "errors": [changed(server)] * 2, "pools": [False, True]}


def test_after_a_commit_old_references_are_read_only_and_new_ones_are_fresh(
    shell: Shell, make_server: MakeServer
) -> None:
    """The real one says so in as many words; the manager itself goes on."""
    code = """
    $m = Manager
    $old = $m.ApplicationPools['Bare']
    $old.AutoStart = $false
    $m.CommitChanges()
    $refused = Caught { $old.AutoStart = $true }
    $m.ApplicationPools['Bare'].StartMode = 'OnDemand'
    $m.CommitChanges()
    $m.CommitChanges()
    $m.Dispose()
    [ordered]@{ refused = $refused; old = "$($old.AutoStart) $($old.StartMode)"; new = "$((Manager).ApplicationPools['Bare'].StartMode)"; disposed = Caught { $m.get_Sites() } }
    """
    found = shell(make_server(CONFIG), code)
    assert found["refused"]["type"] == "System.InvalidOperationException"
    assert found["refused"]["text"].startswith("The configuration object is read only, because it has been committed")
    assert (found["old"], found["new"]) == ("False AlwaysRunning", "OnDemand")
    assert found["disposed"]["type"] == "System.ObjectDisposedException"


def test_a_file_that_someone_holds_is_in_use(shell: Shell, make_server: MakeServer) -> None:
    """Held by a reader it cannot be written, held by a writer not even read."""
    server = make_server(CONFIG)
    for lock, verb, code in [(fcntl.LOCK_SH, "write", SET_BARE), (fcntl.LOCK_EX, "read", "Section 'sites'")]:
        with server.config.open("rb") as held:
            fcntl.flock(held, lock)
            found = shell(server, f"Caught {{ {code} }}")
        text = f"Filename: \\\\?\\{server.config}\r\nError: Cannot {verb} configuration file\r\n\r\n"
        assert found == {"type": LOAD, "code": "0x80070020", "text": text}
    assert server.config.read_text() == CONFIG
    shell(server, SET_BARE)
    assert 'name="Bare" startMode="OnDemand"' in server.config.read_text()


def test_two_commits_at_once_lose_neither(shell: Shell, make_server: MakeServer) -> None:
    """Of two processes that read the same file, one fails and finds the other's edit when it reads again."""
    server = make_server(pools(*(f'<add name="P{number}" />' for number in range(4))))
    code = """
    $null = New-Item -Path "$env:windir/ready%d"
    while (-not (Test-Path "$env:windir/go")) { Start-Sleep -Milliseconds 5 }
    $failures = 0
    foreach ($round in 1..15) {
        while ($true) {
            $m = Manager
            $pool = $m.ApplicationPools['P%d']
            $pool.QueueLength = 1000 + $round
            try { $m.CommitChanges(); break } catch { if ((Innermost $_.Exception).type -ne 'System.IO.FileLoadException') { throw }; $failures++ }
        }
    }
    $failures
    """
    processes = [shell.alone(server, code % (number, number)) for number in range(4)]
    until(lambda: len(list(server.windows.glob("ready*"))) == 4)
    (server.windows / "go").touch()
    failures = [answer(process.communicate(timeout=120)[0]) for process in processes]
    expected = pools(*(f'<add name="P{number}" queueLength="1015" />' for number in range(4)))
    assert server.config.read_text() == expected
    assert sum(failures) > 0, "the processes never met: this run showed nothing"


@pytest.mark.parametrize("fault", ["changed", "in_use"])
def test_the_first_commits_can_be_made_to_fail_across_processes(
    shell: Shell, make_server: MakeServer, fault: str
) -> None:
    """fail_commit counts for the server, not for the process."""
    server = make_server(CONFIG, f"fail_commit={fault}:2", "changed_hresult=0x800703EE")
    code = f"Caught {{ {SET_BARE} }}"
    first = answer(shell.alone(server, code).communicate(timeout=60)[0])
    assert first["type"] == LOAD
    assert first["code"] == {"changed": "0x800703EE", "in_use": "0x80070020"}[fault]
    assert shell(server, code) == first
    assert server.config.read_text() == CONFIG
    assert shell(server, code) == "nothing"
    assert server.config.read_text() != CONFIG


def test_rights_that_are_missing_name_the_file(shell: Shell, make_server: MakeServer) -> None:
    """Not an administrator: redirection.config cannot be read. A commit that is denied leaves the file alone."""
    server = make_server(CONFIG, "deny_read=true")
    denied = {"type": "System.UnauthorizedAccessException", "code": "0x80070005"}
    path = server.config.parent / "redirection.config"
    text = "Filename: \\\\?\\{}\r\nError: Cannot {} configuration file due to insufficient permissions\r\n\r\n"
    assert shell(server, "Caught { Section 'applicationPools' }") == denied | {"text": text.format(path, "read")}
    server.lab("fail_commit=denied")
    assert shell(server, f"Caught {{ {SET_BARE} }}") == denied | {"text": text.format(server.config, "write")}
    assert server.config.read_text() == CONFIG


def test_someone_else_can_save_the_file_at_that_very_moment(
    shell: Shell, make_server: MakeServer, tmp_path: Path
) -> None:
    """on_commit: the other's file stands, the commit fails once, and reading again shows the other's values."""
    other = tmp_path / "other.config"
    other.write_text(CONFIG.replace('name="Bare"', 'name="Bare" queueLength="77"'))
    server = make_server(CONFIG, f"on_commit={other}")
    assert shell(server, f"Caught {{ {SET_BARE} }}") == changed(server)
    assert server.config.read_text() == other.read_text()
    assert shell(server, f"Caught {{ {SET_BARE} }}; (Manager).ApplicationPools['Bare'].QueueLength") == ["nothing", 77]


def test_the_process_can_end_between_the_write_and_the_proof(shell: Shell, make_server: MakeServer) -> None:
    """after_commit=exit ends with code 9, hang never returns; the file is written in both cases."""
    server = make_server(CONFIG, "after_commit=exit")
    process = shell.alone(server, SET_BARE)
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 9
    written = server.config.read_text()
    assert 'name="Bare" startMode="OnDemand"' in written
    server = make_server(CONFIG, "after_commit=hang")
    process = shell.alone(server, SET_BARE)
    try:
        until(lambda: server.config.read_text() == written)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", ["", "; exit 3"])
def test_the_file_can_change_later_than_the_commit_returns(shell: Shell, make_server: MakeServer, end: str) -> None:
    """commit_delay_ms: neither the process's end nor an exit loses the write."""
    server = make_server(CONFIG, "commit_delay_ms=1500")
    process = shell.alone(server, SET_BARE + end)
    process.communicate(timeout=60)
    assert process.returncode == (3 if end else 0)
    assert 'name="Bare" startMode="OnDemand"' in server.config.read_text()


def test_until_the_late_write_a_fresh_manager_reads_the_old_values(shell: Shell, make_server: MakeServer) -> None:
    """So a proof has to wait; and another commit does not lose the one that is still to be written."""
    code = (
        SET_BARE
        + """
    $first = "$((Manager).ApplicationPools['Bare'].StartMode)"
    $until = [DateTime]::UtcNow.AddSeconds(30)
    while ((Manager).ApplicationPools['Bare'].StartMode -ne 'OnDemand' -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
    $m = Manager; $m.ApplicationPools['Own'].AutoStart = $true; $late = Manager; $late.ApplicationPools['Bare'].QueueLength = 11
    $m.CommitChanges()
    $second = Caught { $late.CommitChanges() }
    @($first, "$((Manager).ApplicationPools['Bare'].StartMode)", $second.type, (Manager).ApplicationPools['Own'].AutoStart)
    """
    )
    server = make_server(CONFIG, "commit_delay_ms=200")
    assert shell(server, code) == ["AlwaysRunning", "OnDemand", LOAD, True]


# Switches: where the real answer is not known, both are played


def test_the_switches_play_the_other_answer(shell: Shell, make_server: MakeServer) -> None:
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['Bare']
    $idle = $pool.ProcessModel.GetAttribute('idleTimeout')
    $found = [ordered]@{
        inherited = @($pool.GetAttribute('startMode').IsInheritedFromDefaultValue; $pool.GetAttribute('queueLength').IsInheritedFromDefaultValue)
        default = $idle.Schema.DefaultValue.GetType().Name
    }
    $pool.StartMode = 'OnDemand'
    $m.CommitChanges()
    $found
    """
    server = make_server(CONFIG)
    assert shell(server, code) == {"inherited": [True, True], "default": "UInt64"}
    assert 'name="Bare" startMode="OnDemand"' in server.config.read_text()
    server = make_server(
        CONFIG, "# a comment", "inherited_from_defaults=false", "keep_schema_default=false", "timespan_default=timespan"
    )
    assert shell(server, code) == {"inherited": [False, True], "default": "TimeSpan"}
    assert server.config.read_text() == CONFIG
    server = make_server(pools('<add name="a/b" />'), "illegal_names=read")
    assert shell(server, "(Manager).ApplicationPools['A/B'].Name") == "a/b"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("delete_leaves=all", "delete_leaves is nothing or empty_element"),
        ("fail_commit=perhaps", "fail_commit=perhaps"),
        ("nonsense", "not key=value: nonsense"),
    ],
)
def test_a_switch_with_a_value_that_it_has_not_is_an_error(
    shell: Shell, make_server: MakeServer, line: str, says: str
) -> None:
    """A misspelt fault must not look like a fault survived. Other parts of the lab have keys of their own."""
    server = make_server(CONFIG, "computer=WEB01", line)
    code = "Caught { $m = Manager; $m.ApplicationPools['Own'].ProcessModel.Delete(); $m.CommitChanges() }"
    assert says in shell(server, code)["text"]


def test_pools_have_a_state_and_recycles_are_noted(shell: Shell, make_server: MakeServer) -> None:
    server = make_server(CONFIG, "stopped=bare")
    code = """
    $m = Manager
    $bare = $m.ApplicationPools['Bare']; $own = $m.ApplicationPools['Own']
    $refused = Caught { $bare.Recycle() }
    @("$($bare.State) $($own.State) $($refused.code) $($own.Recycle()) $($bare.Start()) $($bare.State) $($bare.Recycle()) $($own.Stop()) $($own.State)")
    """
    assert shell(server, code) == "Stopped Started 0x80070426 Started Started Started Started Stopped Stopped"
    assert server.log("recycles.log") == ["Own", "Bare"]


# Building


def test_the_build_refuses_a_version_that_the_schema_does_not_know(tmp_path: Path) -> None:
    assert PWSH is not None
    command = [str(PWSH), "-NoProfile", "-File", str(SOURCES / "build.ps1"), "-OutputPath", str(tmp_path / "X.dll")]
    result = subprocess.run([*command, "-FileVersion", "6.1.0.0"], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert "FileVersion" in result.stderr
    assert not (tmp_path / "X.dll").exists()
