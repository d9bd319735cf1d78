# Compile the stand-in for Microsoft.Web.Administration. The file version is the server's IIS version, as
# that of the real assembly is, and the stand-in takes its schema from it. Or with -EventLogs, the stand-in for Windows'
# types for event logs.
param(
    [Parameter(Mandatory)] [string] $OutputPath,
    [Parameter(Mandatory, ParameterSetName = 'Administration')]
    [ValidatePattern('^(7\.5|8\.0|8\.5|10\.0)\.\d+\.\d+$')] [string] $FileVersion,
    # 7.9.0.0 is that of IIS Express.
    [Parameter(ParameterSetName = 'Administration')] [string] $AssemblyVersion = '7.0.0.0',
    [Parameter(Mandatory, ParameterSetName = 'EventLogs')] [switch] $EventLogs
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$OutputPath = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutputPath)
if ($EventLogs) {
    Add-Type -Path (Join-Path $PSScriptRoot 'EventLogs/EventLogs.cs') -OutputAssembly $OutputPath -OutputType Library
    return
}
$work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $work
try {
    $info = Join-Path $work 'AssemblyInfo.cs'
    # 7.0.0.0 is what the real assembly calls itself, whatever IIS it comes with.
    Set-Content -LiteralPath $info -Value @(
        "[assembly: System.Reflection.AssemblyVersion(`"$AssemblyVersion`")]"
        "[assembly: System.Reflection.AssemblyFileVersion(`"$FileVersion`")]"
        '[assembly: System.Reflection.AssemblyProduct("Stand-in for Internet Information Services, for a lab")]'
    )
    $sources = @(Get-ChildItem -LiteralPath $PSScriptRoot -Filter *.cs | Sort-Object Name | ForEach-Object FullName) + $info
    # The compiler names the assembly after its file, so it is made under its own name and then moved.
    $made = Join-Path $work 'Microsoft.Web.Administration.dll'
    Add-Type -Path $sources -OutputAssembly $made -OutputType Library
    Move-Item -LiteralPath $made -Destination $OutputPath -Force
}
finally {
    Remove-Item -LiteralPath $work -Recurse -Force
}
