"""What the real loggers write is read: the one proof that the layouts written by hand are as they should be."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import gethostname

import pytest

from remediate.logs import Zone, find_files, in_utc, read_log

HERE = Path(__file__).parent
# Builds of the loggers from NuGet; its README says which.
LOGGERS = HERE.parents[3] / "shared" / "loggers"
# Whether a layout tells its zone, and which machine.
TOLD: dict[str, tuple[str, bool, str | None]] = {
    "nlog": ("text", False, None),
    "nlog-json": ("json", False, None),
    "serilog": ("text", True, None),
    "serilog-console": ("text", False, None),
    "serilog-clef": ("clef", True, "WEB01"),
    "serilog-json": ("json", True, "WEB01"),
    "log4net": ("text", False, None),
    "log4net-iso": ("text", False, None),
    "log4net-xml": ("xml-log", True, gethostname()),
    "log4j-xml": ("xml-log", True, gethostname()),
}


@pytest.mark.pwsh
def test_what_the_real_loggers_write_is_read(pwsh_path: Path, tmp_path: Path) -> None:
    """Two exceptions in each file, wrapped once, between lines that say nothing; times to the second."""
    if not LOGGERS.is_dir():
        pytest.skip(f"no .NET loggers here: {LOGGERS}")
    command: list[str | Path] = [pwsh_path, "-NoProfile", "-NonInteractive", "-File", HERE / "write.ps1"]
    begin = datetime.now(UTC) - timedelta(seconds=1)
    subprocess.run(
        [*command, "-Loggers", LOGGERS, "-Folder", tmp_path],
        check=True, capture_output=True, timeout=300, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    end = datetime.now(UTC)
    readings = {read.source.file: read for read in map(read_log, find_files([str(tmp_path)]))}
    by_name = {re.sub(r"-\d{8}$", "", Path(name).stem): reading for name, reading in readings.items()}
    assert {name: reading.source.kind for name, reading in by_name.items()} == {
        n: kind for n, (kind, *_) in TOLD.items()
    }
    for name, (_, tells_zone, host) in TOLD.items():
        reading = by_name[name]
        assert reading.source.unparsed == 0, name
        assert [o.code for o in reading.occurrences] == ["0x80070032", "0x800704CD"], name
        assert reading.source.time_zone == ("UTC" if tells_zone else "unknown"), name
        for occurrence in in_utc(reading, lambda _: Zone("UTC", UTC, "option")).occurrences:
            assert occurrence.raised, name
            assert occurrence.flushed, name
            assert occurrence.time is not None, name
            assert begin <= occurrence.time <= end, name
            assert occurrence.host == host, name
