# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Which pools a pattern means, and the changes that it makes of them. Needs IisRead.psm1 and IisValue.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Test-IisGlob([string]$Name, [string]$Glob) {
    # `*` and `?` and nothing else, over the whole name, without case. -like would see a set in `[`.
    $any = '(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\uD800-\uDFFF])'
    $pattern = [regex]::Escape($Glob.ToUpperInvariant()).Replace('\*', '.*').Replace('\?', $any)
    [regex]::IsMatch($Name.ToUpperInvariant(), "\A$pattern\z", 'Singleline')
}

function Expand-IisPattern($Snapshot, $Pattern) {
    # A change for each pool that is meant, from what is found: then it is compared like any other.
    foreach ($pool in $Snapshot.Manager.ApplicationPools) {
        if (@($Pattern.pools | Where-Object { Test-IisGlob $pool.Name $_ }).Count -eq 0) { continue }
        $change = @{ scope = 'pool'; pool = $pool.Name; attribute = $Pattern.attribute; set = $Pattern.set; given = @{}; clear = $false; inherits = $null }
        $read = Read-IisAttribute $pool $Pattern.attribute
        $change.expect = if ($null -eq $read) { '' } else { $read }
        # What this version of IIS does not know counts as met: before 8.5 an idle worker is always ended.
        foreach ($name in @(Get-IisKey $Pattern.given)) {
            if ($null -ne (Find-IisAttribute $pool $name)) { $change.given[$name] = $Pattern.given[$name] }
        }
        $change
    }
}

function Get-IisUnmatched($Pattern, $Changes) {
    # A warning for each glob that means no pool of the server.
    foreach ($glob in $Pattern.pools) {
        if (@($Changes | Where-Object { Test-IisGlob $_.pool $glob }).Count -eq 0) { "pools: no application pool matches '$glob'" }
    }
}
