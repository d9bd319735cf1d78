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

function New-IisManager {
    # A ServerManager keeps the picture that it read first: whoever wants to see a change takes a new one.
    if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
        # System32 is another folder for a 32-bit process, with another configuration in it.
        throw 'This is a 32-bit PowerShell on a 64-bit Windows. Connect to the default session configuration.'
    }
    Add-Type -Path (Get-IisAssemblyPath)
    $manager = New-Object Microsoft.Web.Administration.ServerManager
    # PowerShell turns an exception of a property into $null: with a broken file, $manager.ApplicationPools would be
    # no pools at all. A method's exception arrives, so the sections are asked for by method first.
    try {
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
    # @{schema; value; inherited} by the attribute's dotted name, or nothing where this IIS does not know it.
    # The value comes from a method: the property's exception would be $null, and $null would read as 00:00:00.
    $path = $Name.Split('.')
    $attribute = Find-IisAttribute $Element $Name
    if ($null -eq $attribute) { return }
    for ($i = 0; $i -lt $path.Length - 1; $i++) { $Element = $Element.GetChildElement($path[$i]) }
    $value = $Element.GetAttributeValue($path[-1])
    if ($null -eq $value -and $attribute.Schema.Type -cne 'string') { throw "The API gave nothing for $Name." }
    @{ schema = $attribute.Schema; value = ConvertTo-IisText $attribute.Schema $value; inherited = $attribute.IsInheritedFromDefaultValue }
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
    # The file's XML. What the API says of inheritance is only partly documented: the file is the second witness.
    $folder = Get-IisConfigFolder $SharedPath
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    # IIS may be writing it at this moment: a reader must not stand in its way.
    $file = [IO.File]::Open((Join-Path $folder 'applicationHost.config'), 'Open', 'Read', 'ReadWrite, Delete')
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

function Find-IisAttribute($Element, [string]$Name) {
    # The attribute by its dotted name, or $null where this version of IIS does not know it. The schema is asked,
    # since the API throws for an unknown name, and a catch would hide other errors.
    $path = $Name.Split('.')
    for ($i = 0; $i -lt $path.Length - 1; $i++) {
        $known = $false
        foreach ($child in $Element.Schema.ChildElementSchemas) { if ($child.Name -ceq $path[$i]) { $known = $true } }
        if (-not $known) { return }
        $Element = $Element.GetChildElement($path[$i])
    }
    foreach ($attribute in $Element.Schema.AttributeSchemas) {
        if ($attribute.Name -ceq $path[-1]) { return $Element.GetAttribute($path[-1]) }
    }
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
    # One spelling for what the API may hand out as TimeSpan or ticks, as a name or as a number.
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

function Resolve-IisSource($Inherited, [bool]$Own, [string]$From) {
    # Two witnesses, the API and the file. Where they disagree, or one is silent, nobody knows: undo must not guess.
    if ($Inherited -isnot [bool]) { return 'unknown' }
    if ($Own -and -not $Inherited) { return 'pool' }
    if ($Inherited -and -not $Own) { return $From }
    'unknown'
}

function Read-IisPoolAttribute($Pool, $PoolNode, $DefaultsNode, [string]$Name) {
    # @{value; source}, or $null where this IIS does not know the attribute.
    $read = Read-IisAttribute $Pool $Name
    if ($null -eq $read) { return }
    $from = 'schema'
    if (Test-IisNode $DefaultsNode $Name) { $from = 'defaults' }
    $source = 'unknown'
    if ($null -ne $PoolNode) {
        $source = Resolve-IisSource $read.inherited (Test-IisNode $PoolNode $Name) $from
    }
    [ordered]@{ value = $read.value; source = $source }
}

function Read-IisDefault($Manager, $DefaultsNode, [string]$Name) {
    # The same of applicationPoolDefaults. The file alone tells the source: what the API says of it is not known.
    $read = Read-IisAttribute $Manager.ApplicationPoolDefaults $Name
    if ($null -eq $read) { return }
    $source = 'schema'
    if (Test-IisNode $DefaultsNode $Name) { $source = 'defaults' }
    [ordered]@{ value = $read.value; source = $source }
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
        $number = [int64](Read-IisAttribute $site 'id').value
        foreach ($application in $site.Applications) {
            $entry = [ordered]@{ path = $site.Name + $application.Path; site = $number }
            $preload = Read-IisAttribute $application 'preloadEnabled'
            if ($null -ne $preload) {
                $from = 'schema'
                if (Test-IisNode $allDefaults 'preloadEnabled') { $from = 'defaults' }
                if ($null -ne $siteNode -and (Test-IisNode $siteNode.SelectSingleNode('applicationDefaults') 'preloadEnabled')) { $from = 'site' }
                $source = 'unknown'
                if ($nodes.ContainsKey($application.Path)) {
                    $source = Resolve-IisSource $preload.inherited (Test-IisNode $nodes[$application.Path] 'preloadEnabled') $from
                    if ($source -ceq 'pool') { $source = 'application' }
                }
                $entry.preloadEnabled = [ordered]@{ value = $preload.value; source = $source }
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

function Get-IisInspection {
    Invoke-IisLook { Read-IisInspection }
}

function Read-IisInspection {
    # All that remediate knows of a server, as one value that ConvertTo-Json can write: no dates, no enums.
    $inspection = [ordered]@{
        format             = 'remediate.inspection'
        format_version     = 1
        machine            = Get-IisMachineName
        windows_version    = (Get-CimInstance -ClassName Win32_OperatingSystem).Version
        powershell_version = $PSVersionTable.PSVersion.ToString()
        language_mode      = $ExecutionContext.SessionState.LanguageMode.ToString()
        clock              = [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
        iis_version        = $null
        appinit_module     = $false
        shared_config      = $null
        defaults           = [ordered]@{}
        pools              = @()
    }
    $dll = Get-IisAssemblyPath
    if (-not (Test-Path -LiteralPath $dll)) { return $inspection }
    $version = [Diagnostics.FileVersionInfo]::GetVersionInfo($dll)
    $inspection.iis_version = '{0}.{1}' -f $version.FileMajorPart, $version.FileMinorPart
    $manager = New-IisManager
    try {
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
