"""Only the log of a web site says that a request was not logged. Other logs of the same folders are refused by name.

The fields are those that Microsoft documents for HTTP.sys's error log, the FTP service, and IIS's formats; the lines
are written by hand. The errors are a client's, as in test_false_confirmed.py.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from remediate.saved import load
from remediate.values.diagnoses import Diagnosis
from tests.conftest import run
from tests.diagnosis.simulated import Case
from tests.diagnosis.test_false_confirmed import BEGIN, POOLS, PROBES, error_log, iis_log, on

REMEDIATE = Path(sys.prefix) / "bin" / "remediate"
IIS = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-10 00:00:00\n"
HTTP = "#Software: Microsoft HTTP API 2.0\n#Version: 1.0\n#Date: 2026-11-10 00:00:00\n"


# As the log of a site that had no request at the errors' times, and confirms.
TIMES = [BEGIN, *on(10)[:1], *on(11)]


def w3c(head: str, fields: str, rest: str) -> Callable[[datetime], str]:
    """The head, and then one line for each time."""
    return lambda time: (
        (f"{head}#Fields: date time {fields}\n" if time == TIMES[0] else "") + f"{time:%Y-%m-%d %H:%M:%S} {rest}\n"
    )


OTHERS: dict[str, tuple[str, Callable[[datetime], str]]] = {
    "HTTPERR/httperr1.log": (
        "HTTP.sys's error log",
        w3c(
            HTTP,
            "c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename",
            "10.0.0.9 50311 10.0.0.1 80 HTTP/1.1 GET /shop/x - 400 1 Connection_Dropped Shop",
        ),
    ),
    "HTTPERR/old.log": (
        "HTTP.sys's error log",
        w3c(
            HTTP,
            "c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename",
            "10.0.0.9 50311 10.0.0.1 80 - - - - 1 Timer_ConnectionIdle -",
        ),
    ),
    "FTPSVC1/u_ex261110.log": (
        "the FTP service's log",
        w3c(
            IIS,
            "c-ip cs-username s-port cs-method cs-uri-stem sc-status sc-win32-status sc-substatus x-session x-fullpath",
            "10.0.0.9 - 21 ControlChannelOpened - - 0 0 d1678a06-t750 -",
        ),
    ),
    "W3SVC1/ftp.log": (
        "the FTP service's log",
        w3c(IIS, "c-ip cs-method cs-uri-stem sc-status", "10.0.0.9 [1]USER anonymous 331"),
    ),
    "MSFTPSVC1/ex261110.log": (
        "the FTP service's log",
        w3c(IIS, "c-ip cs-uri-stem sc-status", "10.0.0.9 /a.txt 226"),
    ),
    "SMTPSVC1/ex261110.log": (
        "the SMTP service's log",
        w3c(IIS, "c-ip s-sitename cs-method cs-uri-stem sc-status", "10.0.0.9 SMTPSVC1 EHLO - 250"),
    ),
    "W3SVC1/advanced.log": (
        "a W3C log of IIS Advanced Logging Module",
        w3c("#Software: IIS Advanced Logging Module\n", "cs-uri-stem sc-status", "/shop/x 200"),
    ),
    "W3SVC1/firewall.log": (
        "a W3C log of Microsoft Windows Firewall",
        w3c(
            "#Version: 1.5\n#Software: Microsoft Windows Firewall\n#Time Format: Local\n",
            "action protocol src-ip dst-ip",
            "ALLOW TCP 10.0.0.9 10.0.0.1",
        ),
    ),
    "W3SVC1/few.log": (
        "a W3C log without the field cs-uri-stem",
        w3c(IIS, "c-ip sc-status", "10.0.0.9 200"),
    ),
    "W3SVC1/u_nc261110.log": (
        "a log in NCSA format",
        lambda time: f'10.0.0.9 - CORP\\ops [{time:%d/%b/%Y:%H:%M:%S} +0000] "GET /shop/x HTTP/1.1" 200 1234\n',
    ),
    "W3SVC1/u_in261110.log": (
        "a log in IIS's native format",
        lambda time: (
            f"10.0.0.9, -, {time:%m/%d/%Y}, {time:%H:%M:%S}, W3SVC1, WEB01, 10.0.0.1, 9, 1, 3, 200, 0, GET, /, -,\n"
        ),
    ),
    "W3SVC/raw261110.ibl": ("a central binary log", lambda _: "\x01\x02\x03\x04" + "\0" * 60),
}  # fmt: skip
NAMES = [*OTHERS]


def other_log(folder: Path, name: str) -> Path:
    path = folder / "LogFiles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(OTHERS[name][1](time) for time in TIMES))
    return path


def diagnose(folder: Path, *arguments: str | Path) -> tuple[int, str, Diagnosis | None]:
    """The exit code, what was said on stderr, and the diagnosis where there is one."""
    audit = Case("a probe", POOLS, ("audit",), days=1).write(folder).audit
    assert audit is not None
    out = folder / "diagnosis.json"
    done = run(
        REMEDIATE, "diagnose", error_log(folder), "--audit", audit, "--time-zone", "UTC", *arguments,
        "--format", "json", "--out", out,
    )  # fmt: skip
    return done.returncode, done.stderr, load(out, Diagnosis) if out.exists() else None


@pytest.mark.parametrize("name", NAMES)
def test_another_log_is_refused_by_name(name: str, tmp_path: Path) -> None:
    """Named, it ends the command with one line, and nothing is confirmed by it."""
    path = other_log(tmp_path, name)
    code, said, diagnosis = diagnose(tmp_path, "--iis-log", path)
    assert (code, diagnosis) == (1, None)
    assert f"{path}: {OTHERS[name][0]}" in said and "not the W3C log of a web site" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_another_log_among_the_application_s_logs_is_refused_too(name: str, tmp_path: Path) -> None:
    path = other_log(tmp_path, name)
    code, said, diagnosis = diagnose(tmp_path, path)
    assert (code, diagnosis) == (1, None) and f"{path}: {OTHERS[name][0]}" in said and said.count("\n") == 1


def test_what_a_folder_of_iis_holds_beside_is_passed_over_with_a_note(tmp_path: Path) -> None:
    """The sites' own logs below it are read, each as its site's, and they confirm as before."""
    for name in NAMES:
        other_log(tmp_path, name)
    iis_log(tmp_path / "LogFiles" / "W3SVC1" / "u_ex2611.log", [PROBES[0], *on(10)[:1], *on(11)])
    iis_log(tmp_path / "LogFiles" / "W3SVC2" / "u_ex2611.log", PROBES)
    code, said, diagnosis = diagnose(tmp_path, "--iis-log", tmp_path / "LogFiles")
    assert code == 2 and diagnosis is not None
    assert [stream.verdict for stream in diagnosis.streams] == ["confirmed"]
    assert f"{tmp_path / 'LogFiles' / 'HTTPERR'}: passed over 2 files: HTTP.sys's error log" in said
    assert f"{tmp_path / 'LogFiles' / 'FTPSVC1' / 'u_ex261110.log'}: passed over: the FTP service's log" in said
    read = [source.file for source in diagnosis.sources if source.kind == "w3c"]
    assert read == [str(tmp_path / "LogFiles" / f"W3SVC{n}" / "u_ex2611.log") for n in (1, 2)]


def test_a_pattern_passes_over_as_well(tmp_path: Path) -> None:
    for name in NAMES:
        other_log(tmp_path, name)
    iis_log(tmp_path / "LogFiles" / "W3SVC1" / "u_ex2611.log", PROBES)
    code, said, diagnosis = diagnose(tmp_path, "--iis-log", tmp_path / "LogFiles" / "*" / "*")
    assert code == 0 and diagnosis is not None
    assert diagnosis.streams[0].symptoms["not-in-iis-log"].state == "contradicted"
    assert said.count("passed over") == len({(Path(name).parent, what) for name, (what, _) in OTHERS.items()})


def test_a_folder_with_nothing_but_others_is_an_error(tmp_path: Path) -> None:
    """No log of a site was read: what was asked for cannot be done."""
    other_log(tmp_path, "HTTPERR/httperr1.log")
    code, said, diagnosis = diagnose(tmp_path, "--iis-log", tmp_path / "LogFiles")
    assert (code, diagnosis) == (1, None)
    assert "no W3C log of a web site is among what --iis-log names" in said.splitlines()[-1]


def test_lines_of_another_log_in_the_same_file_are_no_requests(tmp_path: Path) -> None:
    """Files that were put together: what HTTP.sys's lines hold is not understood, and its day is not covered."""
    site = iis_log(tmp_path / "W3SVC1" / "u_ex2611.log", on(9))
    site.write_text(site.read_text() + other_log(tmp_path, "HTTPERR/httperr1.log").read_text())
    _, _, diagnosis = diagnose(tmp_path, "--iis-log", site)
    assert diagnosis is not None and diagnosis.streams[0].verdict != "confirmed"
    assert [source.unparsed for source in diagnosis.sources if source.kind == "w3c"] == [len(TIMES)]
