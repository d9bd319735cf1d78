# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)

# Which values and conditions a caller may give, and how their texts become values of the API. Needs IisRead.psm1.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function ConvertTo-IisTyped($Schema, [string]$Text) {
    # The value to hand to the API. Texts that mean nothing are refused here, before anything is compared.
    switch ($Schema.Type) {
        'timeSpan' { return (ConvertFrom-IisTimeText $Text) }
        'bool' {
            $yes = Test-IisSame $Text 'true'
            if (-not $yes -and -not (Test-IisSame $Text 'false')) { throw "'$Text' is neither true nor false ($($Schema.Name))." }
            return $yes
        }
        'enum' {
            foreach ($item in $Schema.GetEnumValues()) { if (Test-IisSame $item.Name $Text) { return $item.Name } }
            throw "'$Text' is not a value of $($Schema.Name)."
        }
        default { return $Text }
    }
}

function ConvertTo-IisSpelling($Schema, [string]$Text) {
    # A text in the spelling that IIS gives for its value. Two spellings of one value are equal after that.
    ConvertTo-IisText $Schema (ConvertTo-IisTyped $Schema $Text)
}

function Get-IisKey($Given) {
    # By a method: where a condition is named Keys, the property .Keys is what it asks for.
    foreach ($pair in $Given.GetEnumerator()) { $pair.Key }
}

function Assert-IisSettable([string]$Attribute, [string]$Text) {
    # What IIS's schema admits, before anything is looked at.
    if ($Attribute -ceq 'startMode') {
        if (-not (Test-IisSame $Text 'OnDemand') -and -not (Test-IisSame $Text 'AlwaysRunning')) { throw "'$Text' is not a value of startMode." }
        return
    }
    $seconds = (ConvertFrom-IisTimeText $Text).TotalSeconds
    if ($seconds -gt 2592000 -or $seconds % 60 -ne 0) {
        throw "'$Text' is out of the range of ${Attribute}: 00:00:00 to 30.00:00:00, in whole minutes."
    }
}

function Assert-IisGiven($Given) {
    # Only what is read anyway may be compared: a stale answer tells what was found, and that must be no password.
    foreach ($name in @(Get-IisKey $Given)) {
        if ((Get-IisPoolAttributeName) -cnotcontains $name) {
            throw "given: '$name' is none of $((Get-IisPoolAttributeName) -join ', ')"
        }
    }
}
