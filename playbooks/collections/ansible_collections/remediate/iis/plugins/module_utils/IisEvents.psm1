# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Reads what Windows' event logs tell of application pools and of the exceptions that this is about.
#
# As IisRead.psm1 it keeps to what Windows PowerShell 3.0 knows, and only reads. The texts of events hold what users
# typed: none of them leaves the server. What does is listed in ConvertTo-IisEventValue. A log that cannot be read is
# told as such, and is no failure.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Log -> what is asked of it. At most so many events of each, the newest; remediate/iis/events.py says what they mean.
# Windows refuses a query with 20 ids or more. pool is which of the data names the pool, where they have no names.
$script:EventQueries = @{
    System      = @(
        @{ provider = 'Microsoft-Windows-WAS'; most = 5000; pool = 1; ids = @(5074, 5075, 5076, 5077, 5078, 5117, 5186, 5195) }
        @{ provider = 'Microsoft-Windows-WAS'; most = 4000; pool = 0; ids = @(5002, 5009, 5010, 5011, 5079, 5080, 5081, 5139) }
        @{ provider = 'Microsoft-Windows-Kernel-General'; most = 500; ids = @(12) }
        @{ provider = 'EventLog'; most = 500; ids = @(6005) }
    )
    Application = @(
        @{ provider = 'ASP.NET 4.0.30319.0'; most = 1000; ids = @(1309) }
        @{ provider = 'ASP.NET 2.0.50727.0'; most = 1000; ids = @(1309) }
    )
}
# The exception and its relatives.
$script:EventCodes = '0x(80070032|800704CD|80070057|800703E3|80070040|80070016|80070006|80070001|80072746)'
# What the frames of a client's own response have in common, the first that is there; as in remediate/diagnose/frames.py.
$script:EventStreams = @(
    @{ name = 'signalr-transport'; frames = 'Microsoft\.AspNet\.SignalR\.Transports\.' }
    @{ name = 'web-socket'; frames = '(System|Microsoft)\.Web\.WebSockets\.' }
    @{ name = 'signalr'; frames = 'Microsoft\.AspNet\.SignalR\.' }
    @{ name = 'push-stream'; frames = 'System\.Net\.Http\.PushStreamContent\b' }
    @{ name = 'file'; frames = 'System\.Web\.(HttpResponse|HttpResponseWrapper|HttpWriter)\.(TransmitFile|WriteFile)\(|System\.Web\.Mvc\.File(Stream|Path|Content)?Result\.' }
)

function Get-IisEventTrouble($ErrorRecords) {
    # What went wrong, in one text, or nothing. By the ids of Get-WinEvent's errors, since the texts are translated: that
    # there is no such event, or nobody who could have written one into that log, is an answer. So is that an event has
    # no description on this server: Get-WinEvent gives it all the same, and its data are what is read.
    foreach ($record in $ErrorRecords) {
        if ($record -isnot [System.Management.Automation.ErrorRecord]) { continue }
        $id = $record.FullyQualifiedErrorId.Split(',')[0]
        if ($id -ceq 'NoMatchingProvidersFound' -or $id -ceq 'LogsAndProvidersDontOverlap') { return }
        if ($id -ceq 'NoMatchingEventsFound') { continue }
        if ($record.Exception.StackTrace -cmatch '\bFormatDescription\(') { continue }
        $cause = Get-IisCause $record
        return '{0} ({1})' -f $cause.Message, $cause.GetType().FullName
    }
}

function Get-IisEventLogState([string]$Name) {
    # How far back the log goes, and why it may not hold what happened. A filter by hashtable finds nothing, and says no
    # more, in a log that it may not read: the oldest event is asked for without one.
    $state = [ordered]@{ oldest = $null; complete = $true; detail = $null }
    $troubles = @()
    try {
        foreach ($log in @(Get-WinEvent -ListLog $Name -ErrorAction SilentlyContinue -ErrorVariable troubles)) {
            if (-not $log.IsEnabled) { $state.detail = 'the log is disabled' }
        }
        foreach ($record in @(Get-WinEvent -LogName $Name -Oldest -MaxEvents 1 -ErrorAction SilentlyContinue -ErrorVariable +troubles)) {
            $state.oldest = Get-IisEventTime (ConvertFrom-IisEventText $record.ToXml())
        }
    }
    catch { $troubles = @($troubles) + $_ }
    $trouble = Get-IisEventTrouble $troubles
    if ($null -ne $trouble) { $state.detail = $trouble }
    $state
}

function Find-IisEvent([string]$Name, [hashtable]$Query, [string]$Since) {
    # @{records; trouble}. The time is handed over as a text with its zone: of a DateTime, Get-WinEvent loses the zone.
    # Errors do not end it, since one event that cannot be described would hide all others.
    $filter = @{ LogName = $Name; ProviderName = $Query.provider; Id = $Query.ids; StartTime = $Since }
    $troubles = @()
    $records = @()
    try { $records = @(Get-WinEvent -FilterHashtable $filter -MaxEvents $Query.most -ErrorAction SilentlyContinue -ErrorVariable troubles) }
    catch { $troubles = @($troubles) + $_ }
    @{ records = $records; trouble = Get-IisEventTrouble $troubles }
}

function ConvertFrom-IisEventText([string]$Text) {
    # The event's XML. Windows leaves control characters of an exception's text in it, which no XML may hold.
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    $document.LoadXml([regex]::Replace($Text, '[\x00-\x08\x0b\x0c\x0e-\x1f]', ' '))
    , $document
}

function Get-IisEventTime($Document) {
    # To the second, in UTC, as the event has it: no date is converted.
    $form = '^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?Z\z'
    foreach ($node in $Document.GetElementsByTagName('TimeCreated')) {
        if ($node.GetAttribute('SystemTime') -match $form) { return $Matches[1] + 'Z' }
    }
    throw 'An event has no time that can be read.'
}

function Get-IisEventName([string]$Name) {
    # The name, if it can be one of IIS's. Every user of the server may write events of any provider into the
    # Application log: such a one is left out, as what cannot be read.
    if ($Name.Length -gt 1024) { throw 'An event has a name that is too long.' }
    $Name
}

function ConvertTo-IisEventValue($Document, $Place) {
    # What is told of an event, and no more. Place: which of its data is the pool's name, if none is called so.
    $id = [int]$Document.GetElementsByTagName('EventID').Item(0).InnerText
    $time = Get-IisEventTime $Document
    if ($id -eq 1309) { return ConvertTo-IisErrorValue $time @(foreach ($node in $Document.GetElementsByTagName('Data')) { $node.InnerText.Trim() }) }
    $pool = $null
    $data = @($Document.GetElementsByTagName('Data'))
    foreach ($node in $data) {
        if ($node.GetAttribute('Name') -ceq 'AppPoolID') { $pool = Get-IisEventName $node.InnerText }
    }
    if ($null -eq $pool -and $null -ne $Place -and $Place -lt $data.Length) { $pool = Get-IisEventName $data[$Place].InnerText }
    [ordered]@{ time = $time; id = $id; pool = $pool }
}

function ConvertTo-IisErrorValue([string]$Time, [string[]]$Data) {
    # Of event 1309, if its exception has one of the codes. Its data has no names: 8 is the application
    # domain, 18 the exception's texts and stacks, 21 the client's address, 29 the thread's stack.
    if ($Data.Length -lt 22) { return }
    $exception = $Data[18]
    if ($Data.Length -gt 29) { $exception += "`n" + $Data[29] }
    if ($exception -notmatch $script:EventCodes) { return }
    $code = '0x' + ([string]$Matches[1]).ToUpperInvariant()
    $application = $null
    if ($Data[8] -match '^(/LM/W3SVC/[0-9]+/ROOT(/.*?)?)(-[0-9]+-[0-9]+)?\z') { $application = Get-IisEventName $Matches[1] }
    $local = $null
    if ($Data[21]) { $local = $Data[21] -match '^(127\.[0-9.]+|::1)\z' }
    $streaming = $null
    foreach ($stream in $script:EventStreams) {
        if ($null -eq $streaming -and $exception -cmatch $stream.frames) { $streaming = $stream.name }
    }
    [ordered]@{
        time = $Time; code = $code; application = $application; local = $local; streaming = $streaming
        raised = $exception -cmatch '\bRaiseCommunicationError\('; flushed = $exception -cmatch '\bExplicitFlush\('
        entity_read = $exception -cmatch '\bReadEntityCoreSync\('
    }
}

function Read-IisEventLog([string]$Name, [string]$Since) {
    # @{state; values}: the newest first, of each query in turn.
    $state = Get-IisEventLogState $Name
    $values = New-Object System.Collections.ArrayList
    $unread = 0
    foreach ($query in $script:EventQueries[$Name]) {
        $found = Find-IisEvent $Name $query $Since
        if ($null -eq $state.detail) { $state.detail = $found.trouble }
        if ($found.records.Length -ge $query.most) { $state.complete = $false }
        foreach ($record in $found.records) {
            try {
                $value = ConvertTo-IisEventValue (ConvertFrom-IisEventText $record.ToXml()) $query['pool']
                if ($null -ne $value) { [void]$values.Add($value) }
            }
            catch { $unread++ }
        }
    }
    if ($unread -gt 0 -and $null -eq $state.detail) { $state.detail = "$unread of its events could not be read" }
    @{ state = $state; values = $values.ToArray() }
}

function Get-IisEvidence([int]$Days) {
    # What the logs tell of the last days, as one value that ConvertTo-Json can write: no dates, no enums.
    $form = "yyyy-MM-dd'T'HH:mm:ss'Z'"
    $since = [DateTime]::UtcNow.AddDays(-$Days).ToString($form, [Globalization.CultureInfo]::InvariantCulture)
    $system = Read-IisEventLog 'System' $since
    $application = Read-IisEventLog 'Application' $since
    [ordered]@{
        since  = $since
        # After the reading: what is logged meanwhile is of the time that was asked for.
        until  = [DateTime]::UtcNow.ToString($form, [Globalization.CultureInfo]::InvariantCulture)
        logs   = [ordered]@{ System = $system.state; Application = $application.state }
        events = $system.values
        errors = $application.values
    }
}
