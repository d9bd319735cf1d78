# A stand-in for Get-Acl and Set-Acl of Windows' Microsoft.PowerShell.Security, for the simulated servers: Linux has no
# access lists of this kind, and .NET none of their classes. acls.log has each list that was set: PATH|FILES|SDDL, with the
# number of files that were there already. lab.txt: acl=denied refuses.

Set-StrictMode -Version Latest

function Get-Acl {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $LiteralPath)

    if (-not (Test-Path -LiteralPath $LiteralPath)) { throw "The lab's Get-Acl does not find $LiteralPath." }
    $rights = [pscustomobject]@{ Sddl = 'D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)' }
    $log = Join-Path $env:windir 'acls.log'
    foreach ($line in $(if (Test-Path -LiteralPath $log) { [IO.File]::ReadAllLines($log) })) {
        $path, $files, $form = $line -split '\|', 3
        if ($path -ceq $LiteralPath) { $rights.Sddl = $form }
    }
    $rights | Add-Member -MemberType ScriptMethod -Name SetSecurityDescriptorSddlForm -Value {
        param($form, $sections)
        if ($sections -ne 'Access') { throw "The lab sets access lists alone, not $sections." }
        $this.Sddl = $form
    }
    $rights
}

function Set-Acl {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $LiteralPath, [Parameter(Mandatory)] $AclObject)

    if ([IO.File]::ReadAllLines((Join-Path $env:windir 'lab.txt')) -ccontains 'acl=denied') {
        throw (New-Object System.UnauthorizedAccessException 'Attempted to perform an unauthorized operation.')
    }
    $files = @(Get-ChildItem -LiteralPath $LiteralPath).Count
    [IO.File]::AppendAllText((Join-Path $env:windir 'acls.log'), "$LiteralPath|$files|$($AclObject.Sddl)`n")
}
