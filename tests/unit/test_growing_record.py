"""A run is followed by reading each byte of its record once, however often one looks."""

import json
from pathlib import Path

from remediate.playbook.record import Growing
from tests.unit.test_record import CHANGES, EVENTS


def bytes_read() -> int:
    """What this process has read so far, of whatever file."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(lines[0].removeprefix("rchar: "))


def test_each_byte_is_read_once(tmp_path: Path) -> None:
    """A thousand hosts, and a look after each: the record grows to megabytes, and is not read a thousand times."""
    path = tmp_path / "record.jsonl"
    growing = Growing(path)
    before, events = bytes_read(), 0
    with path.open("a") as file:
        for number in range(1000):
            file.write(json.dumps(EVENTS[1] | {"host": f"web{number:04}", "changes": CHANGES * 3}) + "\n")
            file.flush()
            events += len(growing.new())
    assert events == 1000
    assert bytes_read() - before < 2 * path.stat().st_size


def test_a_line_counts_when_it_is_whole(tmp_path: Path) -> None:
    """Wherever a look cuts it, in a letter of two bytes too."""
    path = tmp_path / "record.jsonl"
    events = [EVENTS[0] | {"run": "Zürich"}, *EVENTS[1:]]
    whole = b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)
    for step in (1, 7, 1000):
        growing, found = Growing(path), []
        path.write_bytes(b"")
        for start in range(0, len(whole), step):
            with path.open("ab") as file:
                file.write(whole[start : start + step])
            found += growing.new()
        assert found == [json.loads(json.dumps(event)) for event in events]
