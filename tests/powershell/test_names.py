"""Which names are one, and which are legal: Python, the scripts in a real PowerShell and the stand-in say the same."""

import unicodedata

import pytest

from remediate.iis.attributes import legal_name
from remediate.iis.names import iis_key
from tests.powershell.conftest import MakeBench

pytestmark = pytest.mark.pwsh

# What two letters iis_key to is compared where both know the letters: Unicode's later versions gave some an upper case.
_LATER = {0x019B, 0x0264}
_BMP = [n for n in range(0x10000) if not 0xD800 <= n <= 0xDFFF and unicodedata.category(chr(n)) != "Cn"]


def test_the_scripts_fold_as_python_does(bench: MakeBench) -> None:
    """All letters of 16 bits, by the dictionary's comparer and by Test-IisSame: the classes are the same."""
    code = """
    $classes = New-IisNameMap
    foreach ($number in 0..65535) {
        if ($number -ge 0xD800 -and $number -le 0xDFFF) { continue }
        $letter = [string][char]$number
        if (-not $classes.ContainsKey($letter)) { $classes[$letter] = New-Object Collections.ArrayList }
        [void]$classes[$letter].Add($number)
    }
    foreach ($class in $classes.Values) { if ($class.Count -gt 1) { $class -join ',' } }
    """
    known = set(_BMP) - _LATER
    real = {frozenset(known.intersection(map(int, line.split(",")))) for line in bench("10.0").code(code)}
    ours: dict[str, set[int]] = {}
    for number in known:
        ours.setdefault(iis_key(chr(number)), set()).add(number)
    made = {frozenset(members) for members in ours.values() if len(members) > 1}
    assert len(made) > 1000
    assert {members for members in real if len(members) > 1} == made


def test_the_scripts_compare_letter_by_letter(bench: MakeBench) -> None:
    """Not by the rules of a language, by which on Windows a soft hyphen is nothing and a sharp s is two letters."""
    pairs = [
        ["Straße", "STRASSE"],
        ["a\u00adb", "ab"],
        ["Shop", "SHOP"],
        ["\u0131", "I"],
        ["ÜNÏ", "ünï"],
        ["a\u200bb", "ab"],
    ]
    code = "foreach ($pair in $given.pairs) { Test-IisSame $pair[0] $pair[1] }"
    assert bench("10.0").code(code, pairs=pairs) == [iis_key(one) == iis_key(other) for one, other in pairs]


def test_legal_names_are_legal_in_the_stand_in(bench: MakeBench) -> None:
    """Every printable letter of ASCII and Latin-1, the wide space, a tab: what Python holds legal IIS's API takes."""
    letters = [*map(chr, range(0x20, 0x7F)), *map(chr, range(0xA0, 0x100)), "\t", "\u3000", "\u200b", "\u2028"]
    code = """
    $manager = New-IisManager
    foreach ($letter in $given.letters) {
        $name = 'a' + $letter
        try { $pool = $manager.ApplicationPools.Add($name); $true; $manager.ApplicationPools.Remove($pool) }
        catch { $false }
    }
    """
    taken = bench("10.0").code(code, letters=letters)
    assert taken == [legal_name(f"a{letter}") for letter in letters]
    assert taken.count(False) == 17
