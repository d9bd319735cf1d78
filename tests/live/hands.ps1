# What the live tests do on the server by themselves: make their pools, change one behind a plan, look, and clear up.
# Before it stand IisRead.psm1, IisValue.psm1, IisCommit.psm1, tests/windows/Server.ps1 and a line that sets $request (see server.py).
# Nothing but pools named remediate-live-ID-..., of the IDs in $request, is made, changed or removed; and of backups only
# those that are named. It prints one JSON object in plain ASCII.

$family = 'remediate-live-'

function Test-Ours([string]$Name) {
    foreach ($id in $request.ids) {
        if ($id -cmatch '^[0-9a-f]{6}$' -and $Name.StartsWith("$family$id-", [StringComparison]::Ordinal)) { return $true }
    }
    $false
}

function Edit-Patiently([scriptblock]$Edit) {
    # Somebody else may write at the same moment.
    for ($attempt = 1; $true; $attempt++) {
        try { return Edit-Server $Edit }
        catch { if ($attempt -eq 5 -or -not (Test-IisFileConflict $_)) { throw } }
        Start-Sleep -Milliseconds 500
    }
}

function Set-Texts($Pool, $Texts) {
    foreach ($text in $Texts.PSObject.Properties) {
        $attribute = Find-IisAttribute $Pool $text.Name
        $attribute.Value = ConvertTo-IisTyped $attribute.Schema $text.Value
    }
}

function Get-PoolNames([scriptblock]$Which) {
    $manager = New-IisManager
    try { @($manager.ApplicationPools | ForEach-Object { $_.Name } | Where-Object $Which) } finally { $manager.Dispose() }
}

function Add-Pools {
    Edit-Patiently {
        param($manager)
        foreach ($wanted in $request.pools) {
            if (-not (Test-Ours $wanted.name)) { throw 'That name is not one of ours.' }
            Set-Texts ($manager.ApplicationPools.Add($wanted.name)) $wanted.attributes
        }
    }
}

function Set-Attribute {
    if (-not (Test-Ours $request.pool)) { throw 'That pool is not one of ours.' }
    Edit-Patiently { param($manager) Set-Texts (Find-Pool $manager $request.pool) $request.attributes }
}

function Remove-Pools {
    # A commit that changes nothing would be waited for in vain.
    if (@(Get-PoolNames { Test-Ours $_ }).Count -eq 0) { return }
    Edit-Patiently {
        param($manager)
        foreach ($pool in @($manager.ApplicationPools | Where-Object { Test-Ours $_.Name })) { $manager.ApplicationPools.Remove($pool) }
    }
}

function Remove-Backups {
    # Not every run makes one.
    foreach ($name in $request.backups) {
        if ($name -cnotmatch $backupForm) { throw 'That is not the name of a backup of a run.' }
        $path = Get-BackupPath $name
        if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path -Recurse -Force }
    }
}

function Get-Sum([byte[]]$Bytes) {
    $sha = [Security.Cryptography.SHA256]::Create()
    try { ([BitConverter]::ToString($sha.ComputeHash($Bytes))).Replace('-', '').ToLowerInvariant() } finally { $sha.Dispose() }
}

$backupForm = '^remediate-\d{8}T\d{6}Z(-[0-9a-f]{6})?$'

function Get-Look {
    # The file's sum, the pools of all live tests, the backups of runs with the sum of the file in them, and of the
    # password of our pool, which the API gives, the sum: never the text.
    $backups = [ordered]@{}
    $root = Get-BackupPath ''
    if (Test-Path -LiteralPath $root -PathType Container) {
        foreach ($folder in @(Get-ChildItem -LiteralPath $root | Where-Object { $_.PSIsContainer -and $_.Name -cmatch $backupForm })) {
            $copy = Join-Path $folder.FullName 'applicationHost.config'
            $backups[$folder.Name] = if (Test-Path -LiteralPath $copy) { Get-Sum ([IO.File]::ReadAllBytes($copy)) } else { '' }
        }
    }
    $names = @(Get-PoolNames { $_.StartsWith($family, [StringComparison]::Ordinal) })
    $password = $null
    if ($names -ccontains $request.password_of -and (Test-Ours $request.password_of)) {
        $password = Get-Sum ([Text.Encoding]::UTF8.GetBytes([string](Get-Raw $request.password_of 'processModel.password')))
    }
    [ordered]@{
        file     = Get-Sum ([Convert]::FromBase64String((Get-ConfigFile)))
        family   = $names
        backups  = $backups
        password = $password
    }
}

try {
    switch ($request.do) {
        'look' { break }
        'add' { Add-Pools; break }
        'set' { Set-Attribute; break }
        'remove' { Remove-Pools; Remove-Backups; break }
        'forget' { Remove-Backups; break }
        default { throw "There is nothing called '$($request.do)'." }
    }
    $answer = Get-Look
}
catch { $answer = [ordered]@{ error = Format-Trouble $_ } }
$json = ConvertTo-Json -InputObject $answer -Depth 4 -Compress
[regex]::Replace($json, '[^\x20-\x7e]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
