# Lets the real loggers write their logs into a folder.
param(
    [Parameter(Mandatory)] [string] $Loggers,
    [Parameter(Mandatory)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$WarningPreference = 'SilentlyContinue'
$assemblies = @(Get-ChildItem -LiteralPath $Loggers -Filter *.dll | ForEach-Object FullName)
Add-Type -Path $assemblies
Add-Type -Path (Join-Path $PSScriptRoot 'Writers.cs') -ReferencedAssemblies $assemblies -IgnoreWarnings
[Tests.Writers]::Write($Folder)
