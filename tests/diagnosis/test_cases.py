"""The generated cases are what the diagnosis is measured by: so many, of all kinds, with a truth that adds up."""

from collections import Counter
from pathlib import Path

import pytest

from tests.diagnosis.cases import CASES
from tests.diagnosis.simulated import Case


def test_there_are_sixty_and_more_of_all_kinds() -> None:
    assert len(CASES) >= 60 and len({case.name for case in CASES}) == len(CASES)
    truths = [truth for case in CASES for truth in case.truths]
    assert {truth.ours for truth in truths} == {"periodic", "recycle-only", "none"}
    assert {verdict for truth in truths for verdict in truth.accepted} == {
        "confirmed", "consistent", "undetermined", "unsupported", "other-cause"
    }  # fmt: skip
    assert {minutes for truth in truths for minutes in truth.idle_timeouts} >= {300, 600, 1200, 1800, 3600}
    assert {case.shape for case in CASES} == {"log4net", "nlog", "serilog", "clef", "elmah", "plain"}
    assert not [case.name for case in CASES if not case.truths and case.name != "on demand, no errors"]


def test_what_is_not_ours_may_not_be_confirmed() -> None:
    for case in CASES:
        for truth in case.truths:
            alone = not {"w3c", "events", "audit", "evidence"} & set(case.give)
            if truth.ours == "none" or alone:
                assert "confirmed" not in truth.accepted, case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_written_and_adds_up(case: Case, tmp_path: Path) -> None:
    """Each given source has files, each error its cause; a period is its time-out and up to two minutes."""
    given = case.write(tmp_path)
    assert bool(given.logs) == ("log" in case.give and bool(case.truths or case.shape != "elmah"))
    assert bool(given.iis_logs) == ("w3c" in case.give) and bool(given.events) == ("events" in case.give)
    assert (given.audit is not None) == ("audit" in case.give)
    assert all(path.exists() for path in (*given.logs, *given.iis_logs, *given.events))
    found = Counter(error.code for error in case.history.errors)
    for truth in case.truths:
        assert truth.count == truth.idle + truth.recycle + truth.client
        assert truth.explained_idle <= truth.idle and truth.explained_recycle <= truth.recycle
        assert truth.idle == 0 or truth.idle > 2, "one or two tell nothing of a period"
        assert truth.period is None or 0 <= truth.period - truth.idle_timeouts[0] <= 120
        found[truth.code] -= truth.count
    assert not any(found.values())
