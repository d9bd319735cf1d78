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
    [IO.File]::WriteAllText((Join-Path $siteFolder 'Default.aspx'), '<%@ Page Language="C#" %>here')
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

function Send-Request {
    $client = New-Object System.Net.WebClient
    try {
        $client.Headers.Add('User-Agent', 'remediate-test')
        $client.DownloadString("http://127.0.0.1:$port/")
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

function Get-RecycleAnswer([hashtable]$Values) {
    # Commits the values while a worker runs, and says what became of it within 40 s.
    $worker = Start-Worker
    $since = [DateTime]::Now
    Set-Pool $workPool $Values
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

function Invoke-WorkerQuestions {
    $ready = @{ reason = $null }
    if ($NoWorkers) { $ready.reason = 'not settled: there are no worker processes here' }
    else {
        try { New-TestSite; [void](Start-Worker) }
        catch { $ready.reason = "not settled: no worker could be started: $(Format-Trouble $_)" }
    }
    Ask 'idletimeout-recycles' 'whether a change of idleTimeout recycles a running worker' {
        if ($ready.reason) { return $ready.reason }
        Get-RecycleAnswer @{ 'processModel.idleTimeout' = [TimeSpan]'00:45:00' }
    }
    Ask 'startmode-recycles' 'whether a change of startMode recycles a running worker' {
        if ($ready.reason) { return $ready.reason }
        'to AlwaysRunning: {0}; to OnDemand: {1}' -f (Get-RecycleAnswer @{ startMode = 'AlwaysRunning' }), (Get-RecycleAnswer @{ startMode = 'OnDemand' })
    }
    Ask 'preload-ondemand' 'whether preloadEnabled sends its request under OnDemand' {
        if ($ready.reason) { return $ready.reason }
        if (-not (Invoke-Inspection).Result.appinit_module) { return 'not settled: Application Initialization is not installed' }
        # The control: if the request is not seen under AlwaysRunning, not seeing it under OnDemand means nothing.
        Set-Pool $workPool @{ startMode = 'AlwaysRunning' }
        Invoke-OnPool Stop
        if (-not (Wait-Until 60 { -not (Get-Workers) } 500)) { return 'not settled: the worker did not end' }
        if (-not (Test-Preload { Invoke-OnPool Start } 90)) { return 'not settled: under AlwaysRunning the request was not seen either' }
        Set-Pool $workPool @{ startMode = 'OnDemand' }
        Invoke-OnPool Stop
        if (-not (Wait-Until 60 { -not (Get-Workers) } 500)) { return 'not settled: the worker did not end' }
        'when the pool starts: {0}; with the first request of a client: {1}; at a recycle: {2}' -f
            (Test-Preload { Invoke-OnPool Start }), (Test-Preload { Start-Worker }), (Test-Preload { Invoke-OnPool Recycle })
    }
}
