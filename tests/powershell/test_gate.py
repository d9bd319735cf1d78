"""What runs on servers uses nothing that their Windows PowerShell lacks: 3.0 for the inspection, 5.1 for the modules.

The engine here is 7.6, which would take all of it.
"""

import base64
import json
import os
from functools import cache

import pytest

from remediate.fleet.script import COMMAND_LINE, inspection_script, stop_script
from tests.powershell.engine import HERE, WINDOWS_POWERSHELL, Engine, shipped
from tests.powershell.gate import Verdict, functions, judge
from tests.powershell.inference import DECLARED


@pytest.fixture(autouse=True)
def lists() -> None:
    """Skipped by name where they are missing; where a PowerShell is expected, they are too."""
    if not WINDOWS_POWERSHELL.is_dir():
        if os.environ.get("REMEDIATE_EXPECT_PWSH"):
            pytest.fail(f"the lists of what Windows PowerShell has were expected at {WINDOWS_POWERSHELL}")
        pytest.skip(f"no lists of what Windows PowerShell has at {WINDOWS_POWERSHELL}")


pytestmark = pytest.mark.pwsh

# file -> the oldest version that must run it; the first three go to servers as one text.
OLDEST = {
    "IisRead.psm1": "3.0",
    "IisEvents.psm1": "3.0",
    "inspect.ps1": "3.0",
    "IisLock.psm1": "5.1",
    "stop.ps1": "5.1",
    "IisValue.psm1": "5.1",
    "IisSnapshot.psm1": "5.1",
    "IisPattern.psm1": "5.1",
    "IisCompare.psm1": "5.1",
    "IisBackup.psm1": "5.1",
    "IisCommit.psm1": "5.1",
    "IisWrite.psm1": "5.1",
    "app_pool_info.ps1": "5.1",
    "app_pool_settings.ps1": "5.1",
}
# file -> the members that cannot be checked without running it -> why that is no worry.
UNCHECKED: dict[str, dict[str, str]] = json.loads((HERE / "unchecked.json").read_text())


def verdict(engine: Engine, name: str) -> Verdict:
    text = shipped()[name].read_text()
    known: dict[str, list[str]] = {}
    for file in shipped().values():
        if file.suffix == ".psm1":
            known |= functions(engine.tree(file.read_text()))
    return judge(engine, text, OLDEST[name], known)


def test_every_script_has_an_oldest_version() -> None:
    assert set(shipped()) == set(OLDEST)


@pytest.mark.parametrize("name", OLDEST)
def test_nothing_is_used_that_the_oldest_version_lacks(engine: Engine, name: str) -> None:
    """And what cannot be told is known, one by one, with the reason why it is no worry."""
    found = verdict(engine, name)
    assert not found.wrong
    assert found.unchecked == set(UNCHECKED.get(name, {}))


def test_a_script_is_judged_as_it_is_sent(engine: Engine) -> None:
    """The files in one: one text, and strict from its beginning."""
    for evidence_days in (0, 7):
        assert not judge(engine, inspection_script(evidence_days).decode(), OLDEST["inspect.ps1"]).wrong
    assert not judge(engine, stop_script("x").decode(), OLDEST["stop.ps1"]).wrong


def test_the_bootstrap_is_known_to_the_oldest_version(engine: Engine) -> None:
    bootstrap = base64.b64decode(COMMAND_LINE.rpartition(" ")[2]).decode("utf-16-le")
    assert not judge(engine, bootstrap, OLDEST["inspect.ps1"]).wrong


def test_what_is_declared_is_used(engine: Engine) -> None:
    """A word about a variable that is gone would one day speak of another one."""
    used = set().union(*(verdict(engine, name).declared for name in OLDEST))
    assert used == {key for names in DECLARED.values() for key in names}


STRICT = "Set-StrictMode -Version Latest\n"

# version, script, what must be said of it
PLANTED = [
    # syntax
    ("5.1", "$x = $true ? 1 : 2", "the ternary operator is not in"),
    ("5.1", "$x = $null ?? 1", "?? is not in"),
    ("5.1", "$x = $null; $x ??= 1", "??= is not in"),
    ("5.1", "$x = ${x}?.Length", "?. or ?[] is not in"),
    ("5.1", "$x = ${x}?.Trim()", "?. or ?[] is not in"),
    ("5.1", "$x = ${x}?[0]", "?. or ?[] is not in"),
    ("5.1", "Get-Date && Get-Date", "a pipeline chain"),
    ("5.1", "Get-Date || Get-Date", "a pipeline chain"),
    ("5.1", "Get-Date &", "& at a command's end"),
    ("5.1", STRICT + "function F { clean { 1 } }", "a clean block"),
    ("5.1", "[Linq.Enumerable]::Empty[int]()", "type arguments of a method"),
    ("5.1", "Get-ChildItem\n | Sort-Object", "| at the start of a line"),
    ("5.1", "$x = 1uy", "the number 1uy"),
    ("5.1", "$x = 10n", "the number 10n"),
    ("5.1", "$x = 0b101", "the number 0b101"),
    ("5.1", '$x = "`u{1F600}"', "the escape `u"),
    ("5.1", '$x = "a`e[0m$y"', "the escape `e"),
    ("5.1", "if ($IsLinux) { 1 }", "$IsLinux is not in"),
    ("5.1", "$x = $PSStyle.Bold", "$PSStyle is not in"),
    ("3.0", "$x = $PSEdition", "$PSEdition is not in"),
    ("3.0", "using namespace System.IO\n1", "using is not in"),
    ("3.0", "class A { }", "a class or enum is not in"),
    ("3.0", "enum A { B }", "a class or enum is not in"),
    ("3.0", "[Uri]::new('http://x')", "::new() is not in"),
    ("3.0", "@(1, 2).Where({ $_ })", ".Where(): not in"),
    ("3.0", "@(1, 2).ForEach({ $_ })", ".ForEach(): not in"),
    # commands and parameters
    ("5.1", "gci", "gci: no command"),
    ("5.1", "1 | % { $_ }", "%: no command"),
    ("5.1", "1 | ? { $_ }", "?: no command"),
    ("5.1", "Get-Uptime", "Get-Uptime: no command"),
    ("5.1", "Join-String", "Join-String: no command"),
    ("3.0", "Get-FileHash x", "Get-FileHash: no command"),
    ("3.0", "ConvertFrom-String x", "ConvertFrom-String: no command"),
    ("5.1", "1 | ForEach-Object -Parallel { $_ }", "ForEach-Object -Parallel"),
    ("5.1", "ConvertFrom-Json '{}' -AsHashtable", "ConvertFrom-Json -AsHashtable"),
    ("5.1", "ConvertFrom-Json '{}' -Dep 3", "ConvertFrom-Json -Dep"),
    ("5.1", "ConvertTo-Json 1 -AsArray", "ConvertTo-Json -AsArray"),
    ("5.1", "ConvertTo-Json 1 -EnumsAsStrings", "ConvertTo-Json -EnumsAsStrings"),
    ("5.1", "Get-Random -Shuffle 1", "Get-Random -Shuffle"),
    ("5.1", "Sort-Object -Top 1", "Sort-Object -Top"),
    ("5.1", "Join-Path a b -AdditionalChildPath c", "Join-Path -AdditionalChildPath"),
    ("5.1", "Start-Sleep -Duration 1", "Start-Sleep -Duration"),
    ("5.1", "Get-Date -AsUTC", "Get-Date -AsUTC"),
    ("5.1", "Get-Date -ProgressAction Stop", "Get-Date -ProgressAction"),
    ("3.0", "Get-Date -InformationAction Stop", "Get-Date -InformationAction"),
    ("3.0", "Get-Date -PipelineVariable x", "Get-Date -PipelineVariable"),
    ("5.1", "$given = @{ AsHashtable = $true }\nConvertFrom-Json @given", "ConvertFrom-Json -AsHashtable"),
    ("5.1", STRICT + "function Add-It($One) { $One }\nAdd-It -Two 2", "Add-It -Two"),
    # types and members
    ("5.1", "[System.Text.Json.JsonDocument]", "[System.Text.Json.JsonDocument]: no type"),
    ("5.1", "[Half]1", "[Half]: no type"),
    ("5.1", "[semver]'1.0.0'", "[semver]: no type"),
    ("5.1", "$x = 1 -is [System.HashCode]", "[System.HashCode]: no type"),
    ("5.1", "New-Object System.Text.Json.JsonSerializerOptions", "System.Text.Json.JsonSerializerOptions: no type"),
    ("5.1", "New-Object 'System.Collections.Generic.PriorityQueue[int,int]'", "PriorityQueue[int,int]: no type"),
    ("5.1", "New-Object TimeSpan 1, 2, 3, 4, 5, 6", "no constructor takes 6 arguments"),
    ("5.1", "[Math]::Clamp(1, 2, 3)", "System.Math has no static Clamp"),
    ("5.1", "[Environment]::ProcessPath", "System.Environment has no static ProcessPath"),
    ("5.1", "[IO.Path]::GetRelativePath('a', 'b')", "System.IO.Path has no static GetRelativePath"),
    ("5.1", "[IO.File]::Move('a', 'b', $true)", "Move(): System.IO.File has none with 3 arguments"),
    ("5.1", "'a'.Contains('A', 1)", "Contains(): System.String has none with 2 arguments"),
    ("5.1", "'a'.ReplaceLineEndings()", "System.String has no ReplaceLineEndings"),
    ("5.1", "$x = 'a'; $x.ReplaceLineEndings()", "System.String has no ReplaceLineEndings"),
    ("5.1", STRICT + "function F([TimeSpan]$T) { $T.TotalNanoseconds }", "System.TimeSpan has no TotalNanoseconds"),
    ("5.1", "$x = [DateTime]::UtcNow; $x.Microsecond", "System.DateTime has no Microsecond"),
    ("5.1", "([DateTime]::UtcNow - 1); [DateTime]::UnixEpoch", "System.DateTime has no static UnixEpoch"),
    ("5.1", "foreach ($p in [Diagnostics.Process]::GetProcesses()) { $p.Kill($true) }", "none with 1 arguments"),
    ("5.1", "try { 1 } catch { $_.Elapsed }", "ErrorRecord has no Elapsed"),
    ("5.1", "$m = New-Object Microsoft.Web.Administration.ServerManager; $m.Save()", "ServerManager has no Save"),
    ("5.1", "[Ansible.Basic.AnsibleModule]::Make(1)", "Ansible.Basic.AnsibleModule has no static Make"),
    ("5.1", STRICT + "function F { param([ValidateNotNullOrWhiteSpace()] $x) $x }", "no attribute of"),
    # the file
    ("5.1", "function F { 1 }", "without Set-StrictMode -Version Latest"),
    ("5.1", "function F { 1 }\n" + STRICT, "without Set-StrictMode -Version Latest"),
    ("5.1", "Set-StrictMode -Version 2\nfunction F { 1 }", "without Set-StrictMode -Version Latest"),
    ("5.1", "'\u00fc'", "not ASCII"),
]  # fmt: skip

# What is in the version, and is easily taken for newer.
ALLOWED = [
    ("3.0", "$x = [ordered]@{ a = 1 }; $x.a; $x.Keys; 'a' -in $x.Keys; [pscustomobject]@{ a = 1 }"),
    ("3.0", "Get-ChildItem -LiteralPath x | Where-Object Name -EQ y | ForEach-Object FullName"),
    ("3.0", "Get-CimInstance -Class Win32_OperatingSystem -ErrorAction Stop"),
    ("3.0", "$x = 1kb + 0x1F + 1.5e3 + 2L + 3d; 'x' -notin 1, 2; \"``e\""),
    ("3.0", "Get-ChildItem |\n Sort-Object"),
    ("3.0", "'a b'.Split(' ').Length; (Get-Date).ToString('o'); @(1).Count; [regex]::Replace('a', 'b', { 'c' })"),
    ("5.1", "using namespace System.IO\nclass A { }\n[Uri]::new('http://x')"),
]


@cache
def said(engine: Engine, version: str, script: str) -> tuple[str, ...]:
    return tuple(judge(engine, script, version).wrong)


@pytest.mark.parametrize(("version", "script", "wanted"), PLANTED)
def test_what_is_planted_is_caught(engine: Engine, version: str, script: str, wanted: str) -> None:
    """Each kind of thing that the newer engine here takes, and a server would choke on."""
    wrong = said(engine, version, script)
    assert len(wrong) == 1, wrong
    assert wanted in wrong[0]


@pytest.mark.parametrize(("version", "script"), ALLOWED)
def test_what_the_version_has_is_allowed(engine: Engine, version: str, script: str) -> None:
    assert not said(engine, version, script)


@pytest.mark.parametrize(
    "script",
    ["& $command 1", "Get-Date @given", "$unknown.Member", "$unknown.Call()", "New-Object $type", "'a'.$name"],
)
def test_what_cannot_be_told_is_said(engine: Engine, script: str) -> None:
    """Nothing passes in silence."""
    assert judge(engine, script, "5.1").unchecked
