# A stand-in for Windows' CimCmdlets, for the simulated servers: the classes that the scripts ask for. They ask before
# anything else, so this module also brings what is in every PowerShell of Windows: the types for event logs.
# The server's own lab.txt says who it is. Anything else throws: nothing is invented.

Set-StrictMode -Version Latest

function Get-Knob([string]$Name, [string]$Default = '') {
    foreach ($line in [IO.File]::ReadAllLines((Join-Path $env:windir 'lab.txt'))) {
        $key, $value = $line -split '=', 2
        if ($key.Trim() -eq $Name) { return $value.Trim() }
    }
    $Default
}

function Test-Sign([string]$Sign) {
    # Whether IIS is told by its service, or by its key in the registry.
    (Get-Knob 'iis_version' '10.0') -ne 'none' -and (Get-Knob 'iis_signs' 'both') -in 'both', $Sign
}

if (Test-Sign 'key') { $null = New-PSDrive -Name HKLM -PSProvider FileSystem -Root (Join-Path $PSScriptRoot 'Registry') -Scope Global }

function Get-CimInstance {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $ClassName, [string] $Filter)

    switch ("$ClassName $Filter".Trim()) {
        'Win32_ComputerSystem' {
            $domain = Get-Knob 'domain'
            [pscustomobject]@{ DNSHostName = Get-Knob 'computer'; Domain = $domain; PartOfDomain = [bool]$domain }
        }
        'Win32_OperatingSystem' { [pscustomobject]@{ Version = Get-Knob 'windows_version' '10.0.17763' } }
        "Win32_Service Name='W3SVC'" { if (Test-Sign 'service') { [pscustomobject]@{ Name = 'W3SVC' } } }
        default { throw "The lab's Get-CimInstance does not know $_." }
    }
}

function New-Object {
    # In front of PowerShell's own. Windows PowerShell has the types for event logs in every process; .NET's do nothing here,
    # and PowerShell finds them before any other of the same name. So those that are asked for by name are the lab's.
    [CmdletBinding(DefaultParameterSetName = 'Net')]
    param(
        [Parameter(Mandatory, Position = 0, ParameterSetName = 'Net')] [string] $TypeName,
        [Parameter(Position = 1, ParameterSetName = 'Net')] [object[]] $ArgumentList,
        [Parameter(Mandatory, ParameterSetName = 'Com')] [string] $ComObject,
        [Parameter(ParameterSetName = 'Com')] [switch] $Strict,
        [System.Collections.IDictionary] $Property
    )
    if ($TypeName -notlike 'System.Diagnostics.Eventing.Reader.*') { return Microsoft.PowerShell.Utility\New-Object @PSBoundParameters }
    $types = [Reflection.Assembly]::LoadFrom((Join-Path $env:windir 'System32/Remediate.Lab.EventLogs.dll'))
    $types.GetType($TypeName, $true)::new.Invoke($ArgumentList)
}

Export-ModuleMember -Function Get-CimInstance, New-Object
