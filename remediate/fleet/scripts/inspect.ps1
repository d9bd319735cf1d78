# The end of the inspection script; before it stand the collection's IisRead.psm1 and IisEvents.psm1, and a line that sets
# $evidenceDays (see script.py).
# One JSON object in plain ASCII: whatever code page the server's console has, it arrives as it was sent.
try {
    $result = Get-IisInspection
    if ($evidenceDays -gt 0) { $result['evidence'] = Get-IisEvidence $evidenceDays }
}
catch {
    $cause = Get-IisCause $_
    $result = [ordered]@{
        format = 'remediate.inspection'; format_version = 1
        error = [ordered]@{ type = $cause.GetType().FullName; hresult = '0x{0:X8}' -f [Runtime.InteropServices.Marshal]::GetHRForException($cause); message = Get-IisFailure $_ }
    }
}
$json = ConvertTo-Json -InputObject $result -Depth 8 -Compress
[regex]::Replace($json, '[^\x20-\x7e]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
