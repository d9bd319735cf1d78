# A stand-in for Windows' Get-WinEvent, for the simulated servers: the three questions that the inspection asks of it,
# with the real one's errors by their ids. The events are in System32\winevt\Logs\LOG.xml, in the order of their records,
# as `wevtutil qe LOG /f:xml /e:Events` prints them; a log without a file is empty. Anything else throws.
#
# lab.txt: event_log=LOG:disabled, LOG:denied, LOG:missing or LOG:undescribed, once for each log (see
# remediate/lab/knobs.py). undescribed: no provider's texts are installed, so each event comes with an error beside it.

Set-StrictMode -Version Latest

$script:Logs = 'System', 'Application'
# Who is registered to write into which log; one that has written into it is, too.
$script:Providers = @{ System = 'EventLog', 'Microsoft-Windows-Kernel-General', 'Microsoft-Windows-WAS'; Application = @('ASP.NET 4.0.30319.0') }

class UndescribedException : System.Exception {
    # Thrown by EventRecord.FormatDescription: that stands in its stack, in no language.
    UndescribedException() : base('The locale specific resource for the desired message is not present') { }
    [string] get_StackTrace() { return '   at System.Diagnostics.Eventing.Reader.EventLogRecord.FormatDescription()' }
}
$script:Undescribed = New-Object UndescribedException

function Get-WinEvent {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, ParameterSetName = 'List')] [string] $ListLog,
        [Parameter(Mandatory, ParameterSetName = 'Log')] [string] $LogName,
        [Parameter(Mandatory, ParameterSetName = 'Filter')] [hashtable] $FilterHashtable,
        [Parameter(ParameterSetName = 'Log')] [Parameter(ParameterSetName = 'Filter')] [long] $MaxEvents,
        [Parameter(ParameterSetName = 'Log')] [switch] $Oldest
    )

    $name = switch ($PSCmdlet.ParameterSetName) { 'List' { $ListLog } 'Log' { $LogName } 'Filter' { $FilterHashtable.LogName } }
    if ($name -notin $script:Logs) { throw "The lab's Get-WinEvent does not know the log $name." }
    $fault = Get-LabFault $name
    if ($fault -eq 'missing') {
        Write-LabError $PSCmdlet 'NoMatchingLogsFound' "There is not an event log on the localhost computer that matches `"$name`"."
        # The real one asks Windows with an empty query then, which refuses it.
        if ($PSCmdlet.ParameterSetName -eq 'Filter') { throw (New-Object System.ArgumentException 'The parameter is incorrect') }
        return
    }
    if ($PSCmdlet.ParameterSetName -eq 'List') {
        return [pscustomobject]@{ LogName = $name; IsEnabled = $fault -ne 'disabled' }
    }
    # A filter by hashtable tolerates errors of the query: a log that may not be read is as good as empty.
    if ($fault -eq 'denied' -and $PSCmdlet.ParameterSetName -eq 'Log') {
        throw (New-Object System.UnauthorizedAccessException 'Attempted to perform an unauthorized operation.')
    }
    $events = @(if ($fault -ne 'denied') { Read-LabEvent $name })
    if ($PSCmdlet.ParameterSetName -eq 'Filter') {
        $unknown = @($FilterHashtable.Keys | Where-Object { $_ -notin 'LogName', 'ProviderName', 'Id', 'StartTime' })
        if ($unknown.Count -gt 0) { throw "The lab's Get-WinEvent does not know the filter by $unknown." }
        if (@($FilterHashtable.Id).Count -ge 20) { throw (New-Object System.Exception 'The specified query is invalid') }
        $provider = $FilterHashtable.ProviderName
        if ($provider -notin $script:Providers[$name] -and $provider -notin @($events | ForEach-Object Provider)) {
            Write-LabError $PSCmdlet 'NoMatchingProvidersFound' "There is not an event provider on the localhost computer that matches `"$provider`"."
            Write-LabError $PSCmdlet 'LogsAndProvidersDontOverlap' 'The specified providers do not write events to any of the specified logs.'
            throw (New-Object System.ArgumentException 'The parameter is incorrect')
        }
        # As the real one: whatever it is, its text is read in the user's culture.
        $since = [DateTime]::Parse($FilterHashtable.StartTime.ToString(), [Globalization.CultureInfo]::CurrentCulture).ToUniversalTime()
        $events = @($events | Where-Object { $_.Provider -eq $provider -and $_.Id -in $FilterHashtable.Id -and $_.Time -ge $since })
    }
    if (-not $Oldest) { [array]::Reverse($events) }
    $events = @($events | Select-Object -First $MaxEvents)
    if ($fault -eq 'undescribed') {
        # By its message, as the real one: the text of a resource that is not there.
        foreach ($event_ in $events) { Write-LabError $PSCmdlet $script:Undescribed.Message $script:Undescribed }
    }
    if ($events.Count -eq 0) { Write-LabError $PSCmdlet 'NoMatchingEventsFound' 'No events were found that match the specified selection criteria.' }
    $events
}

function Read-LabEvent([string]$Name) {
    $file = Join-Path $env:windir "System32/winevt/Logs/$Name.xml"
    if (-not (Test-Path -LiteralPath $file)) { return }
    $document = New-Object System.Xml.XmlDocument
    $document.Load($file)
    foreach ($node in $document.DocumentElement.ChildNodes) {
        if ($node.LocalName -cne 'Event') { continue }
        $event_ = [pscustomobject]@{
            Provider = $node['System']['Provider'].GetAttribute('Name')
            Id       = [int]$node['System']['EventID'].InnerText
            Time     = [DateTime]::Parse($node['System']['TimeCreated'].GetAttribute('SystemTime'), [Globalization.CultureInfo]::InvariantCulture).ToUniversalTime()
            Xml      = $node.OuterXml
        }
        $event_ | Add-Member -MemberType ScriptMethod -Name ToXml -Value { $this.Xml }
        $event_
    }
}

function Get-LabFault([string]$Name) {
    foreach ($line in [IO.File]::ReadAllLines((Join-Path $env:windir 'lab.txt'))) {
        $key, $value = $line -split '=', 2
        if ($key.Trim() -eq 'event_log') {
            $log, $fault = $value.Trim() -split ':', 2
            if ($log -eq $Name) {
                if ($fault -notin 'disabled', 'denied', 'missing', 'undescribed') { throw "lab.txt: event_log=$value is not known." }
                return $fault
            }
        }
    }
}

function Write-LabError($Cmdlet, [string]$Id, $Cause) {
    # In the caller's name: the text after the comma of the id is the command's, which differs from the real one's.
    $Cmdlet.WriteError((New-Object System.Management.Automation.ErrorRecord ([System.Exception]$Cause), $Id, 'ObjectNotFound', $null))
}

Export-ModuleMember -Function Get-WinEvent
