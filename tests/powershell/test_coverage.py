"""Every statement of the PowerShell that is sent to servers has run, in a real engine, in a scenario that asserts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run
from tests.powershell.api_scenarios import API_ON_IIS_10
from tests.powershell.busy_scenarios import BUSY
from tests.powershell.conftest import MakeBench
from tests.powershell.coverage import mark_files, marked, reached, statements
from tests.powershell.engine import HERE, Engine
from tests.powershell.event_scenarios import EVENTS_ON_IIS_10
from tests.powershell.lock_scenarios import LOCKS
from tests.powershell.pattern_scenarios import PATTERNS_ON_IIS_7_5, PATTERNS_ON_IIS_10
from tests.powershell.reading_scenarios import READING_ON_IIS_10
from tests.powershell.writing_scenarios import WRITING_ON_IIS_7_5, WRITING_ON_IIS_10

pytestmark = pytest.mark.pwsh

# {file, function, statement, reason}, for each statement that no scenario can reach.
UNREACHED: list[dict[str, str]] = json.loads((HERE / "unreached.json").read_text())


def test_every_scenario_holds_and_every_statement_ran(
    engine: Engine, scripts: Path, bench: MakeBench, tmp_path: Path, record_property: Any
) -> None:
    """The scenarios run once, on a copy that marks what it does: no line reaches a server that nobody ran."""
    marks = tmp_path / "marks"
    every = mark_files(engine, sorted(scripts.rglob("*.ps*1")), marks)
    troubles: list[Exception] = []
    on_iis_10 = (
        READING_ON_IIS_10 + WRITING_ON_IIS_10 + PATTERNS_ON_IIS_10 + EVENTS_ON_IIS_10 + API_ON_IIS_10 + LOCKS + BUSY
    )
    for version, scenarios in (("10.0", on_iis_10), ("7.5", WRITING_ON_IIS_7_5 + PATTERNS_ON_IIS_7_5)):
        server = bench(version)
        for scenario in scenarios:
            server.fresh()
            try:
                scenario(server)
            except Exception as error:  # noqa: BLE001 - the others are still of interest
                error.add_note(f"in the scenario {scenario.__name__}")
                troubles.append(error)
    if troubles:
        raise ExceptionGroup("scenarios that do not hold", troubles)

    ran = reached(every, marks)
    share = 100 * len(ran) / len(every)
    record_property(
        "summary", f"PowerShell coverage: {len(ran)} of {len(every)} statements ({share:.1f} %); "
        f"the others are in tests/powershell/unreached.json"
    )  # fmt: skip
    missed = Counter(s.key for s in every) - Counter(s.key for s in ran)
    listed = Counter(f"{entry['file']} | {entry['function']} | {entry['statement']}" for entry in UNREACHED)
    assert not missed - listed, "no scenario reaches these: write one, or list them in unreached.json with the reason"
    assert not listed - missed, "these are listed in unreached.json as not reached, and were reached, or are gone"


def test_each_reason_is_given() -> None:
    assert all(len(entry["reason"]) > 20 for entry in UNREACHED)


def test_a_mark_does_not_alter_what_a_script_means(engine: Engine, tmp_path: Path, pwsh_path: Path) -> None:
    """Output, arrays, assignments from blocks, $Matches, blocks that are called back: the same, marked or not."""
    text = r"""
Set-StrictMode -Version Latest
function Get-One { param($x) , @($x) }
function Get-Many { foreach ($i in 1, 2) { if ($i -eq 1) { $i } elseif ($i -eq 2) { 'two' } else { 'never' } } }
$one = Get-One 5
$made = if ($one.Count -eq 1) { , @('kept') } else { 'no' }
$switched = switch ('a') { 'a' { 1; 2 } default { 3 } }
$null = 'abc' -match 'b(.)'
$group = $Matches[1]
$tried = try { throw 'x' } catch { "$_" } finally { $done = $true }
$inner = @(foreach ($i in 3, 1, 2) { $i }) | Where-Object { $_ -gt 1 } | Sort-Object
"$($one.GetType().Name) $($made.GetType().Name) $switched $group $tried $done $inner $(Get-Many)"
[regex]::Replace('ab', 'a', { param($match) $match.Value + '!' })
"""
    found = statements("x.ps1", engine.tree(text))
    plain, copy = tmp_path / "plain.ps1", tmp_path / "copy.ps1"
    plain.write_text(text)
    copy.write_text(marked(text, found, tmp_path / "marks"))
    said = [run(pwsh_path, "-NoProfile", "-File", file, expect=0).stdout for file in (plain, copy)]
    assert said[0] == said[1]
    assert "Object[] Object[] 1 2 c x True 2 3 1 two" in said[0]
    missed = {s.text for s in found} - {s.text for s in reached(found, tmp_path / "marks")}
    assert missed == {"'never'", "'no'", "3"}
