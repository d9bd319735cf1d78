"""Saved values, read back: an audit, a plan directory, a run, a diagnosis."""

from pathlib import Path

from remediate.model import Audit, Diagnosis, Plan, Run
from remediate.playbook.directory import read_plan
from remediate.playbook.record import RECORD, read_run
from remediate.saved import format_of, load


def read_any(path: Path) -> Audit | Diagnosis | Plan | Run:
    """Whatever was saved at that path, told by what stands in it."""
    if path.name == RECORD or (path / RECORD).exists():
        return read_run(path)
    if path.is_dir() or format_of(path) == "remediate.plan":
        return read_plan(path)
    if format_of(path) == "remediate.diagnosis":
        return load(path, Diagnosis)
    return load(path, Audit)
