"""A configuration that is in use, or not there for a moment: looked at again, and told when it stays so."""

from tests.powershell.bench import CONFIG, Bench
from tests.powershell.scenarios import Scenario, change, not_written, written

BACKUP = "remediate-20260101T000000Z"


def a_file_that_is_busy_after_a_commit_is_looked_at_again(bench: Bench) -> None:
    """In the look that proves what was written, and in the one before the next commit."""
    for fault in ("in_use:3", "missing:3"):
        bench.fresh(busy_after_commit=fault)
        both = [change(), change(pool="Reports", expect="00:00:00", set="00:10:00")]
        assert written(bench.settings(*both, pools_per_commit=1)) == [True, True], fault


def a_file_that_stays_away_is_told(bench: Bench) -> None:
    """What was written before is told as written."""
    bench.knobs(busy_after_commit="missing:100000")
    result = bench.settings(change(), run="a")
    assert result["failed"] and "written, but the configuration could not be read again" in result["msg"]
    assert [(c["written"], c["verified"]) for c in result["changes"]] == [(True, False)]
    assert "could not be compared" in bench.settings(change(), run="b")["msg"]


def a_backup_that_cannot_be_made_is_told(bench: Bench) -> None:
    """In its own words, and nothing is written."""
    # Where the file is to be there is a folder.
    (bench.windows / "System32/inetsrv/backup" / BACKUP / "applicationHost.config").mkdir(parents=True)
    not_written(bench, "the configuration could not be backed up", stale=False, backup=BACKUP)


def only_what_is_busy_is_looked_at_again(bench: Bench) -> None:
    """By type and code, and the third look counts as the first."""
    code = """
        $state = @{ looks = 0 }
        try {
            Invoke-IisLook {
                $state.looks++
                if ($state.looks -lt 3) { throw (& ([scriptblock]::Create($given.made))) }
                'read'
            }
        }
        catch { 'told' }
        $state.looks
    """
    busy = (
        "New-Object System.IO.IOException 'x'",
        "New-Object System.IO.FileNotFoundException 'x'",
        f"New-Object System.Runtime.InteropServices.COMException 'x', {0x80070020 - 2**32}",
        "New-Object System.InvalidOperationException 'outer', (New-Object System.IO.IOException 'x')",
    )
    for made in busy:
        assert bench.code(code, made=made) == ["read", 3], made
    denied = "New-Object System.UnauthorizedAccessException 'x'"
    assert bench.code(code, made=denied) == ["told", 1]


def a_copy_stands_in_nobodys_way(bench: Bench) -> None:
    """The backup reads what others write at this moment, and what others read."""
    code = """
        $held = [IO.File]::Open($given.path, 'Open', 'ReadWrite', 'ReadWrite')
        try { Copy-IisFile $given.path ($given.path + '.copy') } finally { $held.Dispose() }
        [IO.File]::ReadAllText($given.path + '.copy') -ceq [IO.File]::ReadAllText($given.path)
    """
    assert bench.code(code, path=str(bench.windows / CONFIG / "applicationHost.config")) == [True]


BUSY: list[Scenario] = [
    a_file_that_is_busy_after_a_commit_is_looked_at_again,
    a_file_that_stays_away_is_told,
    a_backup_that_cannot_be_made_is_told,
    only_what_is_busy_is_looked_at_again,
    a_copy_stands_in_nobodys_way,
]
