# A stand-in for Windows' CimCmdlets, for the simulated servers: the classes that the scripts ask for. They ask before
# anything else, so this module also brings what is in every PowerShell of Windows: the types for event logs.
# The server's own lab.txt says who it is. Anything else throws: nothing is invented.

Set-StrictMode -Version Latest

function Get-CimInstance {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $ClassName)

    $known = @{ computer = ''; domain = ''; windows_version = '10.0.17763' }
    foreach ($line in [IO.File]::ReadAllLines((Join-Path $env:windir 'lab.txt'))) {
        $key, $value = $line -split '=', 2
        if ($known.ContainsKey($key.Trim())) { $known[$key.Trim()] = $value.Trim() }
    }
    switch ($ClassName) {
        'Win32_ComputerSystem' {
            [pscustomobject]@{ DNSHostName = $known.computer; Domain = $known.domain; PartOfDomain = [bool]$known.domain }
        }
        'Win32_OperatingSystem' { [pscustomobject]@{ Version = $known.windows_version } }
        default { throw "The lab's Get-CimInstance does not know the class $ClassName." }
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
