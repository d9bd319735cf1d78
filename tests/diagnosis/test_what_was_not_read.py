"""What the files hold and the diagnosis cannot use is reported, in every format."""

import json
from html import unescape
from pathlib import Path

import pytest
from msgspec.structs import replace

from remediate.report.diagnosis import FORMS, DiagnosisForm, rendered
from remediate.values.diagnoses import Diagnosis
from remediate.values.logs import Source
from tests.conftest import remediate

READABLE: list[DiagnosisForm] = [form for form in FORMS if form in ("table", "html")]
MESSAGE = "An error occurred while communicating with the remote host. The error code is 0x80070032."


def entry(minute: int, text: str) -> str:
    return f"2026-11-25 14:{minute:02}:00,000 [7] ERROR App - {text}\n"


@pytest.mark.parametrize(
    "lines",
    {
        "text": "".join(entry(minute, MESSAGE) for minute in range(3)),
        "a number": "".join(entry(minute, "failed with -2147024846") for minute in range(3)),
        "JSON": "".join(json.dumps({"@t": f"2026-11-25T14:{n:02}:00Z", "@m": MESSAGE}) + "\n" for n in range(3)),
        "log4net's XML": "".join(
            f'<log4net:event logger="App" timestamp="2026-11-25T14:{n:02}:00Z"><log4net:message>{MESSAGE}'
            "</log4net:message></log4net:event>\n"
            for n in range(3)
        ),
    }.items(),
    ids=lambda item: item[0],
)
def test_entries_with_the_code_alone_are_no_clean_bill(lines: tuple[str, str], tmp_path: Path) -> None:
    """The message does not say who raised it: what to log is said, and the exit code is that of an open question."""
    log = tmp_path / "app.log"
    log.write_text(entry(59, "fine") * (lines[0] == "text") + lines[1])
    done = remediate("diagnose", log, expect=3)
    assert "3 entries name 0x80070032 without the exception's type or stack" in done.stdout
    assert "log the exception itself" in done.stdout and "0 streams" in done.stdout
    page = unescape(remediate("diagnose", log, "--format", "html", expect=3).stdout)
    assert "3 entries name 0x80070032 without the exception's type or stack" in page
    value = json.loads(remediate("diagnose", log, "--format", "json", expect=3).stdout)
    assert value["sources"][0]["code_only"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "GET / answered in 80070032 ms",
        "id 6f9619ff-8b86-d011-b42d-0x80070032-00c04fc964ff",
        MESSAGE.replace("0x80070032", "0x80070057"),
        "0x8007003200",
    ],
)
def test_what_only_looks_like_the_code_is_nothing(text: str, tmp_path: Path) -> None:
    """Another code of the family means nothing without its exception: it is Windows' usual one for a wrong argument."""
    (tmp_path / "app.log").write_text(entry(0, text))
    assert "entries name" not in remediate("diagnose", tmp_path / "app.log", expect=0).stdout


def diagnosis(source: Source) -> Diagnosis:
    return Diagnosis(created_at="2026-11-25T12:00:00Z", sources=(source,), streams=())


PLAIN = Source(file="app.log", kind="text", lines=9)


@pytest.mark.parametrize("form", READABLE)
@pytest.mark.parametrize(
    ("source", "says"),
    [
        (replace(PLAIN, left_out=7), "7 left out (more than 100,000 of one kind)"),
        (replace(PLAIN, untimed=7), "7 without a time that was recognised"),
        (replace(PLAIN, code_only=1), "1 entry names 0x80070032 without the exception"),
    ],
)
def test_each_number_is_shown_with_its_file(source: Source, says: str, form: DiagnosisForm) -> None:
    shown = rendered(diagnosis(source), form).decode()
    assert says in shown
    assert says not in rendered(diagnosis(PLAIN), form).decode()


def test_exceptions_beyond_the_bound_are_counted(tmp_path: Path) -> None:
    """Five more than are kept of one code in one file."""
    log = tmp_path / "app.log"
    log.write_text("".join(entry(n % 60, "COMException 0x80070057") for n in range(100_005)))
    assert json.loads(remediate("diagnose", log, "--format", "json").stdout)["sources"][0]["left_out"] == 5
