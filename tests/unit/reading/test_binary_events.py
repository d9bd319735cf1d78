"""Binary event logs are read by a library, where it is installed. The files are made by hand: see binary_events.py."""

import gzip
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from remediate.logs import find_files, read_events
from tests.conftest import remediate, run
from tests.unit.reading import samples
from tests.unit.reading.binary_events import evtx
from tests.unit.reading.event_exports import SHAPES, events

pytest.importorskip("evtx", reason="the extra evtx is not installed")
FILE = evtx([SHAPES["XML of the source WAS"](event) for event in events()])
REMEDIATE = Path(sys.prefix) / "bin" / "remediate"


def test_the_same_events_are_read_as_of_their_xml(tmp_path: Path) -> None:
    path = tmp_path / "System.evtx"
    path.write_bytes(FILE)
    (file,) = find_files([str(tmp_path)])
    reading = read_events(file)
    assert (reading.source.kind, reading.source.unparsed) == ("events", 0)
    assert reading.events == samples.events("system.xml")
    (error,) = reading.occurrences
    (expected, *_) = samples.occurrences("application.xml")
    assert error == replace(expected, source=str(path), line=error.line)


def test_records_that_are_broken_are_counted(tmp_path: Path) -> None:
    """Those before them are read."""
    path = tmp_path / "System.evtx"
    at = FILE.index("Contoso Shop".encode("utf-16-le"), 5000) + 2000
    path.write_bytes(FILE[:at] + b"\xff" * 400 + FILE[at + 400 :])
    done = remediate("diagnose", "--events", path)
    assert done.returncode == 3 and done.stderr == ""
    assert "System.evtx: events, " in done.stdout and "NOT READ WHOLE: 1 of its records is broken" in done.stdout


@pytest.mark.parametrize(("size", "damaged"), [(4096, False), (100, True)])
def test_a_file_without_events_is_an_event_log_all_the_same(size: int, damaged: bool, tmp_path: Path) -> None:
    """An empty log; and one that ends within its header, which is damaged."""
    path = tmp_path / "System.evtx"
    path.write_bytes(FILE[:size])
    (file,) = find_files([str(path)])
    source = read_events(file).source
    assert (source.kind, source.damage is not None) == ("events", damaged)


@settings(suppress_health_check=[*HealthCheck])
@given(st.integers(8, 12_000), st.binary(min_size=1, max_size=60))
def test_any_bytes_in_it_give_a_reading(tmp_path: Path, at: int, bytes_: bytes) -> None:
    path = tmp_path / "x.evtx"
    path.write_bytes(FILE[:at] + bytes_ + FILE[at + len(bytes_) :])
    (file,) = find_files([str(path)])
    read_events(file)


def test_without_the_library_it_is_refused_with_the_extra_s_name(tmp_path: Path) -> None:
    """Named, in one line; beside others in a folder, with a note."""
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text("import sys\nsys.modules['evtx'] = None\n")
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "System.evtx").write_bytes(FILE)
    (exports / "Other.xml").write_text(samples.text("system.xml"))
    named, found = (
        remediate("diagnose", "--events", exports / name, PYTHONPATH=str(without)) for name in ("System.evtx", "")
    )
    assert named.returncode == 1 and named.stderr.count("\n") == 1
    assert (
        "System.evtx: a binary event log, which needs the extra `evtx`: pip install '.[evtx]' in a checkout"
        in named.stderr
    )
    assert "wevtutil qe FILE.evtx /lf:true /f:xml /e:Events > FILE.xml" in named.stderr
    # No application's log was given: that nothing was found is no answer.
    assert found.returncode == 3 and "passed over: a binary event log, which needs the extra `evtx`" in found.stderr


def test_a_packed_one_and_one_out_of_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "System.evtx.gz").write_bytes(gzip.compress(FILE))
    (tmp_path / "System.evtx").write_bytes(FILE)
    for script in ('"$1" diagnose --events System.evtx.gz', '"$1" diagnose --events - <System.evtx'):
        done = run("bash", "-c", f'cd "$2" && {script}', "-", REMEDIATE, tmp_path)
        assert (
            done.returncode == 1 and "a binary event log, packed or out of a pipe; give the file itself" in done.stderr
        )
