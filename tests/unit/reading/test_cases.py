"""Each shape in each encoding, as files in tests/cases/logs with what they must be read as."""

import codecs
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from remediate.diagnose.reading import find_files, read_log, read_requests
from remediate.evidence import Occurrence
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


def _of(source: str, occurrence: Occurrence) -> Occurrence:
    return replace(occurrence, source=source)


@pytest.mark.parametrize("name", [name for name, case in samples.CASES.items() if case["kind"] == "text"])
def test_letters_of_another_code_page_harm_nothing(name: str, tmp_path: Path) -> None:
    """Bytes that are no UTF-8 stand in names at most."""
    path = tmp_path / Path(name).stem
    path.write_bytes(samples.text(name).encode("cp1252", errors="replace"))
    (file,) = find_files([str(path)])
    assert read_log(file).occurrences == tuple(_of(file.name, o) for o in samples.occurrences(name))


def test_what_a_broken_gzip_holds_is_read_and_the_loss_is_counted(tmp_path: Path) -> None:
    """A packed log of a running server ends in the middle."""
    path = tmp_path / "app.log.gz"
    packed = gzip.compress(samples.sample("log4net.log") + os.urandom(40_000))
    path.write_bytes(packed[:-20_000])
    reading = read_log(find_files([str(path)])[0])
    assert len(reading.occurrences) == 2
    assert reading.source.unparsed == 1


def test_what_a_small_broken_gzip_holds_is_read_too(tmp_path: Path) -> None:
    """It breaks off within what the encoding is looked for in."""
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(samples.sample("one-line.log") + os.urandom(2000))[:-1000])
    reading = read_log(find_files([str(path)])[0])
    assert len(reading.occurrences) == len(samples.occurrences("one-line.log"))
    assert reading.source.unparsed == 1
