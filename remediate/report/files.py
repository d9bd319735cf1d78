"""Saved values, read back: an audit, a plan directory, a run, a diagnosis."""

from pathlib import Path

from remediate.errors import RemediateError
from remediate.playbook.directory import read_plan
from remediate.playbook.record import RECORD, is_run, read_run
from remediate.saved import load_any
from remediate.values.diagnoses import Diagnosis
from remediate.values.findings import Audit
from remediate.values.plans import Plan
from remediate.values.runs import Run


def read_any(path: Path) -> Audit | Diagnosis | Plan | Run:
    """Whatever was saved at that path, told by what stands in it."""
    if path.name == RECORD or (path / RECORD).exists() or is_run(path):
        return read_run(path)
    if path.is_dir() and not (path / "plan.json").exists() and any(path.glob(f"*/{RECORD}")):
        return read_run(path)  # a folder of runs: refused with their names
    if path.is_dir():
        return read_plan(path)
    value = load_any(path)
    return _checked(value, path) if isinstance(value, Diagnosis) else value


def _checked(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """Refuse times that cannot be drawn on one axis: the file was edited."""
    for stream in diagnosis.streams:
        times = [mark.time for mark in stream.marks]
        zoned = {time.tzinfo is not None for time in times}
        sane = all(1990 <= time.year <= 2200 for time in (*times, stream.first, stream.last) if time is not None)
        period = stream.period_seconds or 0
        if len(zoned) > 1 or not sane or times != sorted(times) or not 0 <= period < 1e9:
            raise RemediateError(f"{path}: the times of {stream.code} make no sense; was the file edited?")
    return diagnosis
