"""One writer at a time: what the module does when others hold the lock, have been there later, or end it.

These hold for both engines; tests/unit/test_emulated_scenarios.py runs them on the one without PowerShell.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.conftest import wait_for
from tests.powershell.bench import CONFIG, Bench
from tests.powershell.scenarios import SHOP, Scenario, change, not_written, refused, share, written

FIRST, SECOND, THIRD = "20260101T000000Z-aaaaaa", "20260101T000100Z-bbbbbb", "20260101T000200Z-cccccc"
PLACE = "4711 2026-01-01T00:00:30Z"


def name_file(bench: Bench) -> Path:
    return bench.windows / CONFIG / "remediate.run"


def leave(bench: Bench, text: str) -> None:
    """What a run before left."""
    name_file(bench).write_text(text)


@contextmanager
def holding(folder: Path) -> Iterator[IO[str]]:
    """Another process holds the lock meanwhile."""
    with (folder / "remediate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def a_run_leaves_its_name(bench: Bench) -> None:
    """With its process and the time; also where nothing was to be written. A dry run leaves nothing."""
    assert bench.settings(change(), check=True, run=SECOND)["changed"] is True
    assert not list((bench.windows / CONFIG).glob("remediate.*"))
    assert written(bench.settings(change(), run=FIRST)) == [True]
    name, machine, process, since = name_file(bench).read_text().split()
    assert (name, machine) == (FIRST, "WEB01.lab.example")
    assert process.isdigit() and since.endswith("Z")
    assert bench.settings(change(), run=SECOND, undoes=FIRST)["changed"] is False
    assert name_file(bench).read_text().startswith(f"{SECOND} ")
    assert name_file(bench).read_text().endswith(f" undoes {FIRST}\n")
    assert (bench.windows / CONFIG / "remediate.lock").read_bytes() == b""
    refused(bench, change(), said="run: must be letters, digits and dashes", run="a b")
    refused(bench, change(), said="undoes: must be letters, digits and dashes", undoes="a\n")


def another_run_is_waited_for_and_then_named(bench: Bench) -> None:
    leave(bench, f"{FIRST} WEB02 {PLACE}\n")
    with holding(bench.windows / CONFIG):
        said = f"({FIRST}, process 4711 on WEB02, since 2026-01-01T00:00:30Z)"
        not_written(bench, said, stale=False, run=SECOND, lock_seconds=0)
    assert name_file(bench).read_text().startswith(FIRST)
    with holding(bench.windows / CONFIG) as file, ThreadPoolExecutor() as pool:
        waiting = pool.submit(bench.settings, change(), run=SECOND, undoes=FIRST)
        wait_for(lambda: "ended-by" in name_file(bench).read_text(), "its look at the lock")
        assert not waiting.done()
        fcntl.flock(file, fcntl.LOCK_UN)
        assert written(waiting.result()) == [True]


def servers_of_a_share_wait_for_each_other(bench: Bench) -> None:
    """One run writes on all of them at once, by a pattern: it does not fail by itself."""
    leave(bench, f"{SECOND} WEB02 {PLACE}\n")
    with holding(bench.windows / CONFIG) as file, ThreadPoolExecutor() as pool:
        waiting = pool.submit(bench.settings, change(), run=SECOND, lock_seconds=1)
        time.sleep(3)  # what it would wait for another run, and some
        assert not waiting.done()
        fcntl.flock(file, fcntl.LOCK_UN)
        assert written(waiting.result()) == [True]


def only_who_undoes_a_run_ends_it(bench: Bench) -> None:
    """And the one that it waits for is still named."""
    leave(bench, f"{FIRST} WEB02 {PLACE}\n")
    with holding(bench.windows / CONFIG):
        not_written(bench, FIRST, stale=False, run=THIRD, undoes=SECOND, lock_seconds=0)
        assert name_file(bench).read_text() == f"{FIRST} WEB02 {PLACE}\n"
        for _ in range(2):
            not_written(bench, f"({FIRST}, process 4711", stale=False, run=SECOND, undoes=FIRST, lock_seconds=0)
            assert name_file(bench).read_text() == f"{FIRST} WEB02 {PLACE} ended-by {SECOND}\n"


def a_run_that_is_ended_begins_no_other_commit(bench: Bench) -> None:
    """In the pause between two commits: what is written stays written and is told, the rest is not written."""
    before = bench.config.read_bytes()
    changes = [change(), change(pool="Reports", expect="00:00:00", set="00:10:00")]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.settings, *changes, run=FIRST, pools_per_commit=1, pause=600)
        wait_for(lambda: bench.config.read_bytes() not in (before, b""), "the first commit")
        first = bench.config.read_bytes()
        # The undo asks, and has the server as soon as the other one has let go.
        name_file(bench).write_text(f"{FIRST} WEB01 {PLACE} ended-by {SECOND}\n")
        result = running.result()
    assert result["failed"] and not result["stale"]
    assert f"ended before the next commit, as the run {SECOND} asked" in result["msg"]
    assert "1 of 2 changes were not written" in result["msg"]
    assert [(c["written"], c["verified"]) for c in result["changes"]] == [(True, True), (False, False)]
    assert bench.config.read_bytes() == first


def a_run_is_asked_to_stop(bench: Bench) -> None:
    """By whoever interrupted it; the name of another one stays."""
    leave(bench, f"{FIRST} WEB01 {PLACE}\n")
    assert bench.stop(SECOND) == ""
    assert name_file(bench).read_text() == f"{FIRST} WEB01 {PLACE}\n"
    for _ in range(2):
        assert bench.stop(FIRST) == "asked"
        assert name_file(bench).read_text() == f"{FIRST} WEB01 {PLACE} ended-by {FIRST}\n"
    not_written(bench, "a run that was begun later, or that ended this one", stale=True, run=FIRST)


def a_run_that_comes_too_late_is_stale(bench: Bench) -> None:
    """It was ended before its module began here, was undone, or another one was begun later and has been here."""
    for left in (f"{FIRST} WEB01 {PLACE} ended-by {SECOND}", f"{SECOND} WEB01 {PLACE} undoes {FIRST}",
                 f"x WEB01 {PLACE} undoes {FIRST}", f"{SECOND} WEB01 {PLACE}"):  # fmt: skip
        leave(bench, f"{left}\n")
        not_written(bench, "a run that was begun later, or that ended this one", stale=True, run=FIRST)
        assert name_file(bench).read_text() == f"{left}\n"


def a_clock_that_differs_stops_nobody_for_long(bench: Bench) -> None:
    """The undo of a run goes before any clock; of other runs the time counts for an hour; a name may have none."""
    leave(bench, f"{SECOND} WEB01 {PLACE}\n")
    assert bench.settings(change(), run=FIRST, undoes=SECOND)["changed"] is True
    back = change(expect="00:00:00", set="00:20:00")
    leave(bench, f"{SECOND} WEB01 {PLACE}\n")
    assert bench.settings(back, run="unnamed")["changed"] is True
    leave(bench, f"{SECOND} WEB01 {PLACE}\n")
    past = name_file(bench).stat().st_mtime - 3700
    os.utime(name_file(bench), (past, past))
    assert bench.settings(change(), run=FIRST)["changed"] is True
    leave(bench, f"{FIRST} WEB01 {PLACE}\n")
    assert bench.settings(back, run=SECOND)["changed"] is True


def what_stands_in_the_file_is_not_trusted(bench: Bench) -> None:
    """Whatever is not a line of ours: it is not believed, not shown, and replaced by the next run."""
    line = f"{SECOND} WEB01 {PLACE}"
    for junk in (b"", b"\0" * 5000, b"A" * 3_000_000, line.encode() + b"\x1b]0;owned\x07\n", line.encode(),
                 f"{line}\n{line}\n".encode(), f"{line} ended-by \x1b[31m\n".encode(), "ä".encode() * 40):  # fmt: skip
        bench.fresh()
        name_file(bench).write_bytes(junk)
        with holding(bench.windows / CONFIG):
            not_written(bench, "(it left no name)", stale=False, run=FIRST, lock_seconds=0)
        assert written(bench.settings(change(), run=FIRST)) == [True]
        assert name_file(bench).read_text().startswith(f"{FIRST} WEB01")


def without_a_lock_or_a_name_nothing_is_written(bench: Bench) -> None:
    """A folder of that name stands for what is denied."""
    (bench.windows / CONFIG / "remediate.lock").mkdir()
    not_written(bench, "the lock of this server cannot be taken", stale=False, run=FIRST)
    bench.fresh()
    name_file(bench).mkdir()
    not_written(bench, "this run cannot leave its name on this server", stale=False, run=FIRST)


def a_share_has_one_lock_for_its_servers(bench: Bench) -> None:
    """Beside the file that is written: whichever server of the share comes first keeps the others out."""
    where = Path(share(bench))
    with holding(where):
        not_written(bench, "another run still writes", stale=False, run=FIRST, lock_seconds=0)
    with holding(bench.windows / CONFIG):
        assert written(bench.settings(change(), run=FIRST)) == [True]
    assert (where / "remediate.run").read_text().startswith(FIRST)


def a_pattern_holds_the_lock_too(bench: Bench) -> None:
    arguments: dict[str, Any] = {
        "pools": [SHOP],
        "attribute": "startMode",
        "set": "OnDemand",
        "on_mismatch": "skip",
        "run": SECOND,
    }
    before = bench.config.read_bytes()
    with holding(bench.windows / CONFIG):
        result = bench.module("app_pool_settings", lock_seconds=0, **arguments)
    assert result["failed"] and "another run still writes" in result["msg"]
    assert [(c["pool"], c["written"]) for c in result["changes"]] == [(SHOP, False)]
    assert bench.config.read_bytes() == before


LOCKS: list[Scenario] = [
    a_run_leaves_its_name,
    another_run_is_waited_for_and_then_named,
    servers_of_a_share_wait_for_each_other,
    only_who_undoes_a_run_ends_it,
    a_run_that_is_ended_begins_no_other_commit,
    a_run_is_asked_to_stop,
    a_run_that_comes_too_late_is_stale,
    a_clock_that_differs_stops_nobody_for_long,
    what_stands_in_the_file_is_not_trusted,
    without_a_lock_or_a_name_nothing_is_written,
    a_share_has_one_lock_for_its_servers,
    a_pattern_holds_the_lock_too,
]
