# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""The lab's stand-in for Microsoft.Web.Administration, driven by PowerShell as our scripts drive the real one.

The configuration files here are written by hand, after what IIS 10 writes. One PowerShell process serves many
checks (a start costs half a second); what ends, hangs or races has a process of its own.
"""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from remediate_lab.pwsh import find_pwsh

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "lab" / "remediate_lab" / "windows"

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
NEEDS_PWSH = [
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
    deadline = time.monotonic() + 600
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


MakeServer = Callable[..., Server]


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

COM = "System.Runtime.InteropServices.COMException"
LOAD = "System.IO.FileLoadException"


def changed(server: Server, code: str = "0x800703EE") -> dict[str, str]:
    text = "Cannot commit configuration changes because the file has changed on disk"
    return {"type": LOAD, "code": code, "text": f"Filename: \\\\?\\{server.config}\r\nError: {text}\r\n\r\n"}


ADD_NEW = "$m = Manager; $null = $m.ApplicationPools.Add('New'); $m.CommitChanges()"
DEFAULTS = ["<applicationPoolDefaults>", '  <processModel idleTimeout="00:05:00" />', "</applicationPoolDefaults>"]


def encoded(encoding: str, mark: bytes, newline: str) -> tuple[str, bytes]:
    """CONFIG with a letter outside ASCII, as text and as such a file."""
    text = CONFIG.replace("by hand", "von Hand: ü").replace("\n", newline)
    if encoding != "utf-8":
        text = text.replace('"UTF-8"', '"ISO-8859-1"' if encoding == "latin-1" else '"UTF-16"')
    return text, mark + text.encode(encoding)
