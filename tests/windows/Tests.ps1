# What must hold on any server, whatever Windows answers to the questions. Dot-sourced by Run.ps1; in this order: the
# pools are as they were made, then as a plan wants them, then as they were again.

# What the planner would know.
$seen = @{ inspection = $null }

It 'the inspection sees the pools' {
    $run = Invoke-Inspection
    Assert-Same 0 $run.ExitCode 'exit code'
    # Windows PowerShell reports there how far it is; only errors count.
    Assert ($run.Errors -notlike '*S="Error"*') "on standard error: $($run.Errors)"
    Assert ($run.Output -cmatch '^[\x20-\x7e]+\r?\n?$') 'it is more than one line of ASCII'
    Assert ($null -eq $run.Result.PSObject.Properties['error']) "it failed: $($run.Output)"
    $seen.inspection = $run.Result
    Assert-Same 'remediate.inspection' $run.Result.format 'format'
    Assert ($run.Result.machine) 'no machine'
    Assert ($run.Result.iis_version -match '^\d+\.\d+$') "IIS $($run.Result.iis_version)"
    Assert ($run.Result.pools -is [array]) 'pools is no list'
    foreach ($name in $poolNames.Values) {
        $pool = Get-Seen $run.Result $name
        Assert ($null -ne $pool) "it does not see $name"
        Assert ($pool.applications -is [array]) "the applications of $name are no list"
        $other = @($pool.attributes.PSObject.Properties | Where-Object { $_.Value.source -cnotin 'pool', 'defaults', 'schema', 'unknown' })
        Assert ($other.Count -eq 0) "$name has sources that are none"
    }
    $pool = (Get-Seen $run.Result $poolNames.periodic).attributes
    Assert-Same 'AlwaysRunning' $pool.startMode.value 'startMode'
    Assert-Same 'pool' $pool.startMode.source "startMode's source"
    Assert ($pool.'processModel.idleTimeout'.source -cne 'pool') 'an inherited idleTimeout counts as the own one'
    Assert-Same '00:15:00' (Get-Seen $run.Result $poolNames.idle).attributes.'processModel.idleTimeout'.value 'idleTimeout'
    Assert-Same 'SpecificUser' (Get-Seen $run.Result $poolNames.canary).attributes.'processModel.identityType'.value 'identityType'
    "IIS $($run.Result.iis_version), $($run.Result.pools.Count) pools, PowerShell $($run.Result.powershell_version)"
}

It 'app_pool_info sees what the inspection sees' {
    $run = Invoke-Module -Name app_pool_info -ModuleUtils $ModuleUtils
    Assert-Same 0 $run.ExitCode 'exit code'
    Assert (-not $run.Result.changed) 'it says that it changed something'
    $ours = ConvertTo-AsciiJson $seen.inspection.pools
    Assert-Same $ours (ConvertTo-AsciiJson $run.Result.inspection.pools) 'pools'
    Assert-Same $seen.inspection.machine $run.Result.inspection.machine 'machine'
    $run.Result.inspection.machine
}

if ($null -eq $seen.inspection) { throw 'without an inspection nothing else can be tested' }

# What a plan would hold: no idle time-out for two pools, OnDemand for two others.
$inherited = (Get-Seen $seen.inspection $poolNames.periodic).attributes.'processModel.idleTimeout'
$canaryIdle = (Get-Seen $seen.inspection $poolNames.canary).attributes.'processModel.idleTimeout'
$always = @{ startMode = 'AlwaysRunning' }
$changes = @(
    @{ pool = $poolNames.periodic; attribute = 'processModel.idleTimeout'; expect = $inherited.value; given = $always; set = '00:00:00' }
    @{ pool = $poolNames.canary; attribute = 'processModel.idleTimeout'; expect = $canaryIdle.value; given = $always; set = '00:00:00' }
    @{ pool = $poolNames.idle; attribute = 'startMode'; expect = 'AlwaysRunning'; given = @{ 'processModel.idleTimeout' = '00:15:00' }; set = 'OnDemand' }
    @{ pool = $poolNames.odd; attribute = 'startMode'; expect = 'AlwaysRunning'; set = 'OnDemand' }
)
$machine = @{ machine = $seen.inspection.machine }

It 'check mode says what it would do, and changes nothing' {
    $before = Get-ConfigFile
    $run = Invoke-Settings $changes ($machine + @{ backup = $backup }) -Check
    Assert-Same 0 $run.ExitCode "exit code ($($run.Output))"
    Assert ($run.Result.changed) 'it says that nothing would change'
    Assert-Same 4 @($run.Result.changes | Where-Object { $_.state -ceq 'pending' -and -not $_.written }).Count 'pending changes'
    Assert ($run.Result.diff.prepared -clike "*processModel.idleTimeout: $($inherited.value) -> 00:00:00*") "the diff: $($run.Result.diff.prepared)"
    Assert-Same $before (Get-ConfigFile) 'the file'
    Assert (-not (Test-Path -LiteralPath (Get-BackupPath $backup))) 'it made a backup'
    'the file is the same, byte for byte'
}

It 'another machine is refused' {
    Assert-Refused 'another machine answers here' { Invoke-Settings $changes @{ machine = 'elsewhere.remediate.example' } }
}

It 'a bare number is no time span' {
    $change = @{ pool = $poolNames.periodic; attribute = 'processModel.idleTimeout'; expect = $inherited.value; set = '20' }
    Assert-Refused "'20' is not a time span" { Invoke-Settings @($change) }
}

It 'a value that somebody changed behind the plan is refused' {
    Set-Pool $poolNames.idle @{ startMode = 'OnDemand' }
    Set-Pool $poolNames.periodic @{ startMode = 'OnDemand' }
    try { Assert-Refused 'changed since the plan' { Invoke-Settings $changes $machine } }
    finally { Set-Pool $poolNames.periodic $always; Set-Pool $poolNames.idle $always }
}

It 'a value other than the one that the plan saw is refused' {
    $change = @{ pool = $poolNames.idle; attribute = 'processModel.idleTimeout'; expect = '00:14:00'; set = '00:00:00' }
    Assert-Refused 'expected 00:14:00, found 00:15:00' { Invoke-Settings @($change) $machine }
}

It 'apply writes, backs up and verifies' {
    $before = Get-ConfigFile
    $run = Invoke-Settings $changes ($machine + @{ backup = $backup; pools_per_commit = 3 })
    Assert-Same 0 $run.ExitCode "exit code ($($run.Output))"
    Assert ($run.Result.changed) 'it says that it changed nothing'
    Assert-Same 4 @($run.Result.changes | Where-Object { $_.written -and $_.verified }).Count 'written and verified'
    Assert-Same '00:00:00' (Get-Effective $poolNames.periodic 'processModel.idleTimeout') 'idleTimeout'
    Assert-Same 'OnDemand' (Get-Effective $poolNames.idle 'startMode') 'startMode'
    Assert-Same 'OnDemand' (Get-Effective $poolNames.odd 'startMode') 'startMode of the oddly named pool'
    Assert-Same $before ([Convert]::ToBase64String([IO.File]::ReadAllBytes((Join-Path (Get-BackupPath $backup) 'applicationHost.config')))) 'the backup'
    'four changes in two commits'
}

It 'a second apply changes nothing' {
    $before = Get-ConfigFile
    $run = Invoke-Settings $changes $machine
    Assert-Same 0 $run.ExitCode "exit code ($($run.Output))"
    Assert (-not $run.Result.changed) 'it says that it changed something'
    Assert-Same $before (Get-ConfigFile) 'the file'
    'the file is the same, byte for byte'
}

It 'clearing is refused where it would not give the value of before' {
    $change = @{ pool = $poolNames.periodic; attribute = 'processModel.idleTimeout'; expect = '00:00:00'; clear = $true; inherits = '03:33:00' }
    Assert-Refused "clearing it would give $($inherited.value)" { Invoke-Settings @($change) $machine }
}

# As a rollback is planned: cleared where the value was inherited, set where it was the pool's or nobody knows.
$undo = @(
    foreach ($pair in @($poolNames.periodic, $inherited), @($poolNames.canary, $canaryIdle)) {
        $change = @{ pool = $pair[0]; attribute = 'processModel.idleTimeout'; expect = '00:00:00' }
        if ($pair[1].source -cin 'defaults', 'schema') { $change + @{ clear = $true; inherits = $pair[1].value } }
        else { $change + @{ set = $pair[1].value } }
    }
    @{ pool = $poolNames.idle; attribute = 'startMode'; expect = 'OnDemand'; set = 'AlwaysRunning' }
    @{ pool = $poolNames.odd; attribute = 'startMode'; expect = 'OnDemand'; set = 'AlwaysRunning' }
)

It 'a rollback gives back what was there' {
    $run = Invoke-Settings $undo $machine
    Assert-Same 0 $run.ExitCode "exit code ($($run.Output))"
    Assert-Same 4 @($run.Result.changes | Where-Object { $_.written -and $_.verified }).Count 'written and verified'
    $now = (Invoke-Inspection).Result
    foreach ($name in $poolNames.Values) {
        Assert-Same (ConvertTo-AsciiJson (Get-Seen $seen.inspection $name).attributes.startMode) (ConvertTo-AsciiJson (Get-Seen $now $name).attributes.startMode) "startMode of $name"
        Assert-Same (Get-Seen $seen.inspection $name).attributes.'processModel.idleTimeout'.value (Get-Seen $now $name).attributes.'processModel.idleTimeout'.value "idleTimeout of $name"
    }
    $own = Test-IisNode (Get-PoolNode $poolNames.periodic) 'processModel.idleTimeout'
    Assert ($own -eq ($inherited.source -cnotin 'defaults', 'schema')) "the pool's own idleTimeout stands in the file: $own"
    "idleTimeout was from $($inherited.source)"
}

It 'a second rollback changes nothing' {
    $before = Get-ConfigFile
    $run = Invoke-Settings $undo $machine
    Assert-Same 0 $run.ExitCode "exit code ($($run.Output))"
    Assert (-not $run.Result.changed) 'it says that it changed something'
    Assert-Same $before (Get-ConfigFile) 'the file'
    'the file is the same, byte for byte'
}

. (Join-Path $PSScriptRoot 'Questions.ps1')

It 'the password of a pool is printed nowhere' {
    # It proves something only if the password was there to be had.
    Assert ((Get-Raw $poolNames.canary 'processModel.password') -ceq $canary) 'the API does not give the password that was set'
    $printed = (Get-ChildOutput) + $transcript.ToString() + (ConvertTo-AsciiJson $answers.ToArray())
    Assert (-not $printed.Contains($canary)) 'it was printed'
    "looked through $($printed.Length) characters"
}
