# Runs the modules of a collection, and its functions, in one process. Asked on standard input by lines of JSON:
# {"module": name, "arguments": {...}} gives what the module prints; {"code": text, "arguments": {...}} what the code gives, with
# the arguments in $given. Each runs in a runspace of its own, loaded as Ansible's wrapper loads it.
param(
    [Parameter(Mandatory)] [string] $Plugins,
    [Parameter(Mandatory)] [string] $ModuleUtils,
    [Parameter(Mandatory)] [string] $Harness
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name $Harness -DisableNameChecking
Import-AnsibleBasic $ModuleUtils

function New-Shell([string[]]$Utils, $Given) {
    $shell = [PowerShell]::Create()
    $shell.Runspace.SessionStateProxy.SetVariable('ErrorActionPreference', 'Stop')
    $shell.Runspace.SessionStateProxy.SetVariable('complex_args', $Given)
    $shell.Runspace.SessionStateProxy.SetVariable('given', $Given)
    foreach ($util in $Utils) {
        $source = [IO.File]::ReadAllText((Join-Path $Plugins "module_utils/$util.psm1"))
        [void]$shell.AddScript('New-Module -Name $args[0] -ScriptBlock ([ScriptBlock]::Create($args[1])) | Import-Module -WarningAction SilentlyContinue -Scope Global').
            AddArgument($util).AddArgument($source).AddStatement()
    }
    $shell
}

function Invoke-Question($Question) {
    $console = [Console]::Out
    $printed = New-Object System.IO.StringWriter
    if ($Question.ContainsKey('module')) {
        $text = [IO.File]::ReadAllText((Join-Path $Plugins "modules/$($Question.module).ps1"))
        $utils = @([regex]::Matches($text, '(?m)^#AnsibleRequires -PowerShell \.\.module_utils\.(\w+)') | ForEach-Object { $_.Groups[1].Value })
        $shell = New-Shell $utils $Question.arguments
        [void]$shell.AddScript('${function:<AnsibleModule>} = [ScriptBlock]::Create($args[0])').AddArgument($text).AddStatement()
        [void]$shell.AddCommand('<AnsibleModule>', $false).AddStatement()
    }
    else {
        $shell = New-Shell @(Get-ChildItem (Join-Path $Plugins 'module_utils') -Filter *.psm1 | ForEach-Object BaseName | Sort-Object) $Question.arguments
        [void]$shell.AddScript($Question.code)
    }
    try {
        [Console]::SetOut($printed)
        $output = $shell.Invoke()
        if ($shell.Streams.Error.Count -gt 0) { throw $shell.Streams.Error[0] }
        if ($Question.ContainsKey('module')) { return @{ printed = $printed.ToString() } }
        @{ value = @($output) }
    }
    catch {
        $cause = $_.Exception
        while ($cause.InnerException) { $cause = $cause.InnerException }
        @{ error = "$($cause.GetType().FullName): $($cause.Message)" }
    }
    finally { [Console]::SetOut($console); $shell.Dispose() }
}

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $answer = Invoke-Question (ConvertFrom-Json -InputObject $line -AsHashtable)
    [Console]::Out.WriteLine((ConvertTo-AsciiJson $answer))
}
