"""A mistake that PowerShell makes easy, put into a copy of the scripts: the scenario that guards against it fails.

Each is a change of one line that one could well make, and the scripts still run.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.powershell.conftest import MakeBench
from tests.powershell.event_scenarios import a_record_that_windows_cannot_render_hides_no_other
from tests.powershell.reading_scenarios import an_enum_has_its_own_name, one_of_a_kind_is_a_list_of_one
from tests.powershell.scenarios import Scenario
from tests.powershell.writing_scenarios import a_refused_commit_is_a_failure

pytestmark = pytest.mark.pwsh


@dataclass(frozen=True)
class Mistake:
    file: str
    right: str
    wrong: str
    guard: Scenario
    seen: str  # what the guard's assertion says


PLANTED = {
    # Without @() a list of one is handed out as that one.
    "unrolled": Mistake(
        "IisRead.psm1",
        "$inspection.pools = @($pools)",
        "$inspection.pools = $pools",
        one_of_a_kind_is_a_list_of_one,
        "pools is no list: dict",
    ),
    # True for each value that is not 0: the two of startMode are told apart, those of identityType are not.
    "enum": Mistake(
        "IisRead.psm1",
        "elseif ([int64]$item.Value -eq [int64]$Value) { return $item.Name }",
        "elseif ([bool]$item.Value -eq [bool]$Value) { return $item.Name }",
        an_enum_has_its_own_name,
        "assert 'LocalService' == 'NetworkService'",
    ),
    # Whatever the commit said, the loop ends as if it had been written.
    "swallowed": Mistake(
        "IisCommit.psm1",
        "if (-not (Test-IisFileConflict $_) -or $attempt -ge $script:Attempts) { throw }",
        "if (-not (Test-IisFileConflict $_) -or $attempt -ge $script:Attempts) { return $true }",
        a_refused_commit_is_a_failure,
        "assert 'the configuration could not be written' in 'written, but not seen on a fresh look within 0 s'",
    ),
    # Windows keeps memory for each record until then.
    "undisposed": Mistake(
        "IisEvents.psm1",
        "try { $Record.ToXml() } finally { $Record.Dispose() }",
        "$Record.ToXml()",
        a_record_that_windows_cannot_render_hides_no_other,
        "was not disposed",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_caught(name: str, scripts: Path, bench: MakeBench) -> None:
    """The same assertions hold for the scripts as they are, and fail for those with the mistake."""
    mistake = PLANTED[name]
    server = bench()
    mistake.guard(server)

    server.close()
    server.fresh()
    (file,) = scripts.rglob(mistake.file)
    text = file.read_text()
    assert text.count(mistake.right) == 1, f"{mistake.file} has no longer: {mistake.right}"
    file.write_text(text.replace(mistake.right, mistake.wrong))
    with pytest.raises(AssertionError, match=re.escape(mistake.seen)):
        mistake.guard(server)
