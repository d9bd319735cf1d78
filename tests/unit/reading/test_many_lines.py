"""A log whose every line is an error: twice the lines are twice the work, and beyond what is kept no more memory.

Calls are counted, and kilobytes: no test asserts a time.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.measured import calls

ERROR = (
    "System.Web.HttpException (0x80004005): The error code is 0x80070032. "
    "at System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result) "
    "at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()"
)
SHAPES: dict[str, Callable[[datetime], str]] = {
    "text": lambda time: f"{time:%Y-%m-%d %H:%M:%S},000 [7] ERROR Shop [/LM/W3SVC/1/ROOT/shop] - failed {ERROR}",
    "clef": lambda time: json.dumps({"@t": f"{time:%Y-%m-%dT%H:%M:%SZ}", "@x": ERROR, "Host": f"web{time:%S}"}),
    "syslog": lambda time: f"<131>{time:%b %d %H:%M:%S} web01 shop[7]: failed {ERROR}",
}
# What the child reads, of which it keeps so many; it prints its peak in KiB, and how many were left out.
READ = """
import sys
from pathlib import Path
from remediate.logs import find_files, read_log
(file,) = find_files(sys.argv[1:])
reading = read_log(file, kept=500)
status = Path("/proc/self/status").read_text().split()
print(status[status.index("VmHWM:") + 1], len(reading.occurrences), reading.source.left_out)
"""


def log(folder: Path, shape: str, lines: int) -> Path:
    path = folder / f"{shape}-{lines}.log"
    begin = datetime(2026, 1, 1)
    path.write_text("".join(f"{SHAPES[shape](begin + timedelta(seconds=7 * n))}\n" for n in range(lines)))
    return path


@pytest.mark.parametrize("shape", list(SHAPES))
def test_twice_the_lines_are_twice_the_work(shape: str, tmp_path: Path) -> None:
    once, twice = (calls("diagnose", log(tmp_path, shape, lines)) for lines in (1500, 3000))
    assert twice <= 2.1 * once


@pytest.mark.parametrize("shape", list(SHAPES))
def test_what_is_left_out_takes_no_memory(shape: str, tmp_path: Path) -> None:
    """The errors that are kept are the same number, in a log of five times the length too."""
    peaks = []
    for lines in (16_000, 80_000):
        output = subprocess.check_output([sys.executable, "-c", READ, log(tmp_path, shape, lines)], text=True)
        peak, kept, left_out = map(int, output.split())
        assert (kept, left_out) == (500, lines - 500)
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 4 * 1024
