#!powershell

# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ..module_utils.IisEvents
#AnsibleRequires -PowerShell ..module_utils.IisRead

$spec = @{
    options             = @{ evidence_days = @{ type = 'int'; default = 0 } }
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)
$days = $module.Params.evidence_days
if ($days -lt 0 -or $days -gt 90) { $module.FailJson('evidence_days must be 0 to 90') }
try {
    $inspection = Get-IisInspection
    if ($days -gt 0) { $inspection['evidence'] = Get-IisEvidence $days }
    $module.Result.inspection = $inspection
}
catch { $module.FailJson("the configuration could not be read: $(Get-IisFailure $_)") }
$module.ExitJson()
