# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Changes application pools by compare-and-set: look at every change of the server first, write only if all of
# them still meet what the planner saw, read back what was written. Needs IisRead.psm1 and IisLock.psm1 beside it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Attempts = 5
$script:BackupsKept = 5

function Open-IisPicture {
    Invoke-IisLook { Read-IisPicture }
}

function Read-IisPicture {
    # One look at the server: a fresh manager, and the XML of the same moment.
    $manager = New-IisManager
    try {
        $shared = Get-IisSharedConfigPath $manager
        $section = Get-IisSectionNode (Read-IisConfigFile $shared) 'applicationPools'
        @{
            Manager      = $manager
            SharedPath   = $shared
            Pools        = Get-IisPoolMap $manager
            PoolNodes    = Get-IisNodeMap $section 'add' 'name'
            DefaultsNode = Get-IisDefaultsNode $section 'applicationPoolDefaults'
        }
    }
    catch { $manager.Dispose(); throw }
}

function Get-IisPoolMap($Manager) {
    # Each pool by its name, once a look: each step through the pools is a call into IIS. By our own comparison, since how
    # the API's indexer compares names is not documented.
    $map = New-IisNameMap
    foreach ($pool in $Manager.ApplicationPools) { $map[$pool.GetAttributeValue('name')] = $pool }
    , $map
}

function Get-IisTarget($Picture, $Change) {
    # What a change is about: applicationPoolDefaults or a pool, $null where that is not there. A pool may be named
    # applicationPoolDefaults: the scope tells, never the name.
    if ($Change.scope -ceq 'defaults') { $Picture.Manager.ApplicationPoolDefaults }
    elseif ($Picture.Pools.ContainsKey($Change.pool)) { $Picture.Pools[$Change.pool] }
}

function Get-IisTargetNode($Picture, $Change) {
    # Its element in the file, or $null.
    if ($Change.scope -ceq 'defaults') { return $Picture.DefaultsNode }
    if ($Picture.PoolNodes.ContainsKey($Change.pool)) { $Picture.PoolNodes[$Change.pool] }
}

function Read-IisValue($Picture, $Change, [string]$Name) {
    # @{value; source} of an attribute of what the change is about.
    if ($Change.scope -ceq 'defaults') { return Read-IisDefault $Picture.Manager $Picture.DefaultsNode $Name }
    Read-IisPoolAttribute (Get-IisTarget $Picture $Change) (Get-IisTargetNode $Picture $Change) $Picture.DefaultsNode $Name
}

function ConvertTo-IisTyped($Schema, [string]$Text) {
    # The value to hand to the API. Texts that mean nothing are refused here, before anything is compared.
    switch ($Schema.Type) {
        'timeSpan' { return (ConvertFrom-IisTimeText $Text) }
        'bool' {
            $yes = Test-IisSame $Text 'true'
            if (-not $yes -and -not (Test-IisSame $Text 'false')) { throw "'$Text' is neither true nor false ($($Schema.Name))." }
            return $yes
        }
        'enum' {
            foreach ($item in $Schema.GetEnumValues()) { if (Test-IisSame $item.Name $Text) { return $item.Name } }
            throw "'$Text' is not a value of $($Schema.Name)."
        }
        default { return $Text }
    }
}

function Get-IisKey($Given) {
    # By a method: where a condition is named Keys, the property .Keys is what it asks for.
    foreach ($pair in $Given.GetEnumerator()) { $pair.Key }
}

function Get-IisInherited($Picture, $Change, $Changes) {
    # What clearing gives: the schema's default at applicationPoolDefaults; at a pool what these have, or will have
    # where the same task changes them.
    $attribute = Find-IisAttribute $Picture.Manager.ApplicationPoolDefaults $Change.attribute
    if ($Change.scope -cne 'defaults') {
        $coming = $null
        foreach ($other in $Changes) {
            if ($other.scope -ceq 'defaults' -and $other.attribute -ceq $Change.attribute) { $coming = $other; break }
        }
        if ($null -eq $coming) { return Read-IisAttribute $Picture.Manager.ApplicationPoolDefaults $Change.attribute }
        if (-not $coming.clear) { return ConvertTo-IisText $attribute.Schema (ConvertTo-IisTyped $attribute.Schema $coming.set) }
    }
    ConvertTo-IisText $attribute.Schema $attribute.Schema.DefaultValue
}

function Compare-IisChange($Picture, $Change, $Changes) {
    # One change against the server as it is: ok (already so), pending (to be written) or stale (refused).
    $result = [ordered]@{
        scope = $Change.scope; pool = $Change.pool; attribute = $Change.attribute; set = $Change.set; expect = $Change.expect
        state = 'stale'; found = $null; found_source = $null; wanted = $null; written = $false; verified = $false; detail = $null
    }
    if ($Change.scope -ceq 'defaults') { $result.pool = 'applicationPoolDefaults' }
    $target = Get-IisTarget $Picture $Change
    if ($null -eq $target) { $result.detail = 'the pool is not there'; return $result }
    $read = Read-IisValue $Picture $Change $Change.attribute
    if ($null -eq $read) { $result.detail = 'this version of IIS does not know the attribute'; return $result }
    $result.found = $read.value
    $result.found_source = $read.source
    $schema = (Find-IisAttribute $target $Change.attribute).Schema
    $expected = ConvertTo-IisText $schema (ConvertTo-IisTyped $schema $Change.expect)
    if ($Change.clear) {
        $result.wanted = Get-IisInherited $Picture $Change $Changes
        # Whether it stands in the file: that is what clearing takes away, whatever the API says of it.
        $node = Get-IisTargetNode $Picture $Change
        if ($null -eq $node -and $Change.scope -cne 'defaults') { $result.detail = 'the pool does not stand in the file'; return $result }
        $there = Test-IisNode $node $Change.attribute
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
    # A hash table has no order; whoever reads which one does not hold should read the same each time.
    foreach ($name in @(Get-IisKey $Change.given | Sort-Object)) {
        $other = Read-IisValue $Picture $Change $name
        if ($null -eq $other) { $result.detail = "this version of IIS does not know $name"; return $result }
        $otherSchema = (Find-IisAttribute $target $name).Schema
        $given = ConvertTo-IisText $otherSchema (ConvertTo-IisTyped $otherSchema $Change.given[$name])
        if (-not (Test-IisSame $other.value $given)) { $result.detail = "expected $name $given, found $($other.value)"; return $result }
    }
    $result.state = 'pending'
    $result
}

function Test-IisGlob([string]$Name, [string]$Glob) {
    # `*` and `?` and nothing else, over the whole name, without case. -like would see a set in `[`.
    $any = '(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\uD800-\uDFFF])'
    $pattern = [regex]::Escape($Glob.ToUpperInvariant()).Replace('\*', '.*').Replace('\?', $any)
    [regex]::IsMatch($Name.ToUpperInvariant(), "\A$pattern\z", 'Singleline')
}

function Expand-IisPattern($Picture, $Pattern) {
    # A change for each pool that is meant, from what is found: then it is compared like any other.
    foreach ($pool in $Picture.Manager.ApplicationPools) {
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

function Assert-IisSettable([string]$Attribute, [string]$Text) {
    # What IIS's schema admits, before anything is looked at.
    if ($Attribute -ceq 'startMode') {
        if (-not (Test-IisSame $Text 'OnDemand') -and -not (Test-IisSame $Text 'AlwaysRunning')) { throw "'$Text' is not a value of startMode." }
        return
    }
    $seconds = (ConvertFrom-IisTimeText $Text).TotalSeconds
    if ($seconds -gt 2592000 -or $seconds % 60 -ne 0) {
        throw "'$Text' is out of the range of ${Attribute}: 00:00:00 to 30.00:00:00, in whole minutes."
    }
}

function Assert-IisGiven($Given) {
    # Only what is read anyway may be compared: a stale answer tells what was found, and that must be no password.
    foreach ($name in @(Get-IisKey $Given)) {
        if ((Get-IisPoolAttributeName) -cnotcontains $name) {
            throw "given: '$name' is none of $((Get-IisPoolAttributeName) -join ', ')"
        }
    }
}

function Set-IisChange($Picture, $Change) {
    # In memory only: CommitChanges writes.
    $attribute = Find-IisAttribute (Get-IisTarget $Picture $Change) $Change.attribute
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

function New-IisBackupFolder([string]$Path) {
    # The files hold secrets, and the folder above lets Users read. So before the first copy the folder has a list of its
    # own, which protects what comes into it: SYSTEM (S-1-5-18) and Administrators (S-1-5-32-544), and nobody else.
    [void](New-Item -ItemType Directory -Path $Path -Force)
    try {
        $rights = Get-Acl -LiteralPath $Path
        $rights.SetSecurityDescriptorSddlForm('D:P(A;OICI;FA;;;S-1-5-18)(A;OICI;FA;;;S-1-5-32-544)', 'Access')
        Set-Acl -LiteralPath $Path -AclObject $rights
    }
    catch { throw "the access rights of the backup's folder ($Path) could not be set: $((Get-IisCause $_).Message) Nothing was written." }
}

function Copy-IisFile([string]$Source, [string]$Target) {
    # It shares as the reading does, and stands in nobody's way.
    $from = [IO.File]::Open($Source, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        $to = [IO.File]::Open($Target, 'Create', 'Write', 'None')
        try { $from.CopyTo($to) } finally { $to.Dispose() }
    }
    finally { $from.Dispose() }
}

function Backup-IisConfig($Picture, [string]$Name) {
    # In the layout of appcmd's own backups, on the server, and never copied off it: the files hold secrets.
    $root = Join-Path $env:windir 'System32\inetsrv\backup'
    $target = Join-Path $root $Name
    New-IisBackupFolder $target
    $config = Join-Path $env:windir 'System32\inetsrv\config'
    foreach ($file in 'applicationHost.config', 'administration.config', 'redirection.config') {
        $source = Join-Path $config $file
        if ($file -eq 'applicationHost.config' -and $Picture.SharedPath) { $source = [IO.Path]::Combine($Picture.SharedPath, $file) }
        # The first one is there, if not at this moment.
        if ($file -ceq 'applicationHost.config' -or (Test-Path -LiteralPath $source)) {
            Invoke-IisLook { Copy-IisFile $source (Join-Path $target $file) }
        }
    }
    # Only what a run of ours made, told by the form of its name.
    $ours = '^remediate-[0-9]{8}T[0-9]{6}Z(-[0-9a-f]{6})?\z'
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
                $there = $null -ne (Get-IisTarget $picture $result)
                $result.verified = $there -and (Read-IisValue $picture $result $result.attribute).value -eq $result.wanted
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
                $fresh = Compare-IisChange $picture $Changes[$index] $Changes
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

function Invoke-IisChange($Changes, $Pattern, [string]$Machine, [string]$Backup, [int]$PoolsPerCommit, [int]$Pause, [int]$VerifySeconds, [bool]$CheckMode, $Run) {
    # All changes of one server: those given, or those that $Pattern (@{pools; attribute; set; given; skip; allow_shared}) makes of its pools.
    # $Run (@{name; undoes; wait}) is who writes.
    # Returns @{machine; changed; stale; failed; changes; diff; backup; warnings}; `failed` is a text or $null.
    $outcome = @{
        machine = Get-IisMachineName; changed = $false; stale = $false; failed = $null; changes = @(); diff = ''; backup = $null; warnings = @()
    }
    if ($Machine -and -not (Test-IisSame $Machine $outcome.machine)) {
        $outcome.stale = $true
        $outcome.failed = "another machine answers here: the plan was made for $Machine, this is $($outcome.machine). Nothing was written."
        return $outcome
    }
    if ($Pattern -and -not (Test-IisInstalled)) {
        $outcome.warnings = @('pools: there is no IIS on this server')
        return $outcome
    }
    $shared = Invoke-IisLook { Read-IisSharedPath }
    if ($Pattern -and $shared -and -not $Pattern.allow_shared) {
        # Pools are named by a pattern, and nobody named the other servers that this edit would change.
        $why = "shared configuration ($shared): one edit changes every server of it, and allow_shared was not given"
        if ($Pattern.skip) { $outcome.warnings = @($why) }
        else { $outcome.stale = $true; $outcome.failed = "$why. Nothing was written." }
        return $outcome
    }
    $lock = $null
    if (-not $CheckMode) {
        $Run.machine = $outcome.machine
        $lock = Enter-IisLock (Get-IisConfigFolder $shared) $Run
    }
    try { Set-IisServer $outcome $Changes $Pattern $Backup $PoolsPerCommit $Pause $VerifySeconds $lock }
    finally { if ($null -ne $lock -and $null -ne $lock.File) { $lock.File.Dispose() } }
    $outcome
}

function Set-IisServer($Outcome, $Changes, $Pattern, [string]$Backup, [int]$PoolsPerCommit, [int]$Pause, [int]$VerifySeconds, $Lock) {
    # The part of it that looks and writes, with the lock of Enter-IisLock; without one, in check mode, it only looks. Fills $outcome.
    $picture = Open-IisPicture
    try {
        $refused = 'changed since the plan'
        if ($Pattern) {
            $refused = 'not as given'
            $Changes = @(Expand-IisPattern $picture $Pattern)
            $outcome.warnings = @(foreach ($glob in $Pattern.pools) {
                    if (@($Changes | Where-Object { Test-IisGlob $_.pool $glob }).Count -eq 0) { "pools: no application pool matches '$glob'" }
                })
        }
        $results = @(foreach ($change in $Changes) { Compare-IisChange $picture $change $Changes })
        $outcome.changes = $results
        if ($null -ne $Lock -and $Lock.Refused) {
            $outcome.stale = $Lock.Late
            $outcome.failed = $Lock.Refused
            return
        }
        $outcome.diff = Format-IisDiff $results
        $stale = @($results | Where-Object { $_.state -eq 'stale' })
        if ($Pattern -and $Pattern.skip) {
            foreach ($result in $stale) { $result.state = 'skipped' }
            $stale = @()
        }
        if ($stale.Count -gt 0) {
            $outcome.stale = $true
            $outcome.failed = "${refused}: $($stale[0].pool): $($stale[0].detail) ($($stale.Count) of $($results.Count) changes). Nothing was written."
            return
        }
        # applicationPoolDefaults first: what the pools inherit afterwards is then there when they are written.
        $pending = @(for ($i = 0; $i -lt $results.Count; $i++) { if ($results[$i].state -eq 'pending') { $i } })
        $pending = @($pending | Where-Object { $results[$_].scope -ceq 'defaults' }) + @($pending | Where-Object { $results[$_].scope -cne 'defaults' })
        if ($pending.Count -eq 0) { return }
        if ($null -eq $Lock) { $outcome.changed = $true; return }
        if ($Backup) {
            try { Backup-IisConfig $picture $Backup }
            catch {
                $outcome.failed = "nothing was written: the configuration could not be backed up: $(Get-IisFailure $_)"
                return
            }
            $outcome.backup = $Backup
        }
    }
    finally { $picture.Manager.Dispose() }

    # A scope and a name: no name alone tells applicationPoolDefaults from a pool that is called so.
    $seen = New-Object 'System.Collections.Generic.HashSet[string]' ([StringComparer]::Ordinal)
    $pools = @($pending | ForEach-Object { $results[$_].scope + ' ' + $results[$_].pool } | Where-Object { $seen.Add($_) })
    for ($start = 0; $start -lt $pools.Count; $start += $PoolsPerCommit) {
        $wait = 0
        if ($start -gt 0) { $wait = $Pause }
        $endedBy = Wait-IisTurn $Lock $wait
        if ($endedBy) {
            $left = @($pending | Where-Object { -not $results[$_].written }).Count
            $outcome.failed = "ended before the next commit, as the run $endedBy asked: $left of $($pending.Count) changes were not written."
            break
        }
        $names = [string[]]@($pools[$start..([Math]::Min($start + $PoolsPerCommit, $pools.Count) - 1)])
        $group = @($pending | Where-Object { [Array]::IndexOf($names, $results[$_].scope + ' ' + $results[$_].pool) -ge 0 })
        try { $written = Write-IisGroup $Changes $results $group }
        catch {
            $outcome.failed = "the configuration could not be written: $(Get-IisFailure $_)"
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
            $outcome.failed = "written, but the configuration could not be read again: $(Get-IisFailure $_)"
            break
        }
        if (-not $seen) {
            $outcome.failed = "written, but not seen on a fresh look within $VerifySeconds s"
            break
        }
    }
}
