#!powershell

# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ..module_utils.IisRead

$module = [Ansible.Basic.AnsibleModule]::Create($args, @{ options = @{}; supports_check_mode = $true })
try { $module.Result.inspection = Get-IisInspection }
catch { $module.FailJson("the configuration could not be read: $((Get-IisCause $_).Message)") }
$module.ExitJson()
