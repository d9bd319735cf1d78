#!powershell

# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ..module_utils.IisRead
#AnsibleRequires -PowerShell ..module_utils.IisWrite

$spec = @{
    options = @{
        changes = @{
            type = 'list'
            elements = 'dict'
            required = $true
            options = @{
                pool = @{ type = 'str'; required = $true }
                attribute = @{ type = 'str'; required = $true; choices = 'startMode', 'processModel.idleTimeout' }
                expect = @{ type = 'str'; required = $true }
                given = @{ type = 'dict'; default = @{} }
                set = @{ type = 'str' }
                clear = @{ type = 'bool'; default = $false }
                inherits = @{ type = 'str' }
            }
        }
        machine = @{ type = 'str' }
        backup = @{ type = 'str' }
        pools_per_commit = @{ type = 'int'; default = 10 }
        pause = @{ type = 'int'; default = 5 }
        verify_seconds = @{ type = 'int'; default = 30 }
    }
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

foreach ($change in $module.Params.changes) {
    if ($change.clear -eq ($null -ne $change.set)) {
        $module.FailJson("changes: give either 'set' or 'clear: true' for $($change.attribute) of $($change.pool)")
    }
}
if ($module.Params.backup -and $module.Params.backup -cnotmatch '^remediate-[A-Za-z0-9-]{1,80}$') {
    $module.FailJson("backup: '$($module.Params.backup)' must be 'remediate-' and letters, digits and dashes")
}
if ($module.Params.pools_per_commit -lt 1) { $module.FailJson('pools_per_commit: must be 1 or more') }

try {
    $outcome = Invoke-IisChange -Changes $module.Params.changes -Machine $module.Params.machine -Backup $module.Params.backup `
        -PoolsPerCommit $module.Params.pools_per_commit -Pause $module.Params.pause `
        -VerifySeconds $module.Params.verify_seconds -CheckMode $module.CheckMode
}
catch { $module.FailJson("the changes could not be compared with the configuration: $((Get-IisCause $_).Message)") }

foreach ($key in 'machine', 'changed', 'stale', 'changes', 'backup') { $module.Result[$key] = $outcome[$key] }
if ($outcome.diff) { $module.Diff.prepared = $outcome.diff }
if ($outcome.failed) { $module.FailJson($outcome.failed) }
$module.ExitJson()
