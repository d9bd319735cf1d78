# Tests the inspection script and the modules against this machine's Microsoft.Web.Administration, and writes down
# what it answers where the documentation does not say.
#
#   powershell -NoProfile -ExecutionPolicy Bypass -File tests\windows\Run.ps1 -ModuleUtils PATH\ansible\module_utils
#
# A test asserts: the project must be right whatever Windows answers. A question asserts nothing: it prints the
# answer that it saw, or why it could not be settled. Needs an administrator, and changes IIS's configuration: pools and a
# site whose names begin with remediate-test- are made, and removed at the end. For a throw-away machine.
#
# Nothing in this folder has run on Windows yet. It has run in a PowerShell 7 on Linux with -NoWorkers, against the
# stand-in of the project's lab: what needs a worker process has not run at all.
param(
    [Parameter(Mandatory)] [string] $ModuleUtils,
    [string] $AnswersPath,
    [string] $SummaryPath,
    # What was seen of the configuration API while IIS was installed.
    [string] $InstalledPath,
    # There are no worker processes here: a stand-in for IIS.
    [switch] $NoWorkers
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'Harness.psm1') -Force -DisableNameChecking
. (Join-Path $PSScriptRoot 'Server.ps1')
. (Join-Path $PSScriptRoot 'Workers.ps1')
Import-Reader

$ModuleUtils = (Resolve-Path -LiteralPath $ModuleUtils).ProviderPath
$tests = New-Object System.Collections.ArrayList
$answers = New-Object System.Collections.ArrayList
$transcript = New-Object System.Text.StringBuilder
$backup = 'remediate-test-' + [Guid]::NewGuid().ToString('N')

function Say([string]$Line) {
    # One line, ASCII: a pool's name must not break the log, whatever it holds.
    $line = [regex]::Replace($Line, '[^\x20-\x7e]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
    [void]$transcript.AppendLine($line)
    Write-Host $line
}

function It([string]$Name, [scriptblock]$Body) {
    $state = 'ok'
    try { $detail = [string](& $Body) }
    catch {
        $state = 'FAILED'
        $detail = '{0} ({1}:{2})' -f $_.Exception.Message, (Split-Path -Leaf ([string]$_.InvocationInfo.ScriptName)), $_.InvocationInfo.ScriptLineNumber
    }
    [void]$tests.Add([ordered]@{ name = $Name; state = $state; detail = $detail })
    Say "$state ${Name}: $detail"
}

function Ask([string]$Name, [string]$Question, [scriptblock]$Body) {
    $settled = $true
    try {
        $answer = [string](& $Body)
        if ($answer -like 'not settled*') { $settled = $false }
    }
    catch { $settled = $false; $answer = "not settled: $(Format-Trouble $_)" }
    [void]$answers.Add([ordered]@{ name = $Name; question = $Question; settled = $settled; answer = $answer })
    Say "answer ${Name}: $answer"
}

function Assert($Condition, [string]$Message) { if (-not $Condition) { throw $Message } }
function Assert-Same($Wanted, $Got, [string]$What) { if ($Wanted -cne $Got) { throw "${What}: wanted $Wanted, got $Got" } }

function Invoke-Settings([object[]]$Changes, [hashtable]$More = @{}, [switch]$Check) {
    $arguments = @{ changes = $Changes; pause = 0; verify_seconds = 60 } + $More
    Invoke-Module -Name app_pool_settings -ModuleUtils $ModuleUtils -Arguments $arguments -Check:$Check -Diff
}

function Assert-Refused([string]$Text, [scriptblock]$Run) {
    # The run fails with that text, and leaves the file as it was.
    $before = Get-ConfigFile
    $done = & $Run
    Assert-Same 1 $done.ExitCode 'exit code'
    Assert ($done.Result.failed) "it did not fail: $($done.Output)"
    Assert ($done.Result.msg -like "*$Text*") "the message: $($done.Result.msg)"
    Assert-Same $before (Get-ConfigFile) 'the file'
    $done.Result.msg
}

function Get-Seen($Inspection, [string]$Name) { $Inspection.pools | Where-Object { $_.name -ceq $Name } | Select-Object -First 1 }

function Write-Report {
    $assembly = [Diagnostics.FileVersionInfo]::GetVersionInfo((Get-IisAssemblyPath))
    $report = [ordered]@{
        powershell = $PSVersionTable.PSVersion.ToString()
        system     = [Environment]::OSVersion.VersionString
        assembly   = $assembly.FileVersion
        product    = $assembly.ProductName  # the lab's stand-in says that it is one
        tests      = $tests.ToArray()
        answers    = $answers.ToArray()
    }
    if ($AnswersPath) { [IO.File]::WriteAllText((Resolve-Target $AnswersPath), (ConvertTo-AsciiJson $report)) }
    if ($SummaryPath) {
        $cell = { param($text) [regex]::Replace($text, '[|<>&\r\n`]', { param($match) '&#{0};' -f [int][char]$match.Value }) }
        $lines = @(
            "## Microsoft.Web.Administration $($report.assembly), PowerShell $($report.powershell), $($report.system)", ''
            '| question | answer |', '| --- | --- |'
            $answers | ForEach-Object { '| {0} | {1} |' -f (& $cell $_.question), (& $cell $_.answer) }
            '', '| test | state | detail |', '| --- | --- | --- |'
            $tests | ForEach-Object { '| {0} | {1} | {2} |' -f (& $cell $_.name), $_.state, (& $cell $_.detail) }
        )
        $text = [regex]::Replace(($lines -join "`n") + "`n", '[^\x0a\x20-\x7e]', { param($match) '&#{0};' -f [int][char]$match.Value })
        [IO.File]::WriteAllText((Resolve-Target $SummaryPath), $text)
    }
}

try {
    try {
        Remove-TestObjects
        New-TestPools
        . (Join-Path $PSScriptRoot 'Tests.ps1')
    }
    catch {
        $end = $_
        It 'the run reaches its end' { throw "$($end.Exception.Message) $($end.InvocationInfo.PositionMessage)" }
    }
    Write-Report
}
finally {
    Remove-TestObjects
    foreach ($left in (Get-BackupPath $backup), $siteFolder) {
        if (Test-Path -LiteralPath $left) { Remove-Item -LiteralPath $left -Recurse -Force -ErrorAction Continue }
    }
}
$failed = @($tests | Where-Object { $_.state -cne 'ok' }).Count
Say "$($tests.Count - $failed) passed, $failed failed"
exit ([int]($failed -gt 0))
