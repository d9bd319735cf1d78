# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Changes application pools by compare-and-set: compare every change of the server first, write only if all of them still
# meet what the planner saw, read back what was written. Needs the other files beside it, but for IisEvents.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Invoke-IisChange($Request) {
    # All changes of one server. $Request is @{changes; pattern; machine; backup; pools_per_commit; pause; verify_seconds; check;
    # run}: `changes` are given, or `pattern` (@{pools; attribute; set; given; skip; allow_shared}) makes them of the server's
    # pools; `run` (@{name; undoes; wait}) is who writes; the two times are in seconds.
    # Returns @{machine; changed; stale; failed; changes; diff; backup; warnings}; `failed` is a text or $null.
    $pattern = $Request.pattern
    $outcome = @{
        machine = Get-IisMachineName; changed = $false; stale = $false; failed = $null; changes = @(); diff = ''; backup = $null; warnings = @()
    }
    if ($Request.machine -and -not (Test-IisSame $Request.machine $outcome.machine)) {
        $outcome.stale = $true
        $outcome.failed = "another machine answers here: the plan was made for $($Request.machine), this is $($outcome.machine). Nothing was written."
        return $outcome
    }
    if ($pattern -and -not (Test-IisInstalled)) {
        $outcome.warnings = @('pools: there is no IIS on this server')
        return $outcome
    }
    $shared = Invoke-IisLook { Read-IisSharedPath }
    if ($pattern -and $shared -and -not $pattern.allow_shared) {
        # Pools are named by a pattern, and nobody named the other servers that this edit would change.
        $why = "shared configuration ($shared): one edit changes every server of it, and allow_shared was not given"
        if ($pattern.skip) { $outcome.warnings = @($why) }
        else { $outcome.stale = $true; $outcome.failed = "$why. Nothing was written." }
        return $outcome
    }
    $lock = $null
    if (-not $Request.check) {
        $run = $Request.run
        $run.machine = $outcome.machine
        $lock = Enter-IisLock (Get-IisConfigFolder $shared) $run
    }
    try { Set-IisServer $outcome $Request $lock }
    finally { if ($null -ne $lock -and $null -ne $lock.File) { $lock.File.Dispose() } }
    $outcome
}

function Set-IisServer($Outcome, $Request, $Lock) {
    # Compare all, then write all, with the lock of Enter-IisLock. Without a lock, in check mode, it only compares.
    $compared = Compare-IisServer $Request
    $Outcome.changes = $compared.Results
    $Outcome.warnings = $compared.Warnings
    if ($null -ne $Lock -and $Lock.Refused) {
        $Outcome.stale = $Lock.Late
        $Outcome.failed = $Lock.Refused
        return
    }
    $Outcome.diff = Format-IisDiff $compared.Results
    $pattern = $Request.pattern
    if ($pattern -and $pattern.skip) { Skip-IisStale $compared.Results }
    $refusal = Get-IisRefusal $Request $compared.Results
    if ($refusal) { $Outcome.stale = $true; $Outcome.failed = $refusal; return }
    $pending = @(Get-IisPending $compared.Results)
    if ($pending.Count -eq 0) { return }
    if ($null -eq $Lock) { $Outcome.changed = $true; return }
    if ($Request.backup) {
        try { Backup-IisConfig $compared.SharedPath $Request.backup }
        catch {
            $Outcome.failed = "nothing was written: the configuration could not be backed up: $(Get-IisFailure $_)"
            return
        }
        $Outcome.backup = $Request.backup
    }
    Write-IisPending $Outcome $Request $compared.Changes $pending $Lock
}

function Compare-IisServer($Request) {
    # Every change against one snapshot, as @{Changes; Results; Warnings; SharedPath}.
    $snapshot = Open-IisSnapshot
    try {
        $changes = @($Request.changes)
        $warnings = @()
        if ($Request.pattern) {
            $changes = @(Expand-IisPattern $snapshot $Request.pattern)
            $warnings = @(Get-IisUnmatched $Request.pattern $changes)
        }
        $results = @(foreach ($change in $changes) { Compare-IisChange $snapshot $change $changes })
        @{ Changes = $changes; Results = $results; Warnings = $warnings; SharedPath = $snapshot.SharedPath }
    }
    finally { $snapshot.Manager.Dispose() }
}

function Skip-IisStale($Results) {
    # A pattern may leave out the pools that are not as given, and write the others.
    foreach ($result in $Results) { if ($result.state -eq 'stale') { $result.state = 'skipped' } }
}

function Get-IisRefusal($Request, $Results) {
    # Why nothing is written, or nothing: one stale change is enough.
    $stale = @($Results | Where-Object { $_.state -eq 'stale' })
    if ($stale.Count -eq 0) { return }
    $refused = 'changed since the plan'
    if ($Request.pattern) { $refused = 'not as given' }
    "${refused}: $($stale[0].pool): $($stale[0].detail) ($($stale.Count) of $($Results.Count) changes). Nothing was written."
}

function Get-IisPending($Results) {
    # The places of what is to be written. applicationPoolDefaults first: what the pools inherit afterwards is then there when
    # they are written.
    foreach ($defaults in $true, $false) {
        for ($i = 0; $i -lt $Results.Count; $i++) {
            if ($Results[$i].state -eq 'pending' -and ($Results[$i].scope -ceq 'defaults') -eq $defaults) { $i }
        }
    }
}

function Write-IisPending($Outcome, $Request, $Changes, [int[]]$Pending, $Lock) {
    # So many pools in each commit, with a pause between two commits. The first that fails ends it.
    $results = $Outcome.changes
    # A scope and a name: no name alone tells applicationPoolDefaults from a pool that is called so.
    $seen = New-Object 'System.Collections.Generic.HashSet[string]' ([StringComparer]::Ordinal)
    $pools = @($Pending | ForEach-Object { $results[$_].scope + ' ' + $results[$_].pool } | Where-Object { $seen.Add($_) })
    for ($start = 0; $start -lt $pools.Count; $start += $Request.pools_per_commit) {
        $wait = 0
        if ($start -gt 0) { $wait = $Request.pause }
        $endedBy = Wait-IisTurn $Lock $wait
        if ($endedBy) {
            $left = @($Pending | Where-Object { -not $results[$_].written }).Count
            $Outcome.failed = "ended before the next commit, as the run $endedBy asked: $left of $($Pending.Count) changes were not written."
            return
        }
        $names = [string[]]@($pools[$start..([Math]::Min($start + $Request.pools_per_commit, $pools.Count) - 1)])
        $group = @($Pending | Where-Object { [Array]::IndexOf($names, $results[$_].scope + ' ' + $results[$_].pool) -ge 0 })
        $failure = Invoke-IisCommit $Outcome $Changes $group $Request.verify_seconds
        if ($failure) { $Outcome.failed = $failure; return }
    }
}

function Invoke-IisCommit($Outcome, $Changes, [int[]]$Group, [int]$VerifySeconds) {
    # Write the changes at these places and see them there. Gives the reason where that fails, else nothing.
    $results = @($Group | ForEach-Object { $Outcome.changes[$_] })
    try { $written = Write-IisGroup $Changes $Outcome.changes $Group }
    catch { return "the configuration could not be written: $(Get-IisFailure $_)" }
    if (-not $written) {
        $first = @($results | Where-Object { $_.state -eq 'stale' })[0]
        # Stale promises that nothing was written: after an earlier commit it is a failure.
        $Outcome.stale = -not $Outcome.changed
        return "changed while this ran: $($first.pool): $($first.detail)."
    }
    $Outcome.changed = $Outcome.changed -or @($results | Where-Object { $_.written }).Count -gt 0
    try { $verified = Wait-IisEffect $results $VerifySeconds }
    catch { return "written, but the configuration could not be read again: $(Get-IisFailure $_)" }
    if (-not $verified) { "written, but not seen on a fresh look within $VerifySeconds s" }
}
