# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# The server at one moment: a manager that has read the configuration, and the XML of the same moment. Needs IisRead.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Open-IisSnapshot {
    Invoke-IisLook { Read-IisSnapshot }
}

function Read-IisSnapshot {
    # One look at the server: a fresh manager, and the XML of the same moment.
    $manager = New-IisManager
    try {
        $shared = Get-IisSharedConfigPath $manager
        $section = Get-IisSectionNode (Read-IisConfigFile $shared) 'applicationPools'
        @{
            Manager      = $manager
            SharedPath   = $shared
            Pools        = Get-IisPoolMap $manager
            PoolNodes    = Get-IisNodeMap $section 'add' 'name'
            DefaultsNode = Get-IisDefaultsNode $section 'applicationPoolDefaults'
        }
    }
    catch { $manager.Dispose(); throw }
}

function Get-IisPoolMap($Manager) {
    # Each pool by its name, once a look: each step through the pools is a call into IIS. By our own comparison, since how
    # the API's indexer compares names is not documented.
    $map = New-IisNameMap
    foreach ($pool in $Manager.ApplicationPools) { $map[$pool.GetAttributeValue('name')] = $pool }
    , $map
}

function Get-IisTarget($Snapshot, $Change) {
    # What a change is about: applicationPoolDefaults or a pool, $null where that is not there. A pool may be named
    # applicationPoolDefaults: the scope tells, never the name.
    if ($Change.scope -ceq 'defaults') { $Snapshot.Manager.ApplicationPoolDefaults }
    elseif ($Snapshot.Pools.ContainsKey($Change.pool)) { $Snapshot.Pools[$Change.pool] }
}

function Get-IisTargetNode($Snapshot, $Change) {
    # Its element in the file, or $null.
    if ($Change.scope -ceq 'defaults') { return $Snapshot.DefaultsNode }
    if ($Snapshot.PoolNodes.ContainsKey($Change.pool)) { $Snapshot.PoolNodes[$Change.pool] }
}

function Read-IisValue($Snapshot, $Change, [string]$Name) {
    # @{value; source} of an attribute of what the change is about.
    if ($Change.scope -ceq 'defaults') { return Read-IisDefault $Snapshot.Manager $Snapshot.DefaultsNode $Name }
    Read-IisPoolAttribute (Get-IisTarget $Snapshot $Change) (Get-IisTargetNode $Snapshot $Change) $Snapshot.DefaultsNode $Name
}
