# Questions that need a running worker process: whether a change recycles it, and when a preloading application gets its
# request. A site of ours on a port of its own, on the loopback address; no part of this has run yet. Dot-sourced by Run.ps1.

$port = 50932
$siteName = $prefix + 'site'
$workPool = $prefix + 'running'
# Where IIS keeps sites: what runs under a pool's account may not read a user's own folders.
$siteFolder = [IO.Path]::GetPathRoot($env:windir) + 'inetpub\' + $siteName
$requests = Join-Path $siteFolder 'App_Data\requests.txt'

function New-TestSite {
    # An application that writes down who asks. The request that IIS makes itself is in no log of IIS.
    [void](New-Item -ItemType Directory -Force -Path (Join-Path $siteFolder 'App_Data'))
    $asax = @(
        '<%@ Application Language="C#" %>', '<script runat="server">'
        'void Application_BeginRequest(object sender, EventArgs e) {'
        '    lock (typeof(System.Web.HttpRuntime)) {'
        '        System.IO.File.AppendAllText(System.IO.Path.Combine(System.Web.HttpRuntime.AppDomainAppPath, "App_Data", "requests.txt"), Request.UserAgent + "\n");'
        '    }', '}', '</script>'
    )
    [IO.File]::WriteAllLines((Join-Path $siteFolder 'Global.asax'), $asax)
    $throw = 'throw new System.InvalidOperationException("remediate-test");'
    $pages = @{
        Default = 'here'; Uncaught = "<% $throw %>"
        Caught = "<% try { $throw } catch (System.InvalidOperationException) { } %>caught"
    }
    foreach ($name in $pages.Keys) { [IO.File]::WriteAllText((Join-Path $siteFolder "$name.aspx"), '<%@ Page Language="C#" %>' + $pages[$name]) }
    # Everybody: the pool's own account is known only once the pool runs. The folder goes at the end.
    [void](& icacls.exe $siteFolder /grant '*S-1-1-0:(OI)(CI)M')
    Edit-Server {
        param($manager)
        $pool = $manager.ApplicationPools.Add($workPool)
        Set-Attributes $pool @{
            managedRuntimeVersion = 'v4.0'; startMode = 'OnDemand'; 'processModel.idleTimeout' = [TimeSpan]'00:30:00'
            'recycling.logEventOnRecycle' = 'Time, Memory, PrivateMemory, ConfigChange, OnDemand'
        }
        $site = $manager.Sites.Add($siteName, 'http', "127.0.0.1:${port}:", $siteFolder)
        $application = $site.Applications['/']
        $application.ApplicationPoolName = $workPool
        $preload = Find-IisAttribute $application 'preloadEnabled'
        if ($null -ne $preload) { $preload.Value = $true }
    }
}

function Send-Request([string]$Page = '') {
    $client = New-Object System.Net.WebClient
    try {
        $client.Headers.Add('User-Agent', 'remediate-test')
        $client.DownloadString("http://127.0.0.1:$port/$Page")
    }
    finally { $client.Dispose() }
}

function Get-Workers {
    # The ids of the pool's worker processes, as one text.
    $manager = New-IisManager
    try { (@((Find-Pool $manager $workPool).WorkerProcesses | ForEach-Object { [string]$_.ProcessId } | Sort-Object) -join ' ') }
    finally { $manager.Dispose() }
}

function Invoke-OnPool([string]$Method) {
    # Start, Stop or Recycle; WAS needs a moment after a change.
    $done = Wait-Until 30 {
        $manager = New-IisManager
        try { [void](Find-Pool $manager $workPool).$Method(); $true }
        catch [System.Runtime.InteropServices.COMException] { $false }
        finally { $manager.Dispose() }
    } 1000
    if (-not $done) { throw "the pool did not accept $Method" }
}

function Start-Worker {
    # A worker that has answered and stays the same for some seconds.
    if (-not (Wait-Until 90 { try { (Send-Request) -like '*here*' } catch [System.Net.WebException] { $false } } 1000)) { throw 'the site did not answer within 90 s' }
    Start-Sleep -Seconds 5
    $worker = Get-Workers
    if (-not $worker) { throw 'the site answered, and no worker process is listed' }
    $worker
}

function Stop-Workers {
    Invoke-OnPool Stop
    if (-not (Wait-Until 60 { -not (Get-Workers) } 500)) { throw 'the worker did not end within a minute' }
}

function Get-RecycleAnswer([scriptblock]$Change) {
    # Changes the configuration while a worker runs, and says what became of it within 40 s.
    $worker = Start-Worker
    $since = [DateTime]::Now
    [void](& $Change)
    $changed = Wait-Until 40 { (Get-Workers) -cne $worker } 500
    if ($changed) { Start-Sleep -Seconds 10 }
    $events = @(Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'System'; ProviderName = 'Microsoft-Windows-WAS'; Id = 5079, 5080; StartTime = $since
        } | ForEach-Object { $_.Id })
    $said = 'no'
    if ($changed) { $said = 'yes' }
    "$said (worker $worker before, '$(Get-Workers)' after; WAS events: $($events -join ' '))"
}

function Test-Preload([scriptblock]$Do, [int]$Seconds = 30) {
    # Whether Application Initialization asked for the application within that time after something was done.
    if (Test-Path -LiteralPath $requests) { Remove-Item -LiteralPath $requests -Force }
    [void](& $Do)
    Wait-Until $Seconds { (Test-Path -LiteralPath $requests) -and (Get-Content -LiteralPath $requests -Raw) -like '*IIS Application Initialization*' } 500
}

function Set-DefaultIdle($Value) {
    Edit-Server { param($manager) Set-Attributes $manager.ApplicationPoolDefaults @{ 'processModel.idleTimeout' = $Value } }
}

function Get-DefaultsRecycleAnswer {
    # applicationPoolDefaults are as before afterwards.
    $own = $null
    $node = (Read-IisConfigFile $null).SelectSingleNode('/configuration/system.applicationHost/applicationPools/applicationPoolDefaults')
    if (Test-IisNode $node 'processModel.idleTimeout') { $own = ConvertFrom-IisTimeText $node.SelectSingleNode('processModel').GetAttribute('idleTimeout') }
    Set-Pool $workPool @{ 'processModel.idleTimeout' = $null }
    try { Get-RecycleAnswer { Set-DefaultIdle ([TimeSpan]'00:37:00') } } finally { Set-DefaultIdle $own }
}

function Get-OnDemandAnswer {
    # The control: if the request is not seen under AlwaysRunning, not seeing it under OnDemand means nothing.
    Set-Pool $workPool @{ startMode = 'AlwaysRunning' }
    Stop-Workers
    if (-not (Test-Preload { Invoke-OnPool Start } 90)) { return 'not settled: under AlwaysRunning the request was not seen either' }
    Set-Pool $workPool @{ startMode = 'OnDemand' }
    Stop-Workers
    'when the pool starts: {0}; with the first request of a client: {1}; at a recycle: {2}' -f
        (Test-Preload { Invoke-OnPool Start }), (Test-Preload { Start-Worker }), (Test-Preload { Invoke-OnPool Recycle })
}

function Get-IdleAnswer {
    # Nobody asks for anything: a request that comes is IIS's own. The time-out is a minute, and IIS looks now and then.
    $said = foreach ($action in 'Terminate', 'Suspend') {
        Set-Pool $workPool @{ startMode = 'AlwaysRunning'; 'processModel.idleTimeout' = [TimeSpan]'00:01:00'; 'processModel.idleTimeoutAction' = $action }
        Stop-Workers
        Invoke-OnPool Start
        $worker = Start-Worker
        $again = Test-Preload { } 240
        $now = 'the same'
        if ((Get-Workers) -cne $worker) { $now = 'another' }
        "${action}: $again, and the worker is $now"
    }
    $said -join '; '
}

function Get-EventAnswer {
    # The one that is caught comes first: the event is throttled. The other is the control.
    $since = [DateTime]::Now
    $count = {
        @(Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{ LogName = 'Application'; Id = 1309; StartTime = $since } |
                Where-Object { $_.ProviderName -like 'ASP.NET*' }).Count
    }
    [void](Send-Request 'Caught.aspx')
    Start-Sleep -Seconds 20
    $caught = & $count
    try { [void](Send-Request 'Uncaught.aspx') } catch [System.Net.WebException] { [void]$_ }
    if (-not (Wait-Until 60 { (& $count) -gt $caught } 1000)) { return 'not settled: one that nobody caught was not seen either' }
    "of one that is caught: $caught events"
}

function Invoke-WorkerQuestions {
    $ready = @{ reason = $null; preloads = $false }
    if ($NoWorkers) { $ready.reason = 'not settled: there are no worker processes here' }
    else {
        try { New-TestSite; [void](Start-Worker); $ready.preloads = (Invoke-Inspection).Result.appinit_module }
        catch { $ready.reason = "not settled: no worker could be started: $(Format-Trouble $_)" }
    }
    $lacking = $ready.reason
    if (-not $lacking -and -not $ready.preloads) { $lacking = 'not settled: Application Initialization is not installed' }

    Ask 'idletimeout-recycles' 'whether a change of idleTimeout recycles a running worker' {
        if ($ready.reason) { return $ready.reason }
        Get-RecycleAnswer { Set-Pool $workPool @{ 'processModel.idleTimeout' = [TimeSpan]'00:45:00' } }
    }
    Ask 'rotation-disallowed' 'the same, with disallowRotationOnConfigChange' {
        if ($ready.reason) { return $ready.reason }
        Set-Pool $workPool @{ 'recycling.disallowRotationOnConfigChange' = $true }
        try { Get-RecycleAnswer { Set-Pool $workPool @{ 'processModel.idleTimeout' = [TimeSpan]'00:46:00' } } }
        finally { Set-Pool $workPool @{ 'recycling.disallowRotationOnConfigChange' = $null } }
    }
    Ask 'startmode-recycles' 'whether a change of startMode recycles a running worker' {
        if ($ready.reason) { return $ready.reason }
        'to AlwaysRunning: {0}; to OnDemand: {1}' -f
            (Get-RecycleAnswer { Set-Pool $workPool @{ startMode = 'AlwaysRunning' } }), (Get-RecycleAnswer { Set-Pool $workPool @{ startMode = 'OnDemand' } })
    }
    Ask 'defaults-recycle' 'whether a change of applicationPoolDefaults recycles the workers of a pool that inherits it' {
        if ($ready.reason) { return $ready.reason }
        Get-DefaultsRecycleAnswer
    }
    Ask 'preload-ondemand' 'whether preloadEnabled sends its request under OnDemand' {
        if ($lacking) { return $lacking }
        Get-OnDemandAnswer
    }
    Ask 'idle-restarts' 'whether an idle time-out of an AlwaysRunning pool brings the request of its own again, by idleTimeoutAction' {
        if ($lacking) { return $lacking }
        Get-IdleAnswer
    }
    Ask 'event-caught' 'whether an exception that the application catches is an event 1309' {
        if ($ready.reason) { return $ready.reason }
        Get-EventAnswer
    }
}
