"""A file that is damaged: what can be read of it counts, what cannot is said, and that is no all-clear."""

import gzip
import json
import os
import struct
import zlib
from pathlib import Path

import pytest

from tests.conftest import remediate
from tests.diagnosis.command import diagnosis_of, run_diagnose
from tests.diagnosis.test_false_confirmed import iis_log, stream
from tests.diagnosis.test_no_site_log import TIMES
from tests.unit.reading import samples

NOISE = os.urandom(60_000).hex().encode() + b"\n"


def log(hour: int) -> bytes:
    """Two errors 0x80070032 within that hour."""
    return samples.sample("log4net.log").replace(b"13:", b"%02d:" % hour)


def member(*parts: bytes) -> bytes:
    return gzip.compress(b"".join(parts))


def wrong_sum(packed: bytes) -> bytes:
    return packed[:-8] + struct.pack("<I", zlib.crc32(b"other")) + packed[-4:]


def torn(before: bytes, after: bytes) -> bytes:
    """A member with bytes in its middle that are no deflate (RFC 1951: no block is of type 3)."""
    packer = zlib.compressobj(wbits=31)
    good = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    return good + b"\xff" * 600 + packer.compress(after) + packer.flush()


GOOD = member(log(9), NOISE)
# What is packed, how many errors can be unpacked, and what is said of the rest; None: nothing is missing.
PACKED = {
    "whole": (GOOD, 2, None),
    "zeros behind it": (GOOD + bytes(100_000), 2, None),
    "zeros between members": (GOOD + bytes(512) + member(log(10)), 4, None),
    "garbage behind it": (GOOD + b"garbage" * 50, 2, "no gzip stand behind its gzip"),
    "garbage after zeros": (GOOD + bytes(5000) + b"garbage", 2, "no gzip stand behind its gzip"),
    "a wrong sum": (wrong_sum(GOOD), 2, "checksum"),
    "a small one with a wrong sum": (wrong_sum(member(log(9))), 2, "checksum"),
    "a wrong length": (GOOD[:-4] + b"\1\2\3\4", 2, "checksum"),
    "a wrong sum, and a member after it": (wrong_sum(GOOD) + member(log(10)), 4, "checksum"),
    "cut off": (GOOD[:-20_000], 2, "cut off"),
    "its last byte is missing": (member(log(9))[:-1], 2, "cut off"),
    "the second member cut": (GOOD + member(log(10), NOISE)[:-20_000], 4, "cut off"),
    "cut within the next header": (GOOD + member(log(10))[:5], 2, "cut off"),
    "a hole": (torn(log(9), NOISE), 2, "could not be unpacked"),
    "a hole in the first of three": (torn(log(9), NOISE) + member(log(10)) + GOOD, 6, "could not be unpacked"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(PACKED))
def test_what_can_be_unpacked_counts_and_the_rest_is_said(name: str, tmp_path: Path) -> None:
    """In the report and in its JSON; exit 3 where something is missing, since it may be what matters."""
    packed, errors, said = PACKED[name]
    (tmp_path / "app.log.gz").write_bytes(packed)
    code, found = diagnosis_of(tmp_path, tmp_path / "app.log.gz")
    assert sum(stream.count for stream in found.streams) == errors
    (source,) = found.sources
    _, text = run_diagnose(tmp_path, tmp_path / "app.log.gz")
    if said is None:
        assert (code, source.damage) == (2, None) and b"NOT READ WHOLE" not in text
    else:
        assert code == 3 and said in (source.damage or "")
        assert f"NOT READ WHOLE: {source.damage}".encode() in text


def test_no_error_in_a_damaged_log_is_no_answer(tmp_path: Path) -> None:
    """The errors may stand in what is missing."""
    (tmp_path / "app.log.gz").write_bytes(member(b"2026-11-25 13:00:00 all is well\n", NOISE)[:-20_000])
    code, text = run_diagnose(tmp_path, tmp_path / "app.log.gz")
    assert code == 3 and b"1 of the logs could not be read whole" in text


def test_a_damaged_part_does_not_hide_the_others(tmp_path: Path) -> None:
    """ELMAH's files of one folder are one log; the first of them is damaged."""
    error = samples.sample("error-2026-11-25130001Z-6a0a3a1e.xml")
    for hour in (13, 14, 15):
        packed = gzip.compress(error.replace(b"T13:", b"T%d:" % hour))
        name = f"error-2026-11-25{hour}0001Z-6a0a3a1e.xml"
        (tmp_path / name).write_bytes(packed[:-1] if hour == 13 else packed)
    code, found = diagnosis_of(tmp_path, tmp_path)
    assert sum(stream.count for stream in found.streams) == 3
    assert code == 3 and "error-2026-11-25130001Z-6a0a3a1e.xml: its gzip is cut off" in (found.sources[0].damage or "")


def test_a_damaged_iis_log_confirms_nothing(tmp_path: Path) -> None:
    """That it has no line at the errors' times means nothing where lines are missing. The same log whole confirms."""
    verdicts = []
    for name in ("whole", "cut"):
        path = iis_log(tmp_path / name / "W3SVC1" / "u_ex261110.log", TIMES)
        packed = gzip.compress(path.read_bytes())
        path.write_bytes(packed if name == "whole" else packed[:-1])
        verdicts.append(stream(tmp_path / name, path).verdict)
    assert verdicts == ["confirmed", "consistent"]


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 3000, Path("/bin/sh").read_bytes(), bytes(70_000), gzip.compress(bytes(70_000))],
    ids=["bytes", "a program", "zeros", "packed zeros"],
)  # fmt: skip
def test_what_is_no_text_is_no_all_clear(data: bytes, tmp_path: Path) -> None:
    """Alone it is refused; in a folder the logs beside it are read."""
    (tmp_path / "app.bin").write_bytes(data)
    assert "is no text" in remediate("diagnose", tmp_path / "app.bin", expect=1).stderr
    (tmp_path / "app.log").write_bytes(log(9))
    assert len(json.loads(remediate("diagnose", tmp_path, "--format", "json").stdout)["streams"]) == 1
