# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# One commit: what was compared is compared again, written, and read back. Needs IisRead.psm1, IisValue.psm1, IisSnapshot.psm1
# and IisCompare.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Attempts = 5

function Set-IisChange($Snapshot, $Change) {
    # In memory only: CommitChanges writes.
    $attribute = Find-IisAttribute (Get-IisTarget $Snapshot $Change) $Change.attribute
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

function Write-IisGroup($Changes, $Results, [int[]]$Group) {
    # One commit. After a conflict everything is read and compared again: a stale manager is never retried.
    # Returns $true when it was written, $false when the second look found the server changed.
    for ($attempt = 1; $true; $attempt++) {
        $snapshot = Open-IisSnapshot
        try {
            $stale = $false
            $pending = $false
            foreach ($index in $Group) {
                $fresh = Compare-IisChange $snapshot $Changes[$index] $Changes
                if ($fresh.state -eq 'stale') { $stale = $true }
                if ($fresh.state -ne 'ok') { $pending = $true }
                foreach ($key in 'state', 'found', 'found_source', 'wanted', 'detail') { $Results[$index][$key] = $fresh[$key] }
            }
            if ($stale) { return $false }
            # Somebody else may have set the very values meanwhile: then there is nothing of ours to write.
            if (-not $pending) { return $true }
            foreach ($index in $Group) { if ($Results[$index].state -eq 'pending') { Set-IisChange $snapshot $Changes[$index] } }
            $snapshot.Manager.CommitChanges()
            foreach ($index in $Group) { if ($Results[$index].state -eq 'pending') { $Results[$index].written = $true } }
            return $true
        }
        catch {
            if (-not (Test-IisFileConflict $_) -or $attempt -ge $script:Attempts) { throw }
        }
        finally { $snapshot.Manager.Dispose() }
        Start-Sleep -Milliseconds (Get-Random -Minimum 200 -Maximum (600 * $attempt))
    }
}

function Wait-IisEffect($Group, [int]$Seconds) {
    # The file is written late: look with a fresh manager until every value is there, or the time is up.
    $until = [DateTime]::UtcNow.AddSeconds($Seconds)
    while ($true) {
        $snapshot = Open-IisSnapshot
        try {
            foreach ($result in $Group) {
                $there = $null -ne (Get-IisTarget $snapshot $result)
                $result.verified = $there -and (Read-IisValue $snapshot $result $result.attribute).value -eq $result.wanted
            }
        }
        finally { $snapshot.Manager.Dispose() }
        if (@($Group | Where-Object { -not $_.verified }).Count -eq 0) { return $true }
        if ([DateTime]::UtcNow -ge $until) { return $false }
        Start-Sleep -Milliseconds 200
    }
}
