# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Reads what IIS will do: the effective values of an allow-list of settings, and where each came from.
#
# The same text is a module_util of this collection and the body of the inspection script, so it keeps to
# what Windows PowerShell 3.0 knows. It only reads. It never asks for a password: nothing outside the two
# lists below is read from a pool, and no object of IIS is ever serialised whole.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:LookSeconds = 5
$script:PoolAttributes = @(
    'startMode', 'autoStart', 'managedRuntimeVersion', 'managedPipelineMode',
    'processModel.idleTimeout', 'processModel.idleTimeoutAction', 'processModel.logEventOnProcessModel',
    'processModel.identityType',
    'recycling.disallowRotationOnConfigChange', 'recycling.disallowOverlappingRotation',
    'recycling.logEventOnRecycle', 'recycling.periodicRestart.time'
)

# Tag and dotted name of an attribute -> whether this version of IIS knows it.
$script:Known = @{}

function Get-IisPoolAttributeName {
    # The allow-list: nothing else is read from a pool, whoever asks.
    , $script:PoolAttributes
}

function Get-IisCause($ErrorRecord) {
    # The exception itself: PowerShell wraps what a method throws.
    $cause = $ErrorRecord.Exception
    while ($null -ne $cause.InnerException) { $cause = $cause.InnerException }
    $cause
}

function Get-IisFailure($ErrorRecord) {
    # The cause in words. IIS reads and writes a shared configuration as the caller; where the connection has no second
    # hop, that is denied, and the text of it names a file and no way out.
    $cause = Get-IisCause $ErrorRecord
    if ([Runtime.InteropServices.Marshal]::GetHRForException($cause) -ne 0x80070005) { return $cause.Message }
    $shared = $null
    try {
        $manager = New-Object Microsoft.Web.Administration.ServerManager
        try { $shared = Get-IisSharedConfigPath $manager } finally { $manager.Dispose() }
    }
    catch { return $cause.Message }
    if (-not $shared) { return $cause.Message }
    "The configuration is shared ($shared), and access was denied. It is read and written as the account of this connection, " +
    'which over NTLM, or Kerberos without delegation, cannot go on to another server (no second hop). ' +
    'Use CredSSP, Kerberos with delegation, or Basic over HTTPS; and the account must have rights on the share. ' + $cause.Message
}

function Get-IisAssemblyPath {
    Join-Path $env:windir 'System32\inetsrv\Microsoft.Web.Administration.dll'
}

function Assert-IisProcess {
    # Before anything is looked for: System32 and HKLM:\SOFTWARE are other places for a 32-bit process.
    if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
        throw 'This is a 32-bit PowerShell on a 64-bit Windows. Connect to the default session configuration.'
    }
}

function Test-IisInstalled {
    # By its service, or by the key that its setup makes. Not by its API: that is a part of the management tools, and a
    # server without them would pass for one without IIS.
    Assert-IisProcess
    if (@(Get-CimInstance -ClassName Win32_Service -Filter "Name='W3SVC'").Count -gt 0) { return $true }
    Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\InetStp'
}

function Import-IisApi {
    Assert-IisProcess
    $path = Get-IisAssemblyPath
    if (-not (Test-Path -LiteralPath $path)) {
        if (-not (Test-IisInstalled)) { throw 'IIS is not installed on this server.' }
        throw "IIS is installed, and its configuration API is not: $path is missing. Install the Windows feature Web-Scripting-Tools."
    }
    Add-Type -Path $path
}

function Assert-IisApi($Manager) {
    # That of IIS Express has the same names, is version 7.9, and reads and writes the user's own files. It counts where it
    # was loaded before. Windows may take the one of IIS from its assembly cache.
    $assembly = $Manager.GetType().Assembly
    $version = $assembly.GetName().Version.ToString()
    $folder = [IO.Path]::GetDirectoryName($assembly.Location)
    if ($version -ceq '7.0.0.0' -and ($assembly.GlobalAssemblyCache -or (Test-IisSame ([IO.Path]::GetFileName($folder)) 'inetsrv'))) { return }
    throw "The Microsoft.Web.Administration that is loaded is not that of IIS: version $version from $folder. Is it that of IIS Express?"
}

function New-IisManager {
    # A ServerManager keeps the picture that it read first: whoever wants to see a change takes a new one.
    Import-IisApi
    $manager = New-Object Microsoft.Web.Administration.ServerManager
    # PowerShell turns an exception of a property into $null: with a broken file, $manager.ApplicationPools would be
    # no pools at all. A method's exception arrives, so the sections are asked for by method first.
    try {
        Assert-IisApi $manager
        $config = $manager.GetApplicationHostConfiguration()
        foreach ($name in 'system.applicationHost/applicationPools', 'system.applicationHost/sites') {
            [void]$config.GetSection($name).GetCollection().Count
        }
        if ($null -eq $manager.ApplicationPools -or $null -eq $manager.Sites -or $null -eq $manager.ApplicationPoolDefaults) {
            throw 'The configuration API gave no application pools or sites.'
        }
    }
    catch { $manager.Dispose(); throw }
    $manager
}

function Read-IisAttribute($Element, [string]$Name) {
    # The value by the attribute's dotted name, as text, or nothing where this IIS does not know the attribute.
    # It comes from a method: PowerShell makes $null of a property's exception.
    if (-not (Test-IisKnown $Element $Name)) { return }
    $path = $Name.Split('.')
    for ($i = 0; $i -lt $path.Length - 1; $i++) { $Element = $Element.GetChildElement($path[$i]) }
    ConvertTo-IisText ($Element.GetAttribute($path[-1]).Schema) ($Element.GetAttributeValue($path[-1]))
}

function Get-IisMachineName {
    $system = Get-CimInstance -ClassName Win32_ComputerSystem
    if ($system.PartOfDomain) { '{0}.{1}' -f $system.DNSHostName, $system.Domain } else { $system.DNSHostName }
}

function Get-IisSharedConfigPath($Manager) {
    # The folder of a shared configuration, or $null. Then one edit changes every server of that share.
    $section = $Manager.GetRedirectionConfiguration().GetSection('configurationRedirection')
    if ($section.GetAttributeValue('enabled')) {
        [Environment]::ExpandEnvironmentVariables([string]$section.GetAttributeValue('path'))
    }
}

function Test-IisFileBusy($ErrorRecord) {
    # In use by another, or not there for a moment. By type and HRESULT: the texts are translated.
    $cause = $ErrorRecord.Exception
    while ($null -ne $cause) {
        if ($cause -is [IO.IOException] -or [Runtime.InteropServices.Marshal]::GetHRForException($cause) -eq 0x80070020) { return $true }
        $cause = $cause.InnerException
    }
    $false
}

function Invoke-IisLook([scriptblock]$Look) {
    # What reads the configuration, again for some seconds where the file is busy: so it may be right after a commit.
    $until = [DateTime]::UtcNow.AddSeconds($script:LookSeconds)
    while ($true) {
        try { return (& $Look) }
        catch { if (-not (Test-IisFileBusy $_) -or [DateTime]::UtcNow -ge $until) { throw } }
        Start-Sleep -Milliseconds 200
    }
}

function Read-IisSharedPath {
    $manager = New-IisManager
    try { Get-IisSharedConfigPath $manager } finally { $manager.Dispose() }
}

function Get-IisConfigFolder([string]$SharedPath) {
    # Where the applicationHost.config lies that IIS reads.
    if ($SharedPath) { $SharedPath } else { Join-Path $env:windir 'System32\inetsrv\config' }
}

function Read-IisConfigFile([string]$SharedPath) {
    # The file's XML. It alone tells where a value comes from: the API calls one from applicationPoolDefaults the pool's own.
    $folder = Get-IisConfigFolder $SharedPath
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    # IIS may be writing it at this moment: a reader must not stand in its way.
    # Join-Path asks PowerShell's drives, which do not know one that the share's path may name.
    $file = [IO.File]::Open([IO.Path]::Combine($folder, 'applicationHost.config'), 'Open', 'Read', 'ReadWrite, Delete')
    try { $document.Load($file) } finally { $file.Dispose() }
    # The comma keeps the document whole: PowerShell would hand out its nodes one by one.
    , $document
}

function Test-IisSame([string]$One, [string]$Other) {
    # One name or word, without case. PowerShell's -eq compares as a language does: on Windows a soft hyphen is nothing
    # to it, and a sharp s is two.
    [string]::Equals($One, $Other, [StringComparison]::OrdinalIgnoreCase)
}

function New-IisNameMap {
    # IIS compares names without case, and no culture has a say in it.
    , (New-Object 'System.Collections.Generic.Dictionary[string,object]' ([StringComparer]::OrdinalIgnoreCase))
}

function Get-IisSectionNode($Document, [string]$Name) {
    # The section in the file, outside locations or in one for the whole server; $null where it is in neither.
    $whole = "/configuration/location[not(@path) or @path='' or @path='.']"
    $Document.SelectSingleNode("/configuration/system.applicationHost/$Name | $whole/system.applicationHost/$Name")
}

function Get-IisNodeMap($Section, [string]$Tag, [string]$KeyAttribute) {
    $map = New-IisNameMap
    if ($null -ne $Section) { foreach ($node in $Section.SelectNodes($Tag)) { $map[$node.GetAttribute($KeyAttribute)] = $node } }
    , $map
}

function Get-IisDefaultsNode($Section, [string]$Name) {
    # The element of that name in a section, or $null where there is no such element or no section.
    if ($null -ne $Section) { $Section.SelectSingleNode($Name) }
}

function Test-IisSchema($Element, [string]$Name) {
    # Whether this version of IIS knows the attribute of that dotted name. The schema is asked, since the API throws for
    # an unknown name, and a catch would hide other errors.
    $path = $Name.Split('.')
    for ($i = 0; $i -lt $path.Length - 1; $i++) {
        $known = $false
        foreach ($child in $Element.Schema.ChildElementSchemas) { if ($child.Name -ceq $path[$i]) { $known = $true } }
        if (-not $known) { return $false }
        $Element = $Element.GetChildElement($path[$i])
    }
    foreach ($attribute in $Element.Schema.AttributeSchemas) { if ($attribute.Name -ceq $path[-1]) { return $true } }
    $false
}

function Test-IisKnown($Element, [string]$Name) {
    # The same, asked once: elements of one tag have one schema, and each step through a schema is a call into IIS.
    $key = $Element.ElementTagName + ' ' + $Name
    if (-not $script:Known.ContainsKey($key)) { $script:Known[$key] = Test-IisSchema $Element $Name }
    $script:Known[$key]
}

function Find-IisAttribute($Element, [string]$Name) {
    # The attribute by its dotted name, or nothing where this version of IIS does not know it.
    if (-not (Test-IisKnown $Element $Name)) { return }
    $path = $Name.Split('.')
    for ($i = 0; $i -lt $path.Length - 1; $i++) { $Element = $Element.GetChildElement($path[$i]) }
    $Element.GetAttribute($path[-1])
}

function Test-IisNode($Node, [string]$Name) {
    # Whether the attribute of that dotted name stands in the file, at this element.
    $path = $Name.Split('.')
    for ($i = 0; $i -lt $path.Length - 1; $i++) {
        if ($null -eq $Node) { return $false }
        $Node = $Node.SelectSingleNode($path[$i])
    }
    ($null -ne $Node) -and $Node.HasAttribute($path[-1])
}

function ConvertTo-IisText($Schema, $Value) {
    # One spelling for what the API may hand out as TimeSpan or ticks, as a name or as a number. $null is what PowerShell
    # makes of an exception, and would read as 00:00:00, as false, or as the first name.
    if ($null -eq $Value -and $Schema.Type -cne 'string') { throw "The API gave nothing for $($Schema.Name)." }
    switch ($Schema.Type) {
        'timeSpan' {
            if ($Value -is [TimeSpan]) { return $Value.ToString('c') }
            if ($Value -is [string]) { return (ConvertFrom-IisTimeText $Value).ToString('c') }
            # Every time span here is a multiple of seconds: anything else was not ticks.
            if (([int64]$Value % 10000000) -ne 0) { throw "The API gave $Value for the time span $($Schema.Name)." }
            return (New-Object TimeSpan ([int64]$Value)).ToString('c')
        }
        'bool' { if ([bool]$Value) { return 'true' } else { return 'false' } }
        'enum' {
            foreach ($item in $Schema.GetEnumValues()) {
                if ($Value -is [string]) { if (Test-IisSame $item.Name $Value) { return $item.Name } }
                elseif ([int64]$item.Value -eq [int64]$Value) { return $item.Name }
            }
            throw "The API gave $Value for $($Schema.Name), which has no such value."
        }
        'flags' {
            if ($Value -is [string]) { return $Value }
            $names = foreach ($item in $Schema.GetEnumValues()) {
                if ([int64]$item.Value -ne 0 -and ([int64]$Value -band [int64]$item.Value) -eq [int64]$item.Value) { $item.Name }
            }
            return (@($names) -join ', ')
        }
        default { return [string]$Value }
    }
}

function ConvertFrom-IisTimeText([string]$Text) {
    # [d.]hh:mm:ss with hours above 23, as IIS writes them. What could be meant otherwise is refused, and told.
    if ($Text -match '^(?:([0-9]{1,5})\.)?([0-9]{1,5}):([0-5][0-9]):([0-5][0-9])\z') {
        $days = 0
        if ($Matches.ContainsKey(1)) { $days = [int]$Matches[1] }
        return (New-Object TimeSpan $days, ([int]$Matches[2]), ([int]$Matches[3]), ([int]$Matches[4]))
    }
    $no = "'$Text' is not a time span:"
    if ($Text -match '^[0-9]{1,5}\z') {
        $number = [int]$Text
        throw "$no .NET would read $number days; write $([TimeSpan]::FromMinutes($number).ToString('c')) for $number minutes."
    }
    if ($Text -match '^([0-9]{1,5}) ?(s|sec|m|min|h|d)\z') {
        $unit = @{ s = 1; sec = 1; m = 60; min = 60; h = 3600; d = 86400 }[$Matches[2]]
        throw "$no write $([TimeSpan]::FromSeconds([int]$Matches[1] * [int64]$unit).ToString('c'))."
    }
    if ($Text -match '^([0-9]{1,2}):([0-5][0-9])\z') {
        $long = (New-Object TimeSpan ([int]$Matches[1]), ([int]$Matches[2]), 0).ToString('c')
        $short = (New-Object TimeSpan 0, ([int]$Matches[1]), ([int]$Matches[2])).ToString('c')
        throw "$no as hh:mm it would be $long, as mm:ss $short; write which."
    }
    throw "$no write [d.]hh:mm:ss."
}

function Read-IisPoolAttribute($Pool, $PoolNode, $DefaultsNode, [string]$Name) {
    # @{value; source}, or $null where this IIS does not know the attribute. Nobody knows the source of a value whose pool
    # is not in the file.
    $value = Read-IisAttribute $Pool $Name
    if ($null -eq $value) { return }
    $source = 'schema'
    if ($null -eq $PoolNode) { $source = 'unknown' }
    elseif (Test-IisNode $PoolNode $Name) { $source = 'pool' }
    elseif (Test-IisNode $DefaultsNode $Name) { $source = 'defaults' }
    [ordered]@{ value = $value; source = $source }
}

function Read-IisDefault($Manager, $DefaultsNode, [string]$Name) {
    # The same of applicationPoolDefaults.
    $value = Read-IisAttribute $Manager.ApplicationPoolDefaults $Name
    if ($null -eq $value) { return }
    $source = 'schema'
    if (Test-IisNode $DefaultsNode $Name) { $source = 'defaults' }
    [ordered]@{ value = $value; source = $source }
}

function Get-IisApplicationMap($Manager, $Document) {
    # Pool name -> its applications, with what decides whether IIS sends them a request of its own.
    $section = Get-IisSectionNode $Document 'sites'
    $siteNodes = Get-IisNodeMap $section 'site' 'name'
    $allDefaults = Get-IisDefaultsNode $section 'applicationDefaults'
    $map = New-IisNameMap
    foreach ($site in $Manager.Sites) {
        $siteNode = $null
        $nodes = New-IisNameMap
        if ($siteNodes.ContainsKey($site.Name)) {
            $siteNode = $siteNodes[$site.Name]
            $nodes = Get-IisNodeMap $siteNode 'application' 'path'
        }
        # Events name an application by its site's number.
        $number = [int64](Read-IisAttribute $site 'id')
        foreach ($application in $site.Applications) {
            $entry = [ordered]@{ path = $site.Name + $application.Path; site = $number }
            $preload = Read-IisAttribute $application 'preloadEnabled'
            if ($null -ne $preload) {
                $source = 'unknown'
                if ($nodes.ContainsKey($application.Path)) {
                    $source = 'schema'
                    if (Test-IisNode $nodes[$application.Path] 'preloadEnabled') { $source = 'application' }
                    elseif (Test-IisNode $siteNode.SelectSingleNode('applicationDefaults') 'preloadEnabled') { $source = 'site' }
                    elseif (Test-IisNode $allDefaults 'preloadEnabled') { $source = 'defaults' }
                }
                $entry.preloadEnabled = [ordered]@{ value = $preload; source = $source }
            }
            $pool = [string]$application.ApplicationPoolName
            if (-not $map.ContainsKey($pool)) { $map[$pool] = New-Object System.Collections.ArrayList }
            [void]$map[$pool].Add($entry)
        }
    }
    , $map
}

function Get-IisPoolState($Pool) {
    # Only a running WAS can tell; without one the property is $null, and the server can be inspected all the same.
    $state = $Pool.State
    if ($null -eq $state) { 'Unknown' } else { $state.ToString() }
}

function Get-IisTimeZone([DateTime]$Now) {
    # Windows' name of the server's time zone, which is in no language, and the offsets from UTC in minutes: now, and every 30
    # days back for a year. The name alone is not enough: a server may have daylight saving time switched off.
    $zone = [TimeZoneInfo]::Local
    $offsets = foreach ($months in 0..12) { [int]$zone.GetUtcOffset($Now.AddDays(-30 * $months)).TotalMinutes }
    [ordered]@{ id = $zone.Id; offsets = @($offsets) }
}

function Get-IisInspection {
    Invoke-IisLook { Read-IisInspection }
}

function Read-IisInspection {
    # All that remediate knows of a server, as one value that ConvertTo-Json can write: no dates, no enums.
    $now = [DateTime]::UtcNow
    $inspection = [ordered]@{
        format             = 'remediate.inspection'
        format_version     = 1
        machine            = Get-IisMachineName
        windows_version    = (Get-CimInstance -ClassName Win32_OperatingSystem).Version
        powershell_version = $PSVersionTable.PSVersion.ToString()
        clock              = $now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
        time_zone          = Get-IisTimeZone $now
        iis_version        = $null
        appinit_module     = $false
        shared_config      = $null
        defaults           = [ordered]@{}
        pools              = @()
    }
    if (-not (Test-IisInstalled)) { return $inspection }
    $manager = New-IisManager
    try {
        $version = [Diagnostics.FileVersionInfo]::GetVersionInfo((Get-IisAssemblyPath))
        $inspection.iis_version = '{0}.{1}' -f $version.FileMajorPart, $version.FileMinorPart
        $inspection.shared_config = Get-IisSharedConfigPath $manager
        $document = Read-IisConfigFile $inspection.shared_config
        foreach ($module in $manager.GetApplicationHostConfiguration().GetSection('system.webServer/globalModules').GetCollection()) {
            if (Test-IisSame $module.GetAttributeValue('name') 'ApplicationInitializationModule') { $inspection.appinit_module = $true }
        }
        $section = Get-IisSectionNode $document 'applicationPools'
        $poolNodes = Get-IisNodeMap $section 'add' 'name'
        $defaultsNode = Get-IisDefaultsNode $section 'applicationPoolDefaults'
        $applications = Get-IisApplicationMap $manager $document
        foreach ($name in $script:PoolAttributes) {
            $read = Read-IisDefault $manager $defaultsNode $name
            if ($null -ne $read) { $inspection.defaults[$name] = $read }
        }
        $pools = foreach ($pool in $manager.ApplicationPools) {
            $node = $null
            if ($poolNodes.ContainsKey($pool.Name)) { $node = $poolNodes[$pool.Name] }
            $attributes = [ordered]@{}
            foreach ($name in $script:PoolAttributes) {
                $read = Read-IisPoolAttribute $pool $node $defaultsNode $name
                if ($null -ne $read) { $attributes[$name] = $read }
            }
            $served = @()
            if ($applications.ContainsKey($pool.Name)) { $served = $applications[$pool.Name].ToArray() }
            [ordered]@{ name = $pool.Name; state = Get-IisPoolState $pool; attributes = $attributes; applications = $served }
        }
        $inspection.pools = @($pools)
    }
    finally { $manager.Dispose() }
    $inspection
}
