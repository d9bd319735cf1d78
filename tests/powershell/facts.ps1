# Answers questions on standard input, a line of JSON each: {"tree": text} or {"members": type}. See Facts.cs.
param([string[]] $Assemblies)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Add-Type -Path (Join-Path $PSScriptRoot 'Facts.cs') -CompilerOptions '/nowarn:CS1701,CS1702' -ReferencedAssemblies @(
    (Join-Path $PSHOME 'Microsoft.CodeAnalysis.dll'), (Join-Path $PSHOME 'Microsoft.CodeAnalysis.CSharp.dll')
    [psobject].Assembly.Location, 'netstandard', 'System.Runtime', 'System.Collections', 'System.Collections.Immutable', 'System.Linq'
)
if ($Assemblies) { [Facts]::Read($Assemblies) }
$options = New-Object System.Text.Json.JsonSerializerOptions
$options.MaxDepth = 2000
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $question = [System.Text.Json.JsonDocument]::Parse($line).RootElement
    $text = New-Object System.Text.Json.JsonElement
    $answer = if ($question.TryGetProperty('tree', [ref]$text)) { [Facts]::Tree($text.GetString()) }
    else { [Facts]::Members($question.GetProperty('members').GetString()) }
    [Console]::Out.WriteLine([System.Text.Json.JsonSerializer]::Serialize($answer, $options))
}
