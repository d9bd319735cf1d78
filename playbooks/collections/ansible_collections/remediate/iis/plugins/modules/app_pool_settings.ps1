#!powershell

# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ..module_utils.IisRead
#AnsibleRequires -PowerShell ..module_utils.IisLock
#AnsibleRequires -PowerShell ..module_utils.IisValue
#AnsibleRequires -PowerShell ..module_utils.IisSnapshot
#AnsibleRequires -PowerShell ..module_utils.IisPattern
#AnsibleRequires -PowerShell ..module_utils.IisCompare
#AnsibleRequires -PowerShell ..module_utils.IisBackup
#AnsibleRequires -PowerShell ..module_utils.IisCommit
#AnsibleRequires -PowerShell ..module_utils.IisWrite

$choices = @{ scope = 'pool', 'defaults'; attribute = 'startMode', 'processModel.idleTimeout'; on_mismatch = 'stale', 'skip' }
$spec = @{
    options = @{
        changes = @{
            type = 'list'
            elements = 'dict'
            options = @{
                scope = @{ type = 'str'; choices = $choices.scope; default = 'pool' }
                pool = @{ type = 'str' }
                attribute = @{ type = 'str'; required = $true; choices = $choices.attribute }
                expect = @{ type = 'str'; required = $true }
                given = @{ type = 'dict'; default = @{} }
                set = @{ type = 'str' }
                clear = @{ type = 'bool'; default = $false }
                inherits = @{ type = 'str' }
            }
        }
        pools = @{ type = 'list'; elements = 'str' }
        attribute = @{ type = 'str'; choices = $choices.attribute }
        set = @{ type = 'str' }
        given = @{ type = 'dict' }
        on_mismatch = @{ type = 'str'; choices = $choices.on_mismatch; default = 'stale' }
        allow_shared = @{ type = 'bool'; default = $false }
        machine = @{ type = 'str' }
        backup = @{ type = 'str' }
        run = @{ type = 'str'; default = 'unnamed' }
        undoes = @{ type = 'str' }
        lock_seconds = @{ type = 'int'; default = 60 }
        pools_per_commit = @{ type = 'int'; default = 10 }
        pause = @{ type = 'int'; default = 5 }
        verify_seconds = @{ type = 'int'; default = 30 }
    }
    mutually_exclusive = @(@('changes', 'pools'), @('changes', 'given'))
    required_one_of = @(, @('changes', 'pools'))
    required_together = @(, @('pools', 'attribute', 'set'))
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

# Ansible.Basic takes a choice in any case and leaves it as it was written. From here on each is spelled as above.
foreach ($params in @($module.Params) + @($module.Params.changes)) {
    foreach ($name in 'scope', 'attribute', 'on_mismatch') {
        if ($null -eq $params -or $null -eq $params[$name]) { continue }
        foreach ($choice in $choices[$name]) { if (Test-IisSame $choice $params[$name]) { $params[$name] = $choice } }
    }
}

$pattern = $null
if ($null -ne $module.Params.pools) {
    $pattern = @{
        pools = $module.Params.pools; attribute = $module.Params.attribute; set = $module.Params.set
        given = $module.Params.given; skip = $module.Params.on_mismatch -ceq 'skip'; allow_shared = $module.Params.allow_shared
    }
    if ($null -eq $pattern.given) { $pattern.given = @{} }
    if (@($pattern.pools | Where-Object { $_ }).Count -eq 0) { $module.FailJson("pools: name at least one pool, or '*' for all") }
}
foreach ($change in $module.Params.changes) {
    $which = "$($change.attribute) of $($change.pool)"
    if ($change.scope -ceq 'defaults') { $which = "$($change.attribute) of applicationPoolDefaults" }
    if ($change.scope -ceq 'pool' -and -not $change.pool) { $module.FailJson("changes: give 'pool' or 'scope: defaults' for $($change.attribute)") }
    if ($change.scope -ceq 'defaults' -and $null -ne $change.pool) {
        $module.FailJson("changes: 'scope: defaults' is about no pool: leave out 'pool: $($change.pool)'")
    }
    if ($change.clear -eq ($null -ne $change.set)) { $module.FailJson("changes: give either 'set' or 'clear: true' for $which") }
}
try {
    foreach ($change in @($module.Params.changes) + @($pattern)) {
        if ($null -eq $change) { continue }
        if ($null -ne $change.set) { Assert-IisSettable $change.attribute $change.set }
        Assert-IisGiven $change.given
    }
}
catch { $module.FailJson((Get-IisCause $_).Message) }
if ($module.Params.backup -and $module.Params.backup -cnotmatch '^remediate-[A-Za-z0-9-]{1,80}\z') {
    $module.FailJson("backup: '$($module.Params.backup)' must be 'remediate-' and letters, digits and dashes")
}
foreach ($name in 'run', 'undoes') {
    if ($null -ne $module.Params[$name] -and $module.Params[$name] -cnotmatch '\A[A-Za-z0-9-]{1,80}\z') { $module.FailJson("${name}: must be letters, digits and dashes, at most 80") }
}
if ($module.Params.pools_per_commit -lt 1) { $module.FailJson('pools_per_commit: must be 1 or more') }

try {
    $outcome = Invoke-IisChange @{
        changes = $module.Params.changes; pattern = $pattern; machine = $module.Params.machine; backup = $module.Params.backup
        pools_per_commit = $module.Params.pools_per_commit; pause = $module.Params.pause; verify_seconds = $module.Params.verify_seconds
        check = $module.CheckMode; run = @{ name = $module.Params.run; undoes = $module.Params.undoes; wait = $module.Params.lock_seconds }
    }
}
catch { $module.FailJson("the changes could not be compared with the configuration: $(Get-IisFailure $_)") }

foreach ($key in 'machine', 'changed', 'stale', 'changes', 'backup') { $module.Result[$key] = $outcome[$key] }
foreach ($warning in $outcome.warnings) { $module.Warn($warning) }
if ($outcome.diff) { $module.Diff.prepared = $outcome.diff }
if ($outcome.failed) { $module.FailJson($outcome.failed) }
$module.ExitJson()
