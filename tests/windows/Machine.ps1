# What Windows and its IIS have and do besides the pools' settings: the configuration API, rights, event logs, languages,
# sizes. Dot-sourced by Questions.ps1; each prints what it saw, and no part of this has run on Windows yet.

$elsewhere = 'not settled: that is a question to a Windows'
# How many pools and changes, and for how long: less where IIS is a stand-in.
$amount = @{ pools = 500; changes = 200; seconds = 5 }
if ($NoWorkers) { $amount = @{ pools = 8; changes = 4; seconds = 1 } }
$inetsrv = Join-Path $env:windir 'System32\inetsrv'
$manyNames = @(1..$amount.pools | ForEach-Object { '{0}many-{1:d3}' -f $prefix, $_ })

function Measure-Milliseconds([scriptblock]$Do) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    [void](& $Do)
    $clock.ElapsedMilliseconds
}

Ask 'api-feature' 'which feature brings Microsoft.Web.Administration.dll' {
    if (-not $InstalledPath) { return 'not settled: nobody looked while IIS was installed' }
    [IO.File]::ReadAllText((Resolve-Target $InstalledPath)).Trim()
}

Ask 'api-assembly' "the loaded assembly's name, version and place, and what InetStp says" {
    $manager = New-IisManager
    try { $assembly = $manager.GetType().Assembly } finally { $manager.Dispose() }
    $key = 'HKLM:\SOFTWARE\Microsoft\InetStp'
    $values = 'no such key'
    if (Test-Path -LiteralPath $key) {
        $setup = Get-ItemProperty -LiteralPath $key
        $values = foreach ($name in 'VersionString', 'InstallPath') { if ($setup.PSObject.Properties[$name]) { "$name $($setup.$name)" } }
    }
    "$($assembly.FullName), from $($assembly.Location), of the assembly cache: $($assembly.GlobalAssemblyCache); InetStp: $(@($values) -join ', ')"
}

Ask 'default-values' "what Schema.DefaultValue gives for each attribute that is read: a type, null, or an exception" {
    # By reflection: PowerShell makes null of an exception of a property.
    $said = foreach ($setting in (Get-IisPoolAttributeName)) {
        Read-Pool $poolNames.plain $setting {
            param($found)
            if ($null -eq $found) { return "$setting is not known" }
            try { $value = $found.Schema.GetType().GetProperty('DefaultValue').GetValue($found.Schema, $null) }
            catch { return "$setting throws $(Format-Trouble $_)" }
            if ($null -eq $value) { "$setting null" } else { "$setting $($value.GetType().FullName)" }
        }
    }
    $said -join ', '
}

Ask 'inetsrv-rights' 'access rights of inetsrv, config, backup, and of a backup that appcmd makes' {
    if ($NoWorkers) { return $elsewhere }
    $name = $prefix + 'rights'
    [void](& "$inetsrv\appcmd.exe" add backup $name)
    try {
        $said = foreach ($folder in '', 'config', 'backup', "backup\$name") { '{0}: {1}' -f "inetsrv\$folder", (Get-Acl -LiteralPath (Join-Path $inetsrv $folder)).Sddl }
        $said -join '; '
    }
    finally { [void](& "$inetsrv\appcmd.exe" delete backup $name) }
}

Ask 'cleared-while-read' 'whether a reading of an event log ends when the log is cleared under it' {
    if ($NoWorkers) { return $elsewhere }
    # A log of our own: nobody else's is cleared.
    $log = 'remediate-test'
    [Diagnostics.EventLog]::CreateEventSource($log, $log)
    try {
        foreach ($number in 1..500) { [Diagnostics.EventLog]::WriteEntry($log, "event $number") }
        $query = New-Object System.Diagnostics.Eventing.Reader.EventLogQuery $log, 'LogName', '*'
        $query.ReverseDirection = $true
        $reader = New-Object System.Diagnostics.Eventing.Reader.EventLogReader $query
        try {
            for ($count = 0; $count -lt 2000; $count++) {
                if ($count -eq 10) { [Diagnostics.Eventing.Reader.EventLogSession]::GlobalSession.ClearLog($log) }
                try { $record = $reader.ReadEvent() } catch { return "after $count events: $(Format-Trouble $_)" }
                if ($null -eq $record) { return "after $count events: the end, without an error" }
                try { [void]$record.ToXml() } catch { "event $($count): $(Format-Trouble $_)" } finally { $record.Dispose() }
            }
            'not settled: it did not end within 2000 events'
        }
        finally { $reader.Dispose() }
    }
    finally { [Diagnostics.EventLog]::Delete($log) }
}

Ask 'read-after-commit' 'how often reading fails, and how, in the seconds after a commit' {
    $before = Get-ConfigFile
    $manager = New-IisManager
    try { Set-Attributes (Find-Pool $manager $poolNames.plain) @{ queueLength = 1007 }; $manager.CommitChanges() } finally { $manager.Dispose() }
    $troubles = @{}
    $count = 0
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt $amount.seconds) {
        $count++
        foreach ($read in { [void](Read-IisConfigFile $null) }, { (New-IisManager).Dispose() }) {
            try { & $read } catch { $troubles[(Format-Trouble $_)] += 1 }
        }
    }
    Wait-Written $before
    $said = foreach ($trouble in @($troubles.Keys | Sort-Object)) { "; $($troubles[$trouble]) times $trouble" }
    "$count times, $($troubles.Count) kinds of failure$($said -join '')"
}

Ask 'constrained-child' 'what the inspection answers under ConstrainedLanguage' {
    if ($NoWorkers) { return $elsewhere }
    # Of the machine, as long as the child needs to start.
    [Environment]::SetEnvironmentVariable('__PSLockdownPolicy', '4', 'Machine')
    try { $env:__PSLockdownPolicy = '4'; (Invoke-Inspection).Output.Trim() }
    finally {
        [Environment]::SetEnvironmentVariable('__PSLockdownPolicy', $null, 'Machine')
        $env:__PSLockdownPolicy = $null
    }
}

Ask 'state-without-was' "what a pool's State gives while WAS is stopped" {
    if ($NoWorkers) { return $elsewhere }
    Stop-Service -Name WAS -Force
    try { @((Invoke-Inspection).Result.pools | ForEach-Object { [string]$_.state } | Sort-Object -Unique) -join ', ' }
    finally { foreach ($service in 'WAS', 'W3SVC') { Start-Service -Name $service } }
}

Ask 'cultures' 'whether the inspection is the same, word for word, under other cultures' {
    if ($NoWorkers) { return $elsewhere }
    $plain = { param($text) [regex]::Replace($text, '"clock":"[^"]*"', '') }
    $ours = & $plain (Invoke-Inspection).Output
    $said = foreach ($culture in 'th-TH', 'ar-SA', 'tr-TR', 'de-DE') {
        $run = Invoke-Inspection -Culture $culture
        "${culture}: same $((& $plain $run.Output) -ceq $ours), $($run.Result.clock)"
    }
    $said -join '; '
}

Ask 'was-templates' "the names of the data of WAS's events" {
    if ($NoWorkers) { return $elsewhere }
    $said = foreach ($event_ in (Get-WinEvent -ListProvider Microsoft-Windows-WAS).Events) {
        if ($event_.Template) { '{0}: {1}' -f $event_.Id, (@([regex]::Matches($event_.Template, 'name="([^"]+)"') | ForEach-Object { $_.Groups[1].Value }) -join ' ') }
    }
    @($said) -join '; '
}

Ask 'many-pools' 'how long an inspection of many pools takes' {
    Edit-Server {
        param($manager)
        foreach ($name in $manyNames) { Set-Attributes $manager.ApplicationPools.Add($name) @{ autoStart = $false; startMode = 'AlwaysRunning' } }
    }
    $found = @{}
    $time = Measure-Milliseconds { $found.pools = @((Invoke-Inspection).Result.pools).Count }
    "$($manyNames.Count) pools and $($found.pools - $manyNames.Count) others: $time ms"
}

Ask 'many-changes' 'how long many changes in one call take, and whether Ansible warns' {
    $wanted = foreach ($name in $manyNames[0..($amount.changes - 1)]) { @{ pool = $name; attribute = 'startMode'; expect = 'AlwaysRunning'; set = 'OnDemand' } }
    $found = @{}
    $time = Measure-Milliseconds { $found.run = Invoke-Settings @($wanted) @{ pools_per_commit = 50 } }
    $result = $found.run.Result
    $written = @($result.changes | Where-Object { $_.written -and $_.verified }).Count
    $warnings = @(if ($result.PSObject.Properties['warnings']) { $result.warnings })
    "$written of $($amount.changes) written in $time ms; warnings: $($warnings.Count) $($warnings -join '; ')".Trim()
}

Ask 'long-json' 'how long 3,000,000 characters take through ConvertTo-Json' {
    $value = [ordered]@{ pools = @(1..3000 | ForEach-Object { [ordered]@{ name = 'x' * 970 } }) }
    $found = @{}
    $time = Measure-Milliseconds { $found.json = ConvertTo-AsciiJson $value }
    "$($found.json.Length) characters in $time ms"
}
