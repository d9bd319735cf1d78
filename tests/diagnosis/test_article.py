"""The article's case, an idle time-out of 20 minutes and an error each 21, found and explained in three ways."""

from pathlib import Path

import pytest

from remediate.values.diagnoses import Diagnosis, Stream, SymptomName
from remediate_lab.clock.world import App, PoolSettings
from tests.diagnosis.command import diagnosis_of, options, run_diagnose
from tests.diagnosis.simulated import Case, Source

POOL = PoolSettings(
    name="Contoso Shop", always_running=True, idle_timeout=1200,
    applications=(App("Default Web Site/shop", 1, preload=True),),
)  # fmt: skip


def case(*give: Source, unhandled: bool = False) -> Case:
    """One day; its worker looks on time, so that the period is 21 minutes and what a start takes."""
    return Case("the article", (POOL,), give, days=1, lateness=0, unhandled=unhandled)


def diagnosed(case: Case, folder: Path, *more: str) -> tuple[int, Diagnosis, Stream, int]:
    """The exit code, the diagnosis, the stream of the fault, and how many errors there were."""
    code, diagnosis = diagnosis_of(folder, *options(case.write(folder)), *more)
    (truth,) = case.truths
    (stream,) = diagnosis.streams
    assert (stream.code, stream.count) == ("0x80070032", truth.count) and truth.count > 60
    assert stream.period_seconds == pytest.approx(21 * 60, abs=15)
    assert stream.period_confidence > 0.999
    assert stream.fixes == ("idle-timeout", "on-demand")
    return code, diagnosis, stream, truth.count


def test_from_a_log_alone(tmp_path: Path) -> None:
    """The period is enough to go on with, and not to be sure; what would make it sure is said."""
    code, diagnosis, stream, errors = diagnosed(case("log"), tmp_path)
    assert code == 2
    assert stream.verdict == "consistent"
    assert (stream.attribution.idle, stream.attribution.unexplained) == (errors - 1, 1)
    assert stream.attribution.by_gap == errors - 1, "no event tells of an idle stop: it is inferred, and said so"
    symptoms = stream.symptoms
    assert symptoms["periodic"].state == "seen"
    assert symptoms["periodic"].text.startswith(f"each 21:0{round(stream.period_seconds or 0) % 60}")
    assert f"({errors - 1} of {errors} starts), as an idle time-out of about" in symptoms["periodic"].text
    hints: dict[SymptomName, str] = {
        "after-recycle": "--time-zone", "not-in-iis-log": "--time-zone", "local-request": "address",
    }  # fmt: skip
    for name, hint in hints.items():
        assert symptoms[name].state == "not-checkable" and hint in symptoms[name].text
    assert stream.reasons == (
        f"{errors} errors 0x80070032 with RaiseCommunicationError and ExplicitFlush",
        "periodic: seen; nothing that could be checked speaks against it",
        "idle-timeout ends the periodic errors and would leave any at recycles and starts; on-demand ends both "
        "where no application preloads; where one does, the error may still come at recycles and with the first "
        "request after a start",
        "look at the pool's settings before you change it: `remediate audit`",
    )
    (source,) = diagnosis.sources
    assert source.time_zone == "unknown"


def test_from_log_and_iis_log_and_events(tmp_path: Path) -> None:
    """The log does not tell its zone, and errors each 21 minutes fit two: ten of them are Tehran's three hours 30."""
    code, diagnosis, stream, errors = diagnosed(case("log", "w3c", "events"), tmp_path, "--time-zone", "UTC")
    assert code == 2
    assert (stream.verdict, stream.pool) == ("confirmed", "Contoso Shop")
    assert stream.attribution.idle == errors
    assert {name: symptom.state for name, symptom in stream.symptoms.items()} == {
        "after-recycle": "not-checkable",
        "periodic": "seen",
        "local-request": "not-checkable",
        "not-in-iis-log": "seen",
    }
    assert stream.reasons[1].startswith(
        f"{errors} of {errors} starts with errors came within 60 s after an idle stop, a recycle or a boot in the "
    )
    assert stream.symptoms["periodic"].text.startswith(
        f"{errors} starts of {errors} came within 60 s after an idle stop, each 21:0"
    )
    assert [source.time_zone for source in diagnosis.sources if source.kind == "text"] == ["UTC"]


def test_from_an_audit_with_evidence(tmp_path: Path) -> None:
    """No log at hand: event 1309 has the exception, and the local request with it."""
    code, diagnosis, stream, errors = diagnosed(case("audit", "evidence", unhandled=True), tmp_path)
    assert code == 2
    assert (stream.host, stream.pool, stream.verdict) == ("web01", "Contoso Shop", "confirmed")
    assert stream.attribution.idle == errors
    assert stream.symptoms["local-request"].state == "seen"
    assert (
        "pool Contoso Shop: AlwaysRunning, idleTimeout 00:20:00, an application with preloadEnabled" in stream.reasons
    )
    assert [source.kind for source in diagnosis.sources] == ["audit"]


def test_the_text_says_it_in_plain_words(tmp_path: Path) -> None:
    given = case("log", "events").write(tmp_path)
    code, report = run_diagnose(tmp_path, *options(given), "--time-zone", "UTC")
    text = report.decode()
    assert code == 2
    assert "0x80070032, pool Contoso Shop, /LM/W3SVC/1/ROOT/shop, on WEB01.lab.example: confirmed" in text
    assert "  fix: idle-timeout (processModel.idleTimeout 00:00:00) or on-demand (startMode OnDemand)\n" in text
    assert "\n  idle stops  " in text and "\n  errors      " in text
    assert "1 stream: 1 confirmed\n" in text
    assert "by their gaps alone" not in text
    _, alone = run_diagnose(tmp_path, *given.logs)
    assert "by their gaps alone" in alone.decode()


def test_nothing_of_ours_is_exit_0(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-09 04:00:00,000 [1] INFO Shop - all is well\n")
    assert run_diagnose(tmp_path, log)[0] == 0
