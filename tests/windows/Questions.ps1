# What Microsoft's documentation leaves open, asked of this machine. Dot-sourced by Run.ps1, on the pools as they were
# made. Each prints what it saw; the code must be right under any answer.

$minutes = { param($count) [TimeSpan]::FromMinutes($count) }

Ask 'inherited-flag' 'IsInheritedFromDefaultValue of a value that comes from applicationPoolDefaults' {
    $defaults = (Read-IisConfigFile $null).SelectSingleNode('/configuration/system.applicationHost/applicationPools/applicationPoolDefaults')
    $node = Get-PoolNode $poolNames.plain
    $said = foreach ($setting in 'managedRuntimeVersion', 'startMode', 'processModel.identityType', 'processModel.idleTimeout') {
        if ((Test-IisNode $defaults $setting) -and -not (Test-IisNode $node $setting)) {
            Read-Pool $poolNames.plain $setting { param($found) "${setting}: $($found.IsInheritedFromDefaultValue)" }
        }
    }
    if ($said) { @($said) -join ', ' } else { 'not settled: this server has no applicationPoolDefaults that the pool inherits' }
}

Ask 'inherited-flag-schema' 'IsInheritedFromDefaultValue of a value that stands nowhere in the file' {
    Read-Pool $poolNames.plain 'recycling.disallowOverlappingRotation' { param($found) $found.IsInheritedFromDefaultValue }
}

Ask 'value-types' 'the types that Value has' {
    $said = foreach ($setting in 'startMode', 'processModel.idleTimeout', 'recycling.logEventOnRecycle', 'autoStart', 'managedRuntimeVersion') {
        Read-Pool $poolNames.plain $setting { param($found) "$($found.Schema.Type) ${setting}: $($found.Value.GetType().FullName)" }
    }
    $said -join ', '
}

Ask 'timespan-default' 'the type of Schema.DefaultValue of a time span' {
    Read-Pool $poolNames.plain 'processModel.idleTimeout' { param($found) '{0} {1}' -f $found.Schema.DefaultValue.GetType().FullName, $found.Schema.DefaultValue }
}

Ask 'schema-default-kept' "whether a value equal to the schema's default is kept in the file when it is set" {
    # queueLength goes along in each commit, so that the file changes in any case.
    Set-Pool $poolNames.plain @{ startMode = 'OnDemand'; 'processModel.idleTimeout' = (& $minutes 20); queueLength = 1001 }
    $node = Get-PoolNode $poolNames.plain
    $fresh = 'set where it was inherited: startMode {0}, idleTimeout {1}' -f (Test-IisNode $node 'startMode'), (Test-IisNode $node 'processModel.idleTimeout')
    Set-Pool $poolNames.plain @{ startMode = 'AlwaysRunning'; 'processModel.idleTimeout' = (& $minutes 7) }
    Set-Pool $poolNames.plain @{ startMode = 'OnDemand'; 'processModel.idleTimeout' = (& $minutes 20); queueLength = 1002 }
    $node = Get-PoolNode $poolNames.plain
    "$fresh; " + ('set where another stood: startMode {0}, idleTimeout {1}' -f (Test-IisNode $node 'startMode'), (Test-IisNode $node 'processModel.idleTimeout'))
}

Ask 'delete-leaves' 'what Delete() leaves in the file' {
    Set-Pool $poolNames.plain @{ startMode = 'AlwaysRunning'; 'processModel.idleTimeout' = (& $minutes 7); queueLength = 1003 }
    Set-Pool $poolNames.plain @{ startMode = $null; 'processModel.idleTimeout' = $null; queueLength = 1004 }
    $node = Get-PoolNode $poolNames.plain
    $child = $node.SelectSingleNode('processModel')
    $left = 'nothing'
    if ($null -ne $child) { $left = $child.OuterXml }
    "startMode $(Test-IisNode $node 'startMode'), of processModel: $left"
}

Ask 'commit-delay' 'how long after CommitChanges has returned the file changes' {
    $said = foreach ($count in 31, 32, 33) {
        $before = Get-ConfigFile
        $manager = New-IisManager
        try { Set-Attributes (Find-Pool $manager $poolNames.plain) @{ 'processModel.idleTimeout' = (& $minutes $count) }; $manager.CommitChanges() }
        finally { $manager.Dispose() }
        $clock = [Diagnostics.Stopwatch]::StartNew()
        if (-not (Wait-Until 60 { (Get-ConfigFile) -cne $before } 5)) { throw 'it did not within a minute' }
        $file = $clock.ElapsedMilliseconds
        if (-not (Wait-Until 60 { (Get-Effective $poolNames.plain 'processModel.idleTimeout') -ceq "00:${count}:00" })) { throw 'a fresh manager did not see it within a minute' }
        "$file ms"
        Wait-Written $before
    }
    $said -join ', '
}

Ask 'names-case' "how the API's indexer compares pools' names" {
    $manager = New-IisManager
    try {
        $found = { param($name) if ($null -ne $manager.ApplicationPools[$name]) { 'the pool' } else { 'nothing' } }
        $said = 'in capitals it finds {0}, with a small letter outside ASCII {1}' -f
            (& $found $poolNames.plain.ToUpperInvariant()), (& $found $poolNames.odd.Replace([char]0xDC, [char]0xFC))
        # In memory only: two such pools in the file could stop IIS.
        try { [void]$manager.ApplicationPools.Add($poolNames.plain.ToUpperInvariant()); "$said; adding a second one is accepted until the commit" }
        catch { "$said; adding a second one is refused: $(Format-Trouble $_)" }
    }
    finally { $manager.Dispose() }
}

Ask 'leading-space' "whether a pool's name may begin with a space" {
    $name = ' ' + $prefix + 'space'
    try { Edit-Server { param($manager) [void]$manager.ApplicationPools.Add($name) } }
    catch { return "refused: $(Format-Trouble $_)" }
    $names = @((Invoke-Inspection).Result.pools | Where-Object { $_.name.Trim() -ceq $name.Trim() } | ForEach-Object { "'$($_.name)'" })
    "accepted, and it is then called $($names -join ', ')"
}

Ask 'backup-rights' 'the access list of a folder that a backup makes' {
    $folder = Join-Path ([IO.Path]::GetTempPath()) ($prefix + [Guid]::NewGuid().ToString('N'))
    try { New-IisBackupFolder $folder; (Get-Acl -LiteralPath $folder).Sddl }
    finally { Remove-Item -LiteralPath $folder -Recurse -Force }
}

# Who gets in between, and what of theirs must still be there afterwards.
$note = "`r`n<!-- remediate-test -->"
$latin = [Text.Encoding]::GetEncoding(28591)  # a letter for each byte, so that the rest of the file stays as it is
$held = @{ file = $null }
$conflicts = [ordered]@{
    'changed by the API'  = @{
        Do   = { Set-Pool $poolNames.idle @{ 'processModel.idleTimeout' = (& $minutes 16) } }
        Kept = { (Get-Effective $poolNames.idle 'processModel.idleTimeout') -ceq '00:16:00' }
    }
    'changed by hand' = @{
        Do   = { [IO.File]::WriteAllBytes((Get-ConfigPath), [Convert]::FromBase64String((Get-ConfigFile)) + $latin.GetBytes($note)) }
        Kept = { $latin.GetString([Convert]::FromBase64String((Get-ConfigFile))).Contains($note.Trim()) }
    }
    'in use'          = @{
        Do   = { $held.file = [IO.File]::Open((Get-ConfigPath), 'Open', 'ReadWrite', 'None') }
        Kept = { $true }
    }
}
foreach ($conflict in @($conflicts.Keys)) {
    $trouble = @{ error = $null; ran = $false }
    Ask "file $conflict" "what a commit does when the file was $conflict since it was read" {
        $before = Get-ConfigFile
        try { $trouble.error = Get-CommitTrouble $poolNames.plain $conflicts[$conflict].Do }
        finally { if ($held.file) { $held.file.Dispose(); $held.file = $null } }
        $trouble.ran = $true
        if ($null -ne $trouble.error) { return "refused: $(Format-Trouble $trouble.error)" }
        Wait-Written $before
        if (& $conflicts[$conflict].Kept) { 'written, without an error' } else { "written, without an error, and the other's change is lost" }
    }
    It "a commit that could not be written is known for one that can be tried again: file $conflict" {
        Assert $trouble.ran 'the question was not settled'
        if ($null -eq $trouble.error) { return 'there was no error to be known' }
        Assert (Test-IisFileConflict $trouble.error) "it would not be tried again: $(Format-Trouble $trouble.error)"
        'it would be'
    }
}
$text = $latin.GetString([Convert]::FromBase64String((Get-ConfigFile)))
if ($text.Contains($note)) { [IO.File]::WriteAllBytes((Get-ConfigPath), $latin.GetBytes($text.Replace($note, ''))) }

Invoke-WorkerQuestions
. (Join-Path $PSScriptRoot 'Machine.ps1')
