"""A probe asks each 21 minutes, and each time its client's request raises the error: no IIS log may confirm the fault.

The line that tells so is missing, by a mistake of whoever gives the logs. Where the same errors are the fault's, they
are confirmed by the log that is of their days and their site.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediate.values.diagnoses import Stream
from remediate_lab.clock.world import App, PoolSettings
from tests.diagnosis.command import diagnosis_of, run_diagnose
from tests.diagnosis.simulated import Case

POOLS = (
    PoolSettings(
        name="Shop", always_running=True, idle_timeout=1200, applications=(App("Default Web Site/shop", 1),)
    ),
    PoolSettings(name="Intranet", applications=(App("Intranet/wiki", 2),)),
)  # fmt: skip
BEGIN = datetime(2026, 11, 9, tzinfo=UTC)
PROBES = [BEGIN + timedelta(minutes=21 * n, seconds=n * 7 % 40) for n in range(3 * 68)]
ERRORS = [time for time in PROBES if time.day == 10]


def iis_log(path: Path, times: Sequence[datetime]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{time:%Y-%m-%d %H:%M:%S} GET /shop/health 10.0.0.9 200\n" for time in times)
    path.write_text(f"#Fields: date time cs-method cs-uri-stem c-ip sc-status\n{lines}")
    return path


def error_log(folder: Path) -> Path:
    log = folder / "app.log"
    log.write_text(
        "".join(
            f"{time:%Y-%m-%d %H:%M:%S},000 [7] ERROR Shop [/LM/W3SVC/1/ROOT/shop] - failed\n"
            "System.Web.HttpException (0x80004005): The error code is 0x80070032.\n"
            "   at System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result)\n"
            "   at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()\n"
            for time in ERRORS
        )
    )
    return log


def stream(folder: Path, *iis_logs: Path) -> Stream:
    log = error_log(folder)
    audit = Case("a probe", POOLS, ("audit",), days=1).write(folder).audit
    given = [argument for file in iis_logs for argument in ("--iis-log", file)]
    _, diagnosis = diagnosis_of(folder, log, "--audit", audit, "--time-zone", "UTC", *given)
    (only,) = diagnosis.streams
    return only


def on(*days: int) -> list[datetime]:
    return [time for time in PROBES if time.day in days]


def test_its_own_log_tells_that_a_client_asked(tmp_path: Path) -> None:
    found = stream(tmp_path, iis_log(tmp_path / "W3SVC1" / "u_ex261110.log", on(10)))
    assert (found.pool, found.verdict) == ("Shop", "unsupported")
    assert found.symptoms["not-in-iis-log"].state == "contradicted"


def test_a_day_that_is_missing_among_the_logs_is_not_checked(tmp_path: Path) -> None:
    logs = [iis_log(tmp_path / "W3SVC1" / f"u_ex2611{day:02}.log", on(day)) for day in (9, 11)]
    found = stream(tmp_path, *logs)
    assert found.verdict == "consistent"
    assert found.symptoms["not-in-iis-log"].state == "not-checkable"
    assert "give that of their days" in found.symptoms["not-in-iis-log"].text


@pytest.mark.parametrize("site", [2, 7])
def test_the_log_of_another_site_is_not_checked(site: int, tmp_path: Path) -> None:
    """IIS names the site of a log by its folder alone; site 7 is none of that server."""
    quiet = [time + timedelta(minutes=9) for time in PROBES]
    found = stream(tmp_path, iis_log(tmp_path / f"W3SVC{site}" / "u_ex261110.log", quiet))
    assert found.verdict == "consistent"
    assert found.symptoms["not-in-iis-log"].state == "not-checkable"


@pytest.mark.parametrize(("host", "why"), [(None, "the log names no server"), ("web9", "its server is not in it")])
def test_an_audit_that_does_not_tell_of_the_server_says_so(host: str | None, why: str, tmp_path: Path) -> None:
    """Two servers with an application of that path: which one is it?"""
    log, audit = error_log(tmp_path), tmp_path / "audit.json"
    of_one = Case("a probe", POOLS, ("audit",), days=1).write(tmp_path).audit
    assert of_one is not None
    value = json.loads(of_one.read_text())
    (first,) = value["hosts"]
    audit.write_text(json.dumps(value | {"hosts": [first, first | {"host": "web02", "machine": "WEB02"}]}))
    named = [] if host is None else ["--host", host]
    _, diagnosis = diagnosis_of(tmp_path, log, "--audit", audit, *named)
    assert f"the audit has 2 servers, and {why}: give --host, as the audit names it" in diagnosis.streams[0].reasons


@pytest.mark.parametrize("form", ["table", "html"])
def test_what_comes_next_is_a_command(form: str, tmp_path: Path) -> None:
    log, audit = error_log(tmp_path), Case("a probe", POOLS, ("audit",), days=1).write(tmp_path).audit
    given = (log, "--audit", audit, "--time-zone", "UTC", "--format", form)
    alone = run_diagnose(tmp_path, *given)[1].decode()
    assert "remediate audit -i INVENTORY --evidence" in alone and "remediate plan" not in alone
    quiet = iis_log(tmp_path / "W3SVC1" / "u_ex2611.log", [BEGIN, *on(10)[:1], *on(11)])
    sure = run_diagnose(tmp_path, *given, "--iis-log", quiet)[1].decode()
    assert "remediate plan -i INVENTORY --fix idle-timeout --out PLAN" in sure
    of_a_client = iis_log(tmp_path / "W3SVC1" / "u_ex2611.log", PROBES)
    assert "remediate plan" not in run_diagnose(tmp_path, *given, "--iis-log", of_a_client)[1].decode()


def test_the_log_of_their_days_and_site_confirms(tmp_path: Path) -> None:
    """Some other request, once each day."""
    found = stream(tmp_path, iis_log(tmp_path / "W3SVC1" / "u_ex2611.log", [BEGIN, *on(10)[:1], *on(11)]))
    assert found.verdict == "confirmed"
