# Answers questions on standard input, a line of JSON each, by a line of JSON. See Facts.cs.
param([string[]] $Assemblies, [string[]] $Sources)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Add-Type -Path (Join-Path $PSScriptRoot 'Facts.cs') -CompilerOptions '/nowarn:CS1701,CS1702' -ReferencedAssemblies @(
    (Join-Path $PSHOME 'Microsoft.CodeAnalysis.dll'), (Join-Path $PSHOME 'Microsoft.CodeAnalysis.CSharp.dll')
    [psobject].Assembly.Location
    'netstandard', 'System.Runtime', 'System.Collections', 'System.Collections.Immutable', 'System.Linq', 'System.Text.Json'
)
if ($Assemblies) { [Facts]::Read($Assemblies, $Sources) }
while ($null -ne ($line = [Console]::In.ReadLine())) { [Console]::Out.WriteLine([Facts]::Answer($line)) }
