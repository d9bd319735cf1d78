"""Which files an argument means, and in which order."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.errors import RemediateError
from remediate.logs import find_files, read_log
from tests.unit.reading import samples


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("x")


def names(*arguments: str) -> list[str]:
    return [Path(file.name).name for file in find_files(arguments)]


@pytest.mark.parametrize(
    "oldest_first",
    [
        ["app.log.10.gz", "app.log.9", "app.log.2", "app.log.1", "app.log"],
        ["app-20261031.log.gz", "app-20261101.log", "app-20261102.log"],
        ["app-20261101.log", "app-20261101_001.log", "app-20261101_002.log", "app-20261102.log"],
        ["app.2026-10-31.log", "app.2026-11-01.log", "app.log"],
        ["app.log.2026-10-31", "app.log.2026-11-01", "app.log"],
        ["a.log.1", "a.log", "b.log.1", "b.log"],
        ["u_ex261031.log", "u_ex261101.log"],
    ],
)
def test_a_rotated_set_is_in_the_order_in_which_it_was_written(oldest_first: list[str], tmp_path: Path) -> None:
    touch(tmp_path, *sorted(oldest_first))
    assert names(str(tmp_path)) == oldest_first
    assert names(str(tmp_path / "*")) == oldest_first


def test_of_a_folder_what_looks_like_a_log_is_read_and_what_is_below_it(tmp_path: Path) -> None:
    """But nothing hidden, and no link to another folder, which may lead back."""
    (tmp_path / "old.log").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    touch(
        tmp_path,
        "app.log",
        "events.json",
        "x.clef",
        "system.xml",
        "app.dll",
        ".hidden.log",
        "web.config",
        "old.log/a.log",
        ".git/b.log",
    )
    assert sorted(names(str(tmp_path))) == ["a.log", "app.log", "events.json", "system.xml", "x.clef"]


def test_a_file_by_several_names_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "app.log")
    (tmp_path / "link.log").symlink_to("app.log")
    os.link(tmp_path / "app.log", tmp_path / "hard.log")
    app = str(tmp_path / "app.log")
    assert names(app, app, str(tmp_path / "link.log"), str(tmp_path / "hard.log"), str(tmp_path / "*.log")) == [
        "app.log"
    ]


def test_elmahs_files_of_one_folder_are_one_log(tmp_path: Path) -> None:
    """In the order of their names, which begin with the time; the errors of all are there."""
    error = samples.text("error-2026-11-25130001Z-6a0a3a1e.xml")
    for hour in (15, 13, 14):
        (tmp_path / f"error-2026-11-25{hour}0001Z-6a0a3a1e.xml").write_text(error.replace("T13:", f"T{hour}:"))
    (file,) = find_files([str(tmp_path)])
    reading = read_log(file)
    assert file.name == str(tmp_path / "error-*.xml")
    assert [o.time.hour for o in reading.occurrences if o.time] == [13, 14, 15]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("missing.log", "missing.log: no such file"),
        ("missing*.log", r"missing\*.log: no file matches this pattern"),
        ("empty", "empty: no log in this folder; name the files"),
        ("nul\0", "no such file"),
        ("x" * 5000, "cannot be read: File name too long"),
    ],
)
def test_an_argument_that_means_no_file_is_one_line(argument: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RemediateError, match=said) as error:
        find_files([str(tmp_path / argument)])
    assert "\n" not in str(error.value)


def test_a_file_that_goes_away_is_one_line(tmp_path: Path) -> None:
    touch(tmp_path, "app.log")
    (file,) = find_files([str(tmp_path / "app.log")])
    (tmp_path / "app.log").unlink()
    with pytest.raises(RemediateError, match=r"app\.log: cannot be read: No such file"):
        read_log(file)


@pytest.mark.parametrize("name", ["log4net.log", "application.xml"])
def test_standard_input_is_read_like_a_file(name: str) -> None:
    code = (
        "import sys; from remediate.logs import find_files, read_log; from msgspec.json import encode; "
        "sys.stdout.buffer.write(encode([read_log(file) for file in find_files(['-', '-'])]))"
    )
    answer = subprocess.run([sys.executable, "-c", code], input=samples.sample(name), capture_output=True, check=True)
    (reading,) = json.loads(answer.stdout)
    assert reading["source"]["file"] == "standard input"
    assert [o["line"] for o in reading["occurrences"]] == [o.line for o in samples.occurrences(name)]
