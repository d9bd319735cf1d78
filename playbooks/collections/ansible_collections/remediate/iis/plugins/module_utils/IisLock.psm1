# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# One writer at a time for an applicationHost.config, by two files beside it. A run that was ended goes on here without its
# Ansible: the lock keeps all others out for so long, and the other file tells it that it was ended.
#
# remediate.lock: empty, held open by the run that writes. Windows frees it when that process ends, however it ends.
# remediate.run: one line, which run was here last: RUN MACHINE PROCESS TIME, then `undoes OTHER` where it undoes another,
# or `ended-by OTHER` where another asked it to end.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:LockFile = 'remediate.lock'
$script:RunFile = 'remediate.run'
# Anything else in that file is not believed, and not shown.
$script:RunLine = '\A(?<run>[A-Za-z0-9-]{1,80}) (?<machine>[A-Za-z0-9._-]{1,255}) (?<process>[0-9]{1,10}) ' +
    '(?<since>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)(?: (?<how>undoes|ended-by) (?<other>[A-Za-z0-9-]{1,80}))?\r?\n\z'

function Read-IisRun([string]$Folder) {
    # Which run was here last, as @{run; machine; process; since; how; other}, or nothing. A file that is not there, or is
    # being written at this moment, says nothing yet.
    $bytes = [byte[]](, 0 * 1024)
    try {
        $file = [IO.File]::Open([IO.Path]::Combine($Folder, $script:RunFile), 'Open', 'Read', 'ReadWrite, Delete')
        try { $length = $file.Read($bytes, 0, $bytes.Length) } finally { $file.Dispose() }
    }
    catch { return }
    $match = [regex]::Match([Text.Encoding]::ASCII.GetString($bytes, 0, $length), $script:RunLine)
    if (-not $match.Success) { return }
    $last = @{}
    foreach ($name in 'run', 'machine', 'process', 'since', 'how', 'other') { $last[$name] = $match.Groups[$name].Value }
    $last
}

function Write-IisRun([string]$Folder, $Last) {
    $line = "$($Last.run) $($Last.machine) $($Last.process) $($Last.since)"
    if ($Last.how) { $line += " $($Last.how) $($Last.other)" }
    [IO.File]::WriteAllText([IO.Path]::Combine($Folder, $script:RunFile), "$line`n", [Text.Encoding]::ASCII)
}

function Format-IisRun($Last) {
    if ($null -eq $Last) { return 'it left no name' }
    "$($Last.run), process $($Last.process) on $($Last.machine), since $($Last.since)"
}

function Test-IisEnded($Last, [string]$Name) {
    $null -ne $Last -and $Last.how -ceq 'ended-by' -and $Last.run -ceq $Name
}

function Test-IisLate([string]$Folder, $Last, $Run) {
    # Whether this run was ended before it began here, or was meant to be here before the last one.
    if ($null -eq $Last -or $Last.run -ceq $Run.undoes) { return $false }
    if ((Test-IisEnded $Last $Run.name) -or ($Last.how -ceq 'undoes' -and $Last.other -ceq $Run.name)) { return $true }
    # A name begins with the time when its run was begun, by the clock over there. Two clocks may differ, so this counts for
    # an hour and no longer.
    $time = '\A[0-9]{8}T[0-9]{6}Z'
    if (-not [regex]::IsMatch($Last.run, $time) -or -not [regex]::IsMatch($Run.name, $time)) { return $false }
    $until = [IO.File]::GetLastWriteTimeUtc([IO.Path]::Combine($Folder, $script:RunFile)).AddHours(1)
    [string]::CompareOrdinal($Last.run, 0, $Run.name, 0, 16) -gt 0 -and [DateTime]::UtcNow -lt $until
}

function Enter-IisLock([string]$Folder, $Run) {
    # $Run is @{name; undoes; machine; wait}. Gives @{Folder; Name; File; Refused; Late}: Refused is $null where the lock is
    # held, else the reason. File is to be disposed of in the end.
    $lock = @{ Folder = $Folder; Name = $Run.name; File = $null; Refused = $null; Late = $false }
    $path = [IO.Path]::Combine($Folder, $script:LockFile)
    $began = [DateTime]::UtcNow
    while ($null -eq $lock.File) {
        $last = Read-IisRun $Folder
        $wait = $Run.wait
        # The servers of a share, which one run writes all at once, wait for each other.
        if ($null -ne $last -and $last.run -ceq $Run.name) { $wait = 10 * $Run.wait }
        try {
            # Only who undoes a run may end it.
            if ($Run.undoes -and $null -ne $last -and $last.run -ceq $Run.undoes -and $last.how -cne 'ended-by') {
                $last.how = 'ended-by'
                $last.other = $Run.name
                Write-IisRun $Folder $last
            }
            $lock.File = [IO.File]::Open($path, 'OpenOrCreate', 'ReadWrite', 'None')
        }
        catch {
            # In use is this very type; a missing right is another, which may have this one inside.
            $thrown = $_.Exception.InnerException
            if ($null -eq $thrown -or $thrown.GetType() -ne [IO.IOException]) {
                $lock.Refused = "nothing was written: the lock of this server cannot be taken ($path): $(Get-IisFailure $_)"
                return $lock
            }
            if ([DateTime]::UtcNow -ge $began.AddSeconds($wait)) {
                $lock.Refused = "nothing was written: after $wait s another run still writes on this server ($(Format-IisRun $last)). " +
                    "Wait for its end, then apply this again. ($($thrown.Message))"
                return $lock
            }
            Start-Sleep -Milliseconds 200
        }
    }
    try {
        $last = Read-IisRun $Folder
        $lock.Late = Test-IisLate $Folder $last $Run
        if ($lock.Late) {
            $lock.Refused = "a run that was begun later, or that ended this one, has been on this server ($(Format-IisRun $last)). " +
                'Nothing was written: look what is wanted now, then apply again. (The time in a name is by the clock where it was begun; it counts for an hour.)'
            return $lock
        }
        $mine = @{
            run = $Run.name; machine = [regex]::Replace($Run.machine, '[^A-Za-z0-9._-]', '-'); process = $PID
            since = [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture); how = ''; other = $Run.undoes
        }
        if ($Run.undoes) { $mine.how = 'undoes' }
        Write-IisRun $Folder $mine
    }
    catch { $lock.Refused = "nothing was written: this run cannot leave its name on this server ($([IO.Path]::Combine($Folder, $script:RunFile))): $(Get-IisFailure $_)" }
    $lock
}

function Wait-IisTurn($Lock, [int]$Seconds) {
    # The pause before a commit, in short steps. Gives the name of the run that ended this one meanwhile, or nothing.
    $until = [DateTime]::UtcNow.AddSeconds($Seconds)
    while ($true) {
        $last = Read-IisRun $Lock.Folder
        if (Test-IisEnded $last $Lock.Name) { return $last.other }
        if ([DateTime]::UtcNow -ge $until) { return }
        Start-Sleep -Milliseconds 500
    }
}
