"""The command: an exit code, and what it wrote."""

from pathlib import Path

from remediate.saved import load
from remediate.values.diagnoses import Diagnosis
from tests.conftest import remediate
from tests.diagnosis.simulated import Given


def run_diagnose(folder: Path, *arguments: object) -> tuple[int, bytes]:
    """The exit code, and the report."""
    out = folder / "report"
    done = remediate("diagnose", *map(str, arguments), "--out", out)
    assert done.returncode in (0, 2, 3), done.stderr
    return done.returncode, out.read_bytes()


def diagnosis_of(folder: Path, *arguments: object) -> tuple[int, Diagnosis]:
    """The same, read back from JSON."""
    code, _ = run_diagnose(folder, *arguments, "--format", "json")
    return code, load(folder / "report", Diagnosis)


def options(given: Given) -> list[object]:
    """What is given, as arguments."""
    found: list[object] = [*given.logs]
    for name, files in (("--iis-log", given.iis_logs), ("--events", given.events)):
        for file in files:
            found += [name, file]
    return [*found, "--audit", given.audit] if given.audit is not None else found
