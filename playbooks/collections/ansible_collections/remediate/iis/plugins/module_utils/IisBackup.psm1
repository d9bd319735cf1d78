# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# The backup of the configuration that a run leaves on the server. Needs IisRead.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:BackupsKept = 5

function New-IisBackupFolder([string]$Path) {
    # The files hold secrets, and the folder above lets Users read. So before the first copy the folder has a list of its
    # own, which protects what comes into it: SYSTEM (S-1-5-18) and Administrators (S-1-5-32-544), and nobody else.
    [void](New-Item -ItemType Directory -Path $Path -Force)
    try {
        $rights = Get-Acl -LiteralPath $Path
        $rights.SetSecurityDescriptorSddlForm('D:P(A;OICI;FA;;;S-1-5-18)(A;OICI;FA;;;S-1-5-32-544)', 'Access')
        Set-Acl -LiteralPath $Path -AclObject $rights
    }
    catch { throw "the access rights of the backup's folder ($Path) could not be set: $((Get-IisCause $_).Message) Nothing was written." }
}

function Copy-IisFile([string]$Source, [string]$Target) {
    # It shares as the reading does, and stands in nobody's way.
    $from = [IO.File]::Open($Source, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        $to = [IO.File]::Open($Target, 'Create', 'Write', 'None')
        try { $from.CopyTo($to) } finally { $to.Dispose() }
    }
    finally { $from.Dispose() }
}

function Backup-IisConfig([string]$SharedPath, [string]$Name) {
    # In the layout of appcmd's own backups, on the server, and never copied off it: the files hold secrets.
    $root = Join-Path $env:windir 'System32\inetsrv\backup'
    $target = Join-Path $root $Name
    New-IisBackupFolder $target
    $config = Join-Path $env:windir 'System32\inetsrv\config'
    foreach ($file in 'applicationHost.config', 'administration.config', 'redirection.config') {
        $source = Join-Path $config $file
        if ($file -eq 'applicationHost.config' -and $SharedPath) { $source = [IO.Path]::Combine($SharedPath, $file) }
        # The first one is there, if not at this moment.
        if ($file -ceq 'applicationHost.config' -or (Test-Path -LiteralPath $source)) {
            Invoke-IisLook { Copy-IisFile $source (Join-Path $target $file) }
        }
    }
    # Only what a run of ours made, told by the form of its name.
    $ours = '^remediate-[0-9]{8}T[0-9]{6}Z(-[0-9a-f]{6})?\z'
    $old = Get-ChildItem -LiteralPath $root | Where-Object { $_.PSIsContainer -and $_.Name -cmatch $ours -and $_.Name -ne $Name } |
        Sort-Object LastWriteTimeUtc -Descending | Select-Object -Skip ($script:BackupsKept - 1)
    foreach ($folder in @($old)) { Remove-Item -LiteralPath $folder.FullName -Recurse -Force }
}
