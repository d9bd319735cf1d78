# The test's own hands on the server: pools to test with, changes behind the back of the modules, and looks at the file.
# It reads through the project's IisRead.psm1, and is dot-sourced by Run.ps1.

$prefix = 'remediate-test-'
$canary = 'remediate-canary-4f1c9b'

# The odd name has what IIS allows and other programs trip over: a letter outside ASCII, quotes, braces, a sub-expression.
$poolNames = [ordered]@{
    periodic = $prefix + 'periodic'
    idle     = $prefix + 'idle'
    plain    = $prefix + 'plain'
    canary   = $prefix + 'canary'
    odd      = $prefix + [char]0xDC + "n'i {{ x }} `$(calc) %PATH%"
}

# What stands at each pool in the file. autoStart is false: these pools need no workers.
$poolValues = @{
    periodic = @{ startMode = 'AlwaysRunning' }
    idle     = @{ startMode = 'AlwaysRunning'; 'processModel.idleTimeout' = [TimeSpan]'00:15:00' }
    plain    = @{}
    canary   = @{
        startMode = 'AlwaysRunning'; 'processModel.identityType' = 'SpecificUser'
        'processModel.userName' = 'remediate-test-nobody'; 'processModel.password' = $canary
    }
    odd      = @{ startMode = 'AlwaysRunning' }
}

function Import-Reader {
    $utils = Join-Path (Split-Path (Split-Path $PSScriptRoot)) 'playbooks/collections/ansible_collections/remediate/iis/plugins/module_utils'
    foreach ($name in 'IisRead', 'IisValue', 'IisBackup', 'IisCommit') { Import-Module (Join-Path $utils "$name.psm1") -Force -DisableNameChecking -Scope Global }
}

function Resolve-Target([string]$Path) { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) }

function Get-BackupPath([string]$Name) { Join-Path $env:windir "System32\inetsrv\backup\$Name" }

function Get-ConfigPath { Join-Path $env:windir 'System32\inetsrv\config\applicationHost.config' }

function Get-ConfigFile {
    # Every byte of the file, as one text that can be compared. IIS may be writing it just now, and must not be kept from it.
    for ($attempt = 1; $true; $attempt++) {
        try {
            $stream = New-Object System.IO.FileStream (Get-ConfigPath), 'Open', 'Read', 'ReadWrite, Delete'
            try {
                $copy = New-Object System.IO.MemoryStream
                $stream.CopyTo($copy)
                return [Convert]::ToBase64String($copy.ToArray())
            }
            finally { $stream.Dispose() }
        }
        catch [System.IO.IOException] { if ($attempt -eq 100) { throw } }
        Start-Sleep -Milliseconds 50
    }
}

function Wait-Until([int]$Seconds, [scriptblock]$Condition, [int]$Milliseconds = 50) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($clock.Elapsed.TotalSeconds -gt $Seconds) { return $false }
        Start-Sleep -Milliseconds $Milliseconds
    }
    $true
}

function Wait-Written([string]$Before) {
    # The file changes after the call that changes it has returned. It has settled when two looks agree.
    if (-not (Wait-Until 60 { (Get-ConfigFile) -cne $Before })) { throw 'The file did not change within a minute of the commit.' }
    $last = @{ file = $null }
    [void](Wait-Until 60 { $now = Get-ConfigFile; $same = $now -ceq $last.file; $last.file = $now; $same } 200)
}

function Edit-Server([scriptblock]$Edit) {
    # One commit of our own; the scriptblock gets a manager, and must change something. Returns when the file has it.
    $before = Get-ConfigFile
    $manager = New-IisManager
    try { [void](& $Edit $manager); $manager.CommitChanges() } finally { $manager.Dispose() }
    Wait-Written $before
}

function Find-Pool($Manager, [string]$Name) {
    foreach ($pool in $Manager.ApplicationPools) { if ($pool.Name -ceq $Name) { return $pool } }
    throw "The pool $Name is not there."
}

function Set-Attributes($Element, [hashtable]$Values) {
    # $null takes the attribute away.
    foreach ($name in $Values.Keys) {
        $attribute = Find-IisAttribute $Element $name
        if ($null -eq $Values[$name]) { $attribute.Delete() } else { $attribute.Value = $Values[$name] }
    }
}

function Set-Pool([string]$Name, [hashtable]$Values) {
    Edit-Server { param($manager) Set-Attributes (Find-Pool $manager $Name) $Values }
}

function Read-Pool([string]$Name, [string]$Attribute, [scriptblock]$Read) {
    # What a fresh manager has; the scriptblock gets the attribute.
    $manager = New-IisManager
    try { & $Read (Find-IisAttribute (Find-Pool $manager $Name) $Attribute) } finally { $manager.Dispose() }
}

function Get-Raw([string]$Name, [string]$Attribute) { Read-Pool $Name $Attribute { param($found) $found.Value } }

function Get-Effective([string]$Name, [string]$Attribute) {
    Read-Pool $Name $Attribute { param($found) ConvertTo-IisText $found.Schema $found.Value }
}

function Get-PoolNode([string]$Name) {
    # The pool's element in the file, or $null.
    $nodes = Get-IisNodeMap (Read-IisConfigFile $null) '/configuration/system.applicationHost/applicationPools/add' 'name'
    if ($nodes.ContainsKey($Name)) { $nodes[$Name] }
}

function New-TestPools {
    Edit-Server {
        param($manager)
        foreach ($key in $poolNames.Keys) {
            $pool = $manager.ApplicationPools.Add($poolNames[$key])
            Set-Attributes $pool ($poolValues[$key] + @{ autoStart = $false })
        }
    }
}

function Remove-TestObjects {
    # Ours by name; a leading space may have been legal.
    $manager = New-IisManager
    try {
        $sites = @($manager.Sites | Where-Object { $_.Name.StartsWith($prefix) })
        $pools = @($manager.ApplicationPools | Where-Object { $_.Name.TrimStart().StartsWith($prefix) })
        if ($sites.Count + $pools.Count -eq 0) { return }
        foreach ($site in $sites) { $manager.Sites.Remove($site) }
        foreach ($pool in $pools) { $manager.ApplicationPools.Remove($pool) }
        $before = Get-ConfigFile
        $manager.CommitChanges()
        Wait-Written $before
    }
    finally { $manager.Dispose() }
}

function Format-Trouble($ErrorRecord) {
    # The types and codes from the outside in; the text is the last and is translated.
    $cause = $ErrorRecord.Exception
    $chain = while ($null -ne $cause) {
        '{0} 0x{1:X8}' -f $cause.GetType().FullName, $cause.HResult
        $last = $cause
        $cause = $cause.InnerException
    }
    '{0}: {1}' -f (@($chain) -join ' > '), (($last.Message -split '\s+') -join ' ').Trim()
}

function Get-CommitTrouble([string]$Name, [scriptblock]$Meanwhile) {
    # A manager reads and changes; somebody else does something; the manager commits. Returns the error, or $null.
    $manager = New-IisManager
    try {
        $attribute = Find-IisAttribute (Find-Pool $manager $Name) 'processModel.idleTimeout'
        $attribute.Value = ([TimeSpan]$attribute.Value).Add([TimeSpan]::FromMinutes(1))
        [void](& $Meanwhile)
        try { $manager.CommitChanges() } catch { $_ }
    }
    finally { $manager.Dispose() }
}
