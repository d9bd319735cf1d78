# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Changes application pools by compare-and-set: look at every change of the server first, write only if all of
# them still meet what the planner saw, read back what was written. Needs IisRead.psm1 beside it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The only attributes that are ever written.
$script:WritableAttributes = @('startMode', 'processModel.idleTimeout')
$script:Attempts = 5
$script:BackupsKept = 5

function Open-IisPicture {
    # One look at the server: a fresh manager, and the XML of the same moment.
    $manager = New-IisManager
    try {
        $shared = Get-IisSharedConfigPath $manager
        $document = Read-IisConfigFile $shared
        @{
            Manager      = $manager
            SharedPath   = $shared
            PoolNodes    = Get-IisNodeMap $document '/configuration/system.applicationHost/applicationPools/add' 'name'
            DefaultsNode = $document.SelectSingleNode('/configuration/system.applicationHost/applicationPools/applicationPoolDefaults')
        }
    }
    catch { $manager.Dispose(); throw }
}

function Get-IisPool($Picture, [string]$Name) {
    # By our own comparison: how the API's indexer compares names is not documented.
    foreach ($pool in $Picture.Manager.ApplicationPools) {
        if ([string]::Equals($pool.Name, $Name, [StringComparison]::OrdinalIgnoreCase)) { return $pool }
    }
}

function Read-IisValue($Picture, $Pool, [string]$Name) {
    $node = $null
    if ($Picture.PoolNodes.ContainsKey($Pool.Name)) { $node = $Picture.PoolNodes[$Pool.Name] }
    Read-IisPoolAttribute $Pool $node $Picture.DefaultsNode $Name
}

function ConvertTo-IisTyped($Schema, [string]$Text) {
    # The value to hand to the API. Texts that mean nothing are refused here, before anything is compared.
    switch ($Schema.Type) {
        'timeSpan' { return (ConvertFrom-IisTimeText $Text) }
        'bool' {
            if ($Text -notin 'true', 'false') { throw "'$Text' is neither true nor false ($($Schema.Name))." }
            return ($Text -eq 'true')
        }
        'enum' {
            foreach ($item in $Schema.GetEnumValues()) { if ($item.Name -eq $Text) { return $item.Name } }
            throw "'$Text' is not a value of $($Schema.Name)."
        }
        default { return $Text }
    }
}

function Get-IisInherited($Picture, [string]$Name) {
    # What a pool has when it says nothing itself.
    (Read-IisAttribute $Picture.Manager.ApplicationPoolDefaults $Name).value
}

function Compare-IisChange($Picture, $Change) {
    # One change against the server as it is: ok (already so), pending (to be written) or stale (refused).
    $result = [ordered]@{
        pool = $Change.pool; attribute = $Change.attribute; set = $Change.set; expect = $Change.expect
        state = 'stale'; found = $null; found_source = $null; wanted = $null; written = $false; verified = $false; detail = $null
    }
    $pool = Get-IisPool $Picture $Change.pool
    if ($null -eq $pool) { $result.detail = 'the pool is not there'; return $result }
    $read = Read-IisValue $Picture $pool $Change.attribute
    if ($null -eq $read) { $result.detail = 'this version of IIS does not know the attribute'; return $result }
    $result.found = $read.value
    $result.found_source = $read.source
    $schema = (Find-IisAttribute $pool $Change.attribute).Schema
    $expected = ConvertTo-IisText $schema (ConvertTo-IisTyped $schema $Change.expect)
    if ($Change.clear) {
        $result.wanted = Get-IisInherited $Picture $Change.attribute
        # Whether it stands in the file: that is what clearing takes away, whatever the API says of it.
        $there = Test-IisNode $Picture.PoolNodes[$pool.Name] $Change.attribute
        if ($there -and $null -ne $Change.inherits -and
            $result.wanted -ne (ConvertTo-IisText $schema (ConvertTo-IisTyped $schema $Change.inherits))) {
            $result.detail = "clearing it would give $($result.wanted), not $($Change.inherits)"
            return $result
        }
    }
    else {
        $result.wanted = ConvertTo-IisText $schema (ConvertTo-IisTyped $schema $Change.set)
        $there = $read.value -ne $result.wanted
    }
    if (-not $there) { $result.state = 'ok'; $result.verified = $true; return $result }
    if ($read.value -ne $expected) { $result.detail = "expected $expected, found $($read.value)"; return $result }
    foreach ($name in @($Change.given.Keys)) {
        $other = Read-IisValue $Picture $pool $name
        if ($null -eq $other) { $result.detail = "this version of IIS does not know $name"; return $result }
        $otherSchema = (Find-IisAttribute $pool $name).Schema
        $given = ConvertTo-IisText $otherSchema (ConvertTo-IisTyped $otherSchema $Change.given[$name])
        if ($other.value -ne $given) { $result.detail = "expected $name $given, found $($other.value)"; return $result }
    }
    $result.state = 'pending'
    $result
}

function Set-IisChange($Picture, $Change) {
    # In memory only: CommitChanges writes.
    $pool = Get-IisPool $Picture $Change.pool
    $attribute = Find-IisAttribute $pool $Change.attribute
    if ($Change.clear) { $attribute.Delete() }
    else { $attribute.Value = ConvertTo-IisTyped $attribute.Schema $Change.set }
}

function Test-IisFileConflict($ErrorRecord) {
    # Somebody else wrote, or holds the file. By type and HRESULT: the texts are translated.
    $cause = $ErrorRecord.Exception
    while ($null -ne $cause) {
        if ($cause -is [IO.FileLoadException] -or [Runtime.InteropServices.Marshal]::GetHRForException($cause) -eq 0x80070020) { return $true }
        $cause = $cause.InnerException
    }
    $false
}

function Backup-IisConfig($Picture, [string]$Name) {
    # In the layout of appcmd's own backups, on the server, and never copied off it: the files hold secrets.
    $root = Join-Path $env:windir 'System32\inetsrv\backup'
    $target = Join-Path $root $Name
    [void](New-Item -ItemType Directory -Path $target -Force)
    $config = Join-Path $env:windir 'System32\inetsrv\config'
    foreach ($file in 'applicationHost.config', 'administration.config', 'redirection.config') {
        $source = Join-Path $config $file
        if ($file -eq 'applicationHost.config' -and $Picture.SharedPath) { $source = Join-Path $Picture.SharedPath $file }
        if (Test-Path -LiteralPath $source) { Copy-Item -LiteralPath $source -Destination (Join-Path $target $file) -Force }
    }
    # Only what a run of ours made, told by the form of its name.
    $ours = '^remediate-\d{8}T\d{6}Z(-[0-9a-f]{6})?$'
    $old = Get-ChildItem -LiteralPath $root | Where-Object { $_.PSIsContainer -and $_.Name -cmatch $ours -and $_.Name -ne $Name } |
        Sort-Object LastWriteTimeUtc -Descending | Select-Object -Skip ($script:BackupsKept - 1)
    foreach ($folder in @($old)) { Remove-Item -LiteralPath $folder.FullName -Recurse -Force }
}

function Wait-IisEffect($Group, [int]$Seconds) {
    # The file is written late: look with a fresh manager until every value is there, or the time is up.
    $until = [DateTime]::UtcNow.AddSeconds($Seconds)
    while ($true) {
        $picture = Open-IisPicture
        try {
            foreach ($result in $Group) {
                $pool = Get-IisPool $picture $result.pool
                $result.verified = $null -ne $pool -and (Read-IisValue $picture $pool $result.attribute).value -eq $result.wanted
            }
        }
        finally { $picture.Manager.Dispose() }
        if (@($Group | Where-Object { -not $_.verified }).Count -eq 0) { return $true }
        if ([DateTime]::UtcNow -ge $until) { return $false }
        Start-Sleep -Milliseconds 200
    }
}

function Write-IisGroup($Changes, $Results, [int[]]$Group) {
    # One commit. After a conflict everything is read and compared again: a stale manager is never retried.
    # Returns $true when it was written, $false when the second look found the server changed.
    for ($attempt = 1; $true; $attempt++) {
        $picture = Open-IisPicture
        try {
            $stale = $false
            $pending = $false
            foreach ($index in $Group) {
                $fresh = Compare-IisChange $picture $Changes[$index]
                if ($fresh.state -eq 'stale') { $stale = $true }
                if ($fresh.state -ne 'ok') { $pending = $true }
                foreach ($key in 'state', 'found', 'found_source', 'wanted', 'detail') { $Results[$index][$key] = $fresh[$key] }
            }
            if ($stale) { return $false }
            # Somebody else may have set the very values meanwhile: then there is nothing of ours to write.
            if (-not $pending) { return $true }
            foreach ($index in $Group) { if ($Results[$index].state -eq 'pending') { Set-IisChange $picture $Changes[$index] } }
            $picture.Manager.CommitChanges()
            foreach ($index in $Group) { if ($Results[$index].state -eq 'pending') { $Results[$index].written = $true } }
            return $true
        }
        catch {
            if (-not (Test-IisFileConflict $_) -or $attempt -ge $script:Attempts) { throw }
        }
        finally { $picture.Manager.Dispose() }
        Start-Sleep -Milliseconds (Get-Random -Minimum 200 -Maximum (600 * $attempt))
    }
}

function Format-IisDiff($Results) {
    # What --diff prints. Names come from the server: what could steer a terminal is spelled out.
    $lines = New-Object System.Collections.ArrayList
    $last = $null
    foreach ($result in $Results) {
        if ($result.state -ne 'pending') { continue }
        if ($result.pool -cne $last) {
            [void]$lines.Add('pool: ' + [regex]::Replace($result.pool, '[\p{C}\p{Zl}\p{Zp}]', { param($match) '\u{0:x4}' -f [int][char]$match.Value }))
            $last = $result.pool
        }
        $line = '  {0}: {1} -> {2}' -f $result.attribute, $result.found, $result.wanted
        if ($null -eq $result.set) { $line += ' (inherited)' }
        [void]$lines.Add($line)
    }
    if ($lines.Count -eq 0) { return '' }
    ($lines -join "`n") + "`n"
}

function Invoke-IisChange($Changes, [string]$Machine, [string]$Backup, [int]$PoolsPerCommit, [int]$Pause, [int]$VerifySeconds, [bool]$CheckMode) {
    # All changes of one server. Returns @{machine; changed; stale; failed; changes; diff; backup}; `failed` is a text or $null.
    $outcome = @{ machine = Get-IisMachineName; changed = $false; stale = $false; failed = $null; changes = @(); diff = ''; backup = $null }
    if ($Machine -and $Machine -ne $outcome.machine) {
        $outcome.stale = $true
        $outcome.failed = "another machine answers here: the plan was made for $Machine, this is $($outcome.machine). Nothing was written."
        return $outcome
    }
    $picture = Open-IisPicture
    try {
        $results = @(foreach ($change in $Changes) { Compare-IisChange $picture $change })
        $outcome.changes = $results
        $outcome.diff = Format-IisDiff $results
        $stale = @($results | Where-Object { $_.state -eq 'stale' })
        if ($stale.Count -gt 0) {
            $outcome.stale = $true
            $outcome.failed = "changed since the plan: $($stale[0].pool): $($stale[0].detail) ($($stale.Count) of $($results.Count) changes). Nothing was written."
            return $outcome
        }
        $pending = @(for ($i = 0; $i -lt $results.Count; $i++) { if ($results[$i].state -eq 'pending') { $i } })
        if ($pending.Count -eq 0) { return $outcome }
        if ($CheckMode) { $outcome.changed = $true; return $outcome }
        if ($Backup) { Backup-IisConfig $picture $Backup; $outcome.backup = $Backup }
    }
    finally { $picture.Manager.Dispose() }

    $pools = @($pending | ForEach-Object { $results[$_].pool } | Select-Object -Unique)
    for ($start = 0; $start -lt $pools.Count; $start += $PoolsPerCommit) {
        if ($start -gt 0) { Start-Sleep -Seconds $Pause }
        $names = @($pools[$start..([Math]::Min($start + $PoolsPerCommit, $pools.Count) - 1)])
        $group = @($pending | Where-Object { $names -ccontains $results[$_].pool })
        try { $written = Write-IisGroup $Changes $results $group }
        catch {
            $outcome.failed = "the configuration could not be written: $((Get-IisCause $_).Message)"
            break
        }
        if (-not $written) {
            $first = @($group | ForEach-Object { $results[$_] } | Where-Object { $_.state -eq 'stale' })[0]
            # Stale promises that nothing was written: after an earlier commit it is a failure.
            $outcome.stale = -not $outcome.changed
            $outcome.failed = "changed while this ran: $($first.pool): $($first.detail)."
            break
        }
        $outcome.changed = $outcome.changed -or @($group | Where-Object { $results[$_].written }).Count -gt 0
        try { $seen = Wait-IisEffect @($group | ForEach-Object { $results[$_] }) $VerifySeconds }
        catch {
            $outcome.failed = "written, but the configuration could not be read again: $((Get-IisCause $_).Message)"
            break
        }
        if (-not $seen) {
            $outcome.failed = "written, but not seen on a fresh look within $VerifySeconds s"
            break
        }
    }
    $outcome
}
