# A stand-in for Windows' CimCmdlets, for the simulated servers: the two classes that the inspection asks for.
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
