# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Reads what Windows' event logs tell of application pools and of the exceptions that this is about.
#
# As IisRead.psm1 it keeps to what Windows PowerShell 3.0 knows, and only reads. The texts of events hold what users
# typed: none of them leaves the server. What does is listed in ConvertTo-IisEventValue. A log that cannot be read is
# told as such, and is no failure.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Log -> what is asked of it, in Windows' XPath, and so many of the newest at most. Windows refuses a query with 20 or more
# conditions: ids that follow each other are asked for as a range. remediate/iis/events.py says what they mean.
$script:EventQueries = @{
    System      = @{
        most  = 10000
        asked = "Provider[@Name='Microsoft-Windows-WAS' or @Name='Microsoft-Windows-Kernel-General' or @Name='EventLog'] and (" +
            'EventID=12 or EventID=5002 or (EventID>=5009 and EventID<=5011) or (EventID>=5074 and EventID<=5081) or ' +
            'EventID=5117 or EventID=5139 or EventID=5186 or EventID=5195 or EventID=6005)'
    }
    Application = @{ most = 2000; asked = "Provider[@Name='ASP.NET 4.0.30319.0' or @Name='ASP.NET 2.0.50727.0'] and EventID=1309" }
}
# Provider -> its ids -> which of the event's data is the pool's name, where they have no names.
$script:EventPlaces = @{
    'Microsoft-Windows-WAS'            = @{
        5002 = 0; 5009 = 0; 5010 = 0; 5011 = 0; 5079 = 0; 5080 = 0; 5081 = 0; 5139 = 0
        5074 = 1; 5075 = 1; 5076 = 1; 5077 = 1; 5078 = 1; 5117 = 1; 5186 = 1; 5195 = 1
    }
    'Microsoft-Windows-Kernel-General' = @{ 12 = $null }
    'EventLog'                         = @{ 6005 = $null }
    'ASP.NET 4.0.30319.0'              = @{ 1309 = $null }
    'ASP.NET 2.0.50727.0'              = @{ 1309 = $null }
}
# The HRESULTs of this fault and its relatives; as in remediate/iis/codes.py.
$script:EventCodes = '80070032', '800704CD', '80070057', '800703E3', '80070040', '80070016', '80070006', '80070001', '80072746'
# One of these names stands beside the code of such an exception; as in remediate/logs/exceptions.py.
$script:EventFamily = 'RaiseCommunicationError', 'IIS7WorkerRequest', 'HttpException', 'COMException'
# Frames, and no names that a message may have; as in remediate/iis/frames.py.
$script:EventFrames = @{ raised = '\bRaiseCommunicationError\('; flushed = '\bExplicitFlush\('; entity_read = '\bReadEntityCoreSync\(' }
# What the frames of a client's own response have in common, the first that is there; as in remediate/iis/frames.py.
$script:EventStreams = @(
    @{ name = 'signalr-transport'; frames = 'Microsoft\.AspNet\.SignalR\.Transports\.' }
    @{ name = 'web-socket'; frames = '(System|Microsoft)\.Web\.WebSockets\.' }
    @{ name = 'signalr'; frames = 'Microsoft\.AspNet\.SignalR\.' }
    @{ name = 'push-stream'; frames = 'System\.Net\.Http\.PushStreamContent\b' }
    @{ name = 'file'; frames = 'System\.Web\.(HttpResponse|HttpResponseWrapper|HttpWriter)\.(TransmitFile|WriteFile)\(|System\.Web\.Mvc\.File(Stream|Path|Content)?Result\.' }
)

function Get-IisZeroPattern([int]$Groups) {
    # So many groups of zeros at the beginning of an IPv6 address, in full or with `::` for some of them.
    '((0{1,4}:){N}|(?!:*(0+:+){N})((0{1,4}:)+|:):(0{1,4}:)*)'.Replace('N', "$Groups")
}

function Get-IisLocalPattern {
    # The addresses of the server itself; as in remediate/iis/local.py, which says more.
    $four = '127(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}'
    $hex = '[0-9A-Fa-f]'
    $mapped = (Get-IisZeroPattern 5) + "[Ff]{4}:($four|7[Ff]$hex{2}:$hex{1,4})|(0{1,4}:){5}[Ff]{4}:7[Ff]$hex{2}::"
    $six = '(' + (Get-IisZeroPattern 7) + '0{0,3}1|' + (Get-IisZeroPattern 6) + "0\.0\.0\.1|$mapped)(%[0-9A-Za-z._~-]{1,64})?"
    $name = '[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]'
    $port = '(:[0-9]{1,5})?'
    "\A[ \t\r\n]*(($four|$name)$port|$six|\[$six\]$port)[ \t\r\n]*\z"
}

function Test-IisLocal([string]$Address) {
    # Whether an address is the server's own; $null where none is given.
    if ($Address -cmatch '\A[ \t\r\n]*(-[ \t\r\n]*)?\z') { return $null }
    $Address -cmatch (Get-IisLocalPattern)
}

function Get-IisErrorCode([string]$Text) {
    # The code that a text tells of, or nothing; as `judge` in remediate/logs/exceptions.py. With several codes, as
    # in a chain of inner exceptions, it is the last one before the first frame RaiseCommunicationError.
    if (@($script:EventFamily | Where-Object { $Text.Contains($_) }).Count -eq 0) { return }
    $codes = @{}
    foreach ($code in $script:EventCodes) { $codes[$code] = "0x$code"; $codes[[string][Convert]::ToInt32($code, 16)] = "0x$code" }
    # By itself: not a part of a longer number, of a GUID or of a name.
    $pattern = '(?:(?<![0-9A-Fa-f])0[xX]|(?<![\w.-]))(?<code>(?i:' + ($codes.Keys -join '|') + '))(?![\w-]|\.\d)'
    $frame = [regex]::Match($Text, $script:EventFrames.raised)
    $found = $null
    foreach ($match in [regex]::Matches($Text, $pattern)) {
        $spelling = $match.Groups['code']
        if ($null -eq $found -or $spelling.Index -lt $frame.Index) { $found = $codes[$spelling.Value] }
    }
    $found
}

function Get-IisEventTrouble($ErrorRecord) {
    $cause = Get-IisCause $ErrorRecord
    'not fully readable: {0} ({1})' -f $cause.Message, $cause.GetType().FullName
}

function New-IisEventReader([string]$Name, [string]$XPath, [bool]$Newest) {
    # Not Get-WinEvent: where reading throws, a log that was cleared meanwhile for instance, it goes on with the same record
    # for ever. And it renders the message of each event.
    $query = New-Object System.Diagnostics.Eventing.Reader.EventLogQuery $Name, 'LogName', $XPath
    $query.ReverseDirection = $Newest
    New-Object System.Diagnostics.Eventing.Reader.EventLogReader $query
}

function Get-IisEventText($Record) {
    # The event's own XML. Each record holds memory of Windows until it is disposed.
    try { $Record.ToXml() } finally { $Record.Dispose() }
}

function Get-IisEventLogState([string]$Name) {
    # How far back the log goes, and why it may not hold what happened.
    $state = [ordered]@{ oldest = $null; complete = $true; detail = $null }
    try {
        $log = New-Object System.Diagnostics.Eventing.Reader.EventLogConfiguration $Name
        # $null where Windows does not say: an exception of a property.
        try { if ($log.IsEnabled -eq $false) { $state.detail = 'the log is disabled' } } finally { $log.Dispose() }
        $reader = New-IisEventReader $Name '*' $false
        try {
            $record = $reader.ReadEvent()
            if ($null -ne $record) { $state.oldest = Get-IisEventTime (ConvertFrom-IisEventText (Get-IisEventText $record)) }
        }
        finally { $reader.Dispose() }
    }
    catch { $state.detail = Get-IisEventTrouble $_ }
    $state
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

function ConvertTo-IisEventValue($Document) {
    # What is told of an event, and no more; nothing of one that has another provider's id.
    $id = [int]$Document.GetElementsByTagName('EventID').Item(0).InnerText
    $places = $script:EventPlaces[$Document.GetElementsByTagName('Provider').Item(0).Attributes.GetNamedItem('Name').Value]
    if ($null -eq $places -or -not $places.ContainsKey($id)) { return }
    $time = Get-IisEventTime $Document
    if ($id -eq 1309) { return ConvertTo-IisErrorValue $time @(foreach ($node in $Document.GetElementsByTagName('Data')) { $node.InnerText.Trim() }) }
    $pool = $null
    $data = @($Document.GetElementsByTagName('Data'))
    foreach ($node in $data) {
        if ($node.GetAttribute('Name') -ceq 'AppPoolID') { $pool = Get-IisEventName $node.InnerText }
    }
    $place = $places[$id]
    if ($null -eq $pool -and $null -ne $place -and $place -lt $data.Length) { $pool = Get-IisEventName $data[$place].InnerText }
    [ordered]@{ time = $time; id = $id; pool = $pool }
}

function ConvertTo-IisErrorValue([string]$Time, [string[]]$Data) {
    # Of event 1309, if its exception has one of the codes. Its data has no names: 8 is the application
    # domain, 17 the exception's type, 18 its texts and stacks, 21 the client's address, 29 the thread's stack.
    if ($Data.Length -lt 22) { return }
    $exception = $Data[17] + "`n" + $Data[18]
    if ($Data.Length -gt 29) { $exception += "`n" + $Data[29] }
    $code = Get-IisErrorCode $exception
    if (-not $code) { return }
    $application = $null
    if ($Data[8] -match '^(/LM/W3SVC/[0-9]+/ROOT(/.*?)?)(-[0-9]+-[0-9]+)?\z') { $application = Get-IisEventName $Matches[1] }
    $streaming = $null
    foreach ($stream in $script:EventStreams) {
        if ($null -eq $streaming -and $exception -cmatch $stream.frames) { $streaming = $stream.name }
    }
    [ordered]@{
        time = $Time; code = $code; application = $application; local = Test-IisLocal $Data[21]; streaming = $streaming
        raised = $exception -cmatch $script:EventFrames.raised; flushed = $exception -cmatch $script:EventFrames.flushed
        entity_read = $exception -cmatch $script:EventFrames.entity_read
    }
}

function Read-IisEventLog([string]$Name, [string]$Since) {
    # @{state; values}: the newest first. The first exception of the reader ends it, and what was read is kept; an event that
    # cannot be understood is counted.
    $asked = $script:EventQueries[$Name]
    $state = Get-IisEventLogState $Name
    $values = New-Object System.Collections.ArrayList
    $unread = 0
    try {
        $reader = New-IisEventReader $Name ("*[System[{0} and TimeCreated[@SystemTime>='{1}']]]" -f $asked.asked, $Since.Replace('Z', '.000Z')) $true
        try {
            for ($count = 0; $count -lt $asked.most; $count++) {
                $record = $reader.ReadEvent()
                if ($null -eq $record) { break }
                try {
                    $value = ConvertTo-IisEventValue (ConvertFrom-IisEventText (Get-IisEventText $record))
                    if ($null -ne $value) { [void]$values.Add($value) }
                }
                catch { $unread++ }
            }
            if ($count -ge $asked.most) { $state.complete = $false }
        }
        finally { $reader.Dispose() }
    }
    catch { $state.detail = Get-IisEventTrouble $_ }
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
