# Runs the project's inspection script and its Ansible modules on this machine, without Ansible and without WinRM.
#
# The scripts run unchanged, each in a child process of the PowerShell that runs this, with what they get from
# remediate and from Ansible: the inspection on standard input behind remediate's own command line, a module with
# Ansible's own Ansible.Basic and its arguments in $complex_args. Works in Windows PowerShell 5.1 and PowerShell 7.
# This file is plain ASCII: 5.1 reads a script without a mark in the machine's code page.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Repository = Split-Path (Split-Path $PSScriptRoot)
$script:Plugins = Join-Path $script:Repository 'playbooks/collections/ansible_collections/remediate/iis/plugins'
$script:Said = New-Object System.Text.StringBuilder

# remediate/fleet/script.py has the same line.
$script:InspectionBootstrap = '$ProgressPreference = "SilentlyContinue"; $mode = "$($ExecutionContext.SessionState.LanguageMode)"; if ($mode -eq "FullLanguage") { & ([ScriptBlock]::Create((@($input) -join "`n"))) } else { ''{"format":"remediate.inspection","format_version":1,"language_mode":"'' + $mode + ''"}'' }'

function Set-ConsoleEncoding {
    # UTF-8, as remediate's and Ansible's shells have it. Without its mark, which .NET Framework would send to a child first.
    try { [Console]::InputEncoding = [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false }
    catch [System.IO.IOException] { return }  # no console, then the machine's code page is all there is
}

function ConvertTo-AsciiJson($Value) {
    $json = ConvertTo-Json -InputObject $Value -Depth 20 -Compress
    [regex]::Replace($json, '[^\x20-\x7e]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
}

function Invoke-Child([string]$Command, [string]$Text) {
    # One command of remediate's: the same options, the text (ASCII) on standard input.
    Set-ConsoleEncoding
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = [Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
    $start.Arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ' +
        [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($Command))
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = $start.StandardErrorEncoding = New-Object System.Text.UTF8Encoding $false
    $process = [Diagnostics.Process]::Start($start)
    try {
        # Both are drained while the child runs: it would stop at a full pipe.
        $output = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        $bytes = [Text.Encoding]::ASCII.GetBytes($Text)
        $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
        $process.StandardInput.Close()
        if (-not $process.WaitForExit(300000)) { $process.Kill(); throw 'The child did not end within five minutes.' }
        [void]$script:Said.Append($output.Result).Append($errors.Result)
        [pscustomobject]@{ ExitCode = $process.ExitCode; Output = $output.Result; Errors = $errors.Result }
    }
    finally { $process.Dispose() }
}

function Get-ChildOutput {
    # All that the children have printed so far, on both streams.
    $script:Said.ToString()
}

function Get-InspectionScript([int]$EvidenceDays = 0) {
    # Put together as remediate/fleet/script.py does.
    [IO.File]::ReadAllText((Join-Path $script:Plugins 'module_utils/IisRead.psm1')) + "`n" +
        [IO.File]::ReadAllText((Join-Path $script:Plugins 'module_utils/IisEvents.psm1')) + "`n`$evidenceDays = $EvidenceDays`n" +
        [IO.File]::ReadAllText((Join-Path $script:Repository 'remediate/fleet/scripts/inspect.ps1'))
}

function Invoke-Inspection([int]$EvidenceDays = 0, [string]$Culture) {
    # Returns the exit code, what was printed, and the parsed answer.
    $command = $script:InspectionBootstrap
    if ($Culture) { $command = "[Threading.Thread]::CurrentThread.CurrentCulture = '$Culture'; $command" }
    $child = Invoke-Child $command (Get-InspectionScript $EvidenceDays)
    if (-not $child.Output.Trim()) { throw "The inspection printed nothing (exit code $($child.ExitCode)): $($child.Errors)" }
    $child | Add-Member -PassThru -NotePropertyName Result -NotePropertyValue (ConvertFrom-Json $child.Output)
}

function Invoke-Module {
    # A module of the collection in a process of its own, since ExitJson ends it. ModuleUtils is the folder
    # ansible/module_utils of an unpacked ansible-core. Returns the exit code, what was printed, and the parsed result.
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [string] $ModuleUtils,
        [hashtable] $Arguments = @{},
        [switch] $Check,
        [switch] $Diff
    )
    $given = $Arguments.Clone()
    $given['_ansible_check_mode'] = $Check.IsPresent
    $given['_ansible_diff'] = $Diff.IsPresent
    $given['_ansible_module_name'] = "remediate.iis.$Name"
    $harness = (Join-Path $PSScriptRoot 'Harness.psm1').Replace("'", "''")
    $command = "Import-Module -Name '$harness' -DisableNameChecking; Start-Module (ConvertFrom-Json (@(`$input) -join ''))"
    $child = Invoke-Child $command (ConvertTo-AsciiJson @{ name = $Name; utils = $ModuleUtils; arguments = $given })
    if (-not $child.Output.Trim()) { throw "$Name printed nothing (exit code $($child.ExitCode)): $($child.Errors)" }
    $child | Add-Member -PassThru -NotePropertyName Result -NotePropertyValue (ConvertFrom-Json $child.Output)
}

# What follows runs in the child, and does what Ansible's exec_wrapper.ps1 and module_wrapper.ps1 do.

function Import-AnsibleBasic([string]$ModuleUtils) {
    # Ansible's own compiler function and its C# class, from an unpacked ansible-core.
    $addType = Join-Path $ModuleUtils 'powershell/Ansible.ModuleUtils.AddType.psm1'
    New-Module -Name Ansible.ModuleUtils.AddType -ScriptBlock ([ScriptBlock]::Create([IO.File]::ReadAllText($addType))) |
        Import-Module -Scope Global
    # With the classes that it uses, if any: 2.22 has Ansible.Secrets apart.
    $needed = New-Object System.Collections.ArrayList
    [void]$needed.Add('Ansible.Basic')
    $sources = for ($i = 0; $i -lt $needed.Count; $i++) {
        $source = [IO.File]::ReadAllText((Join-Path $ModuleUtils "csharp/$($needed[$i]).cs"))
        foreach ($used in [regex]::Matches($source, '(?m)^using (Ansible\.\w+);')) {
            if (-not $needed.Contains($used.Groups[1].Value)) { [void]$needed.Add($used.Groups[1].Value) }
        }
        $source
    }
    $wrapper = [pscustomobject]@{ Tmpdir = [IO.Path]::GetTempPath(); Verbosity = 0 }
    Add-CSharpType -References @($sources) -AnsibleModule $wrapper
    [Ansible.Basic.AnsibleModule]::_WrapperWarnings = New-Object 'System.Collections.Generic.List[string]'
}

function ConvertTo-Hashtable($Value) {
    # Ansible gives a module hashtables and arrays where JSON has objects and lists.
    if ($Value -is [System.Management.Automation.PSCustomObject]) {
        $table = @{}
        foreach ($property in $Value.PSObject.Properties) { $table[$property.Name] = ConvertTo-Hashtable $property.Value }
        return $table
    }
    if ($Value -is [array]) { return , @($Value | ForEach-Object { ConvertTo-Hashtable $_ }) }
    $Value
}

function Start-Module($Request) {
    Set-ConsoleEncoding
    $file = Join-Path $script:Plugins "modules/$($Request.name).ps1"
    $text = [IO.File]::ReadAllText($file)
    Import-AnsibleBasic $Request.utils

    # A runspace of its own: the module must not see the harness's functions, variables and strict mode.
    $shell = [PowerShell]::Create()
    $shell.Runspace.SessionStateProxy.SetVariable('ErrorActionPreference', 'Stop')
    $shell.Runspace.SessionStateProxy.SetVariable('complex_args', (ConvertTo-Hashtable $Request.arguments))
    foreach ($needed in [regex]::Matches($text, '(?m)^#AnsibleRequires -PowerShell \.\.module_utils\.(\w+)')) {
        $util = $needed.Groups[1].Value
        $source = [IO.File]::ReadAllText((Join-Path $script:Plugins "module_utils/$util.psm1"))
        [void]$shell.AddScript('New-Module -Name $args[0] -ScriptBlock ([ScriptBlock]::Create($args[1])) | Import-Module -WarningAction SilentlyContinue -Scope Global').
            AddArgument($util).AddArgument($source).AddStatement()
    }
    [void]$shell.AddScript('${function:<AnsibleModule>} = [ScriptBlock]::Create($args[0])').AddArgument($text).AddStatement()
    [void]$shell.AddCommand('<AnsibleModule>', $false).AddStatement()

    # Ansible.Basic writes to [Console]::Out.
    $console = [Console]::Out
    $printed = New-Object System.IO.StringWriter
    $trouble = $null
    try {
        [Console]::SetOut($printed)
        [void]$shell.Invoke()
        if ($shell.Streams.Error.Count -gt 0) { $trouble = $shell.Streams.Error[0] }
    }
    catch {
        $trouble = $_
        if ($_.Exception.InnerException -is [System.Management.Automation.IContainsErrorRecord]) { $trouble = $_.Exception.InnerException.ErrorRecord }
    }
    finally { [Console]::SetOut($console) }
    $code = $shell.Runspace.SessionStateProxy.GetVariable('LASTEXITCODE')
    if ($null -ne $trouble) {
        ConvertTo-AsciiJson @{
            failed = $true; msg = "Unhandled exception while executing module: $trouble"
            exception = "$($trouble.InvocationInfo.PositionMessage)`n$($trouble.ScriptStackTrace)"
        }
        $code = 1
    }
    else { $printed.ToString() }
    $Host.SetShouldExit([int]$code)
}

Export-ModuleMember -Function Import-AnsibleBasic, Start-Module, Invoke-Module, Invoke-Inspection, Get-InspectionScript, Get-ChildOutput, ConvertTo-AsciiJson
