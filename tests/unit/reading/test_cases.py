"""Each shape in each encoding, as files in tests/cases/logs with what they must be read as."""

import codecs
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from remediate.logs import find_files, read_log, read_requests
from remediate.values.logs import LoggedException
from tests.unit.reading import samples

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16-le with a mark": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be with a mark": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of utf-16": lambda text: gzip.compress(text.encode("utf-16")),
    "gzip in members": lambda text: b"".join(gzip.compress(part.encode()) for part in (text[:700], text[700:])),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", samples.CASES)
def test_a_log_tells_the_same_in_every_encoding(name: str, encoding: str, tmp_path: Path) -> None:
    """The kind, the lines and what is told, to the last field, without help from the file's ending."""
    case = samples.CASES[name]
    path = tmp_path / Path(name).stem
    path.write_bytes(ENCODINGS[encoding](samples.text(name)))
    (file,) = find_files([str(path)])
    reading = read_log(file)
    expected = {"unparsed": 0, "time_zone": "unknown", **case}
    if case["kind"] == "w3c":
        log = read_requests(file)
        assert tuple(log) == samples.requests(name)
        assert log.source is not None
        assert log.source.unparsed == expected["unparsed"]
        expected["unparsed"] = 0  # nothing of ours can be in it, so read_log only counts its lines
    source = {field: getattr(reading.source, field) for field in ("kind", "lines", "unparsed", "time_zone")}
    assert source == {field: expected[field] for field in source}
    assert [*reading.occurrences] == [_of(file.name, o) for o in samples.occurrences(name)]
    assert reading.events == samples.events(name)


def _of(source: str, occurrence: LoggedException) -> LoggedException:
    return replace(occurrence, source=source)


@pytest.mark.parametrize("name", [name for name, case in samples.CASES.items() if case["kind"] == "text"])
def test_letters_of_another_code_page_harm_nothing(name: str, tmp_path: Path) -> None:
    """Bytes that are no UTF-8 stand in names at most."""
    path = tmp_path / Path(name).stem
    path.write_bytes(samples.text(name).encode("cp1252", errors="replace"))
    (file,) = find_files([str(path)])
    assert read_log(file).occurrences == tuple(_of(file.name, o) for o in samples.occurrences(name))
