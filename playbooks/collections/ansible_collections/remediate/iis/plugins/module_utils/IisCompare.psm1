# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# A change against the server as it is, and the diff of those that would be written. Needs IisRead.psm1, IisValue.psm1 and
# IisSnapshot.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Get-IisInherited($Snapshot, $Change, $Changes) {
    # What clearing gives: the schema's default at applicationPoolDefaults; at a pool what these have, or will have
    # where the same task changes them.
    $attribute = Find-IisAttribute $Snapshot.Manager.ApplicationPoolDefaults $Change.attribute
    if ($Change.scope -cne 'defaults') {
        $coming = $null
        foreach ($other in $Changes) {
            if ($other.scope -ceq 'defaults' -and $other.attribute -ceq $Change.attribute) { $coming = $other; break }
        }
        if ($null -eq $coming) { return Read-IisAttribute $Snapshot.Manager.ApplicationPoolDefaults $Change.attribute }
        if (-not $coming.clear) { return ConvertTo-IisSpelling $attribute.Schema $coming.set }
    }
    ConvertTo-IisText $attribute.Schema $attribute.Schema.DefaultValue
}

function New-IisResult($Change) {
    # What is reported of one change. It is stale until it is found to be something else.
    $result = [ordered]@{
        scope = $Change.scope; pool = $Change.pool; attribute = $Change.attribute; set = $Change.set; expect = $Change.expect
        state = 'stale'; found = $null; found_source = $null; wanted = $null; written = $false; verified = $false; detail = $null
    }
    if ($Change.scope -ceq 'defaults') { $result.pool = 'applicationPoolDefaults' }
    $result
}

function Compare-IisChange($Snapshot, $Change, $Changes) {
    # One change against the server as it is: ok (already so), pending (to be written) or stale (refused).
    $result = New-IisResult $Change
    $target = Get-IisTarget $Snapshot $Change
    if ($null -eq $target) { $result.detail = 'the pool is not there'; return $result }
    $read = Read-IisValue $Snapshot $Change $Change.attribute
    if ($null -eq $read) { $result.detail = 'this version of IIS does not know the attribute'; return $result }
    $result.found = $read.value
    $result.found_source = $read.source
    $schema = (Find-IisAttribute $target $Change.attribute).Schema
    $expected = ConvertTo-IisSpelling $schema $Change.expect
    if ($Change.clear) {
        $result.wanted = Get-IisInherited $Snapshot $Change $Changes
        # Whether it stands in the file: that is what clearing takes away, whatever the API says of it.
        $node = Get-IisTargetNode $Snapshot $Change
        $there = Test-IisNode $node $Change.attribute
        if ($null -eq $node -and $Change.scope -cne 'defaults') { $result.detail = 'the pool does not stand in the file'; return $result }
        if ($there -and $null -ne $Change.inherits -and $result.wanted -ne (ConvertTo-IisSpelling $schema $Change.inherits)) {
            $result.detail = "clearing it would give $($result.wanted), not $($Change.inherits)"
            return $result
        }
    }
    else {
        $result.wanted = ConvertTo-IisSpelling $schema $Change.set
        $there = $read.value -ne $result.wanted
    }
    if (-not $there) { $result.state = 'ok'; $result.verified = $true; return $result }
    if ($read.value -ne $expected) { $result.detail = "expected $expected, found $($read.value)"; return $result }
    $unmet = Get-IisUnmet $Snapshot $Change
    if ($unmet) { $result.detail = $unmet; return $result }
    $result.state = 'pending'
    $result
}

function Get-IisUnmet($Snapshot, $Change) {
    # The first condition of a change that does not hold, in words, or nothing.
    $target = Get-IisTarget $Snapshot $Change
    # A hash table has no order; whoever reads which condition does not hold should read the same each time.
    foreach ($name in @(Get-IisKey $Change.given | Sort-Object)) {
        $other = Read-IisValue $Snapshot $Change $name
        if ($null -eq $other) { return "this version of IIS does not know $name" }
        $given = ConvertTo-IisSpelling (Find-IisAttribute $target $name).Schema $Change.given[$name]
        if (-not (Test-IisSame $other.value $given)) { return "expected $name $given, found $($other.value)" }
    }
}

function Format-IisDiff($Results) {
    # What --diff prints. Names come from the server: what could steer a terminal is spelled out.
    $lines = New-Object System.Collections.ArrayList
    $last = $null
    foreach ($result in $Results) {
        if ($result.state -ne 'pending') { continue }
        $head = 'applicationPoolDefaults'
        if ($result.scope -cne 'defaults') {
            $head = 'pool: ' + [regex]::Replace($result.pool, '[\p{C}\p{Zl}\p{Zp}]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
        }
        if (-not [string]::Equals($head, $last, [StringComparison]::Ordinal)) { [void]$lines.Add($head) }
        $last = $head
        $line = '  {0}: {1} -> {2}' -f $result.attribute, $result.found, $result.wanted
        if ($null -eq $result.set) { $line += ' (inherited)' }
        [void]$lines.Add($line)
    }
    if ($lines.Count -eq 0) { return '' }
    ($lines -join "`n") + "`n"
}
