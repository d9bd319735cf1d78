"""What is given cannot be read, or can be read but once: one line says so, and nothing passes for an empty log."""

import bz2
import gzip
import lzma
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.conftest import run
from tests.unit.reading import samples

REMEDIATE = Path(sys.prefix) / "bin" / "remediate"
LOG = samples.sample("log4net.log")
IIS_LOG = b"#Fields: date time cs-uri-stem sc-status\n" + b"2026-11-25 13:00:00 /shop 200\n" * 50


def zipped() -> bytes:
    with zipfile.ZipFile(file := BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.log", LOG)
    return file.getvalue()


def refused(folder: Path, script: str) -> tuple[int, str]:
    """The exit code and the one line, of a shell's script in that folder; `$1` is the command."""
    done = run("bash", "-c", f'cd "$2" && {script}', "-", REMEDIATE, folder)
    assert done.stdout == "" and done.stderr.count("\n") == 1 and "bug" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("name", "packed", "says"),
    [
        ("app.zip", zipped(), "a zip archive"),
        ("app.log.bz2", bz2.compress(LOG), "packed by bzip2"),
        ("app.log.xz", lzma.compress(LOG), "packed by xz"),
        ("app.log.gz.gz", gzip.compress(gzip.compress(LOG)), "packed by gzip twice"),
    ],
)
def test_a_packed_log_is_no_log_without_errors(name: str, packed: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(packed)
    code, line = refused(tmp_path, f'"$1" diagnose {name}')
    assert code == 1 and f"{name}: {says}; unpack it first" in line


def test_utf_32_is_read(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(LOG.decode().encode("utf-32"))
    assert run(REMEDIATE, "diagnose", tmp_path / "app.log").returncode == 2


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ('"$1" diagnose - --events - <app.log', 64, "standard input can be read only once"),
        ('"$1" diagnose app.log - <iis.log', 1, "standard input: is an IIS log; give it with --iis-log"),
        ('"$1" diagnose app.log <(cat iis.log)', 1, ": is an IIS log; give it with --iis-log"),
        ('"$1" diagnose - <&-', 1, "standard input: is closed"),
        ('"$1" diagnose ""', 1, "an empty name"),
    ],
)
def test_a_pipe_is_not_read_twice(script: str, code: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(LOG)
    (tmp_path / "iis.log").write_bytes(IIS_LOG)
    found, line = refused(tmp_path, script)
    assert found == code and says in line


def test_an_iis_log_out_of_a_pipe_is_read_whole(tmp_path: Path) -> None:
    """A client's errors, whose zone the IIS log could tell if it could be read twice."""
    error = LOG.replace(b"0x80070032", b"0x800703E3")
    (tmp_path / "app.log").write_bytes(b"".join(error.replace(b"13:", b"%d:" % hour) for hour in range(10, 23)))
    (tmp_path / "iis.log").write_bytes(IIS_LOG)
    done = run("bash", "-c", 'cd "$2" && "$1" diagnose app.log --iis-log <(cat iis.log)', "-", REMEDIATE, tmp_path)
    assert done.returncode == 0 and "w3c, 51 lines, 0 not understood" in done.stdout


def test_nothing_found_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("all is well\n")
    done = run(REMEDIATE, "diagnose", tmp_path / "app.log")
    assert done.returncode == 0 and "0 streams: no exception of this kind is in what was read\n" in done.stdout
