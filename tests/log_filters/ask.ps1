# Answers questions on standard input, each a line of JSON, each by a line: which cases does a logger write, with a
# filter where its user would put it? With -Build it only compiles what the others load.
param(
    [Parameter(Mandatory)] [string] $Loggers,
    [Parameter(Mandatory)] [string] $Harness,
    [switch] $Build
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
# Of versions that do not match to the last digit: they would stand before the answer.
$WarningPreference = 'SilentlyContinue'
$assemblies = @(Get-ChildItem -LiteralPath $Loggers -Filter *.dll | ForEach-Object FullName)
Add-Type -Path $assemblies
if ($Build) {
    $sources = @('Thrown.cs', 'Loggers.cs' | ForEach-Object { Join-Path $PSScriptRoot $_ })
    Add-Type -Path $sources -ReferencedAssemblies $assemblies -OutputAssembly $Harness -IgnoreWarnings
    return
}
Add-Type -Path $Harness
# C# as .NET Framework's own compiler takes it.
$compile = @{ ReferencedAssemblies = $assemblies; CompilerOptions = '/langversion:5'; IgnoreWarnings = $true }
while ($null -ne ($question = [Console]::In.ReadLine())) {
    try {
        $compiled = $null
        $code = (ConvertFrom-Json -InputObject $question -AsHashtable).code
        if ($code) { $compiled = @(Add-Type -TypeDefinition $code -PassThru @compile)[0] }
        $answer = [Tests.Loggers]::Ask($question, $compiled)
    }
    catch { $answer = ConvertTo-Json -Compress -InputObject "$_" }
    [Console]::Out.WriteLine($answer)
}
