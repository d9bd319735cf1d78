"""Saved values, read back: an audit, a plan directory, a run."""

from pathlib import Path

import msgspec

from remediate.model import Audit, Plan, RemediateError, Run
from remediate.playbook.directory import read_plan
from remediate.playbook.record import RECORD, read_run


class _Head(msgspec.Struct):
    format: str = ""
    format_version: int = 0
    tool_version: str = ""


def read_audit(path: Path) -> Audit:
    """A file that `audit --save` or `--format json` wrote."""
    try:
        data = path.read_bytes()
        head = msgspec.json.decode(data, type=_Head)
        if head.format != "remediate.audit":
            raise RemediateError(f"{path}: is a {head.format or 'file of another kind'}, not an audit")
        if head.format_version > 1:
            raise RemediateError(f"{path}: was written by a newer remediate ({head.tool_version}); use that one")
        return msgspec.json.decode(data, type=Audit)
    except OSError as error:
        raise RemediateError(f"{path}: {error.strerror}; give a file that `remediate audit --save` wrote") from error
    except msgspec.DecodeError as error:
        raise RemediateError(f"{path}: is not an audit: {error}") from error


def read_any(path: Path) -> Audit | Plan | Run:
    """Whatever was saved at that path, told by what stands in it."""
    if path.name == RECORD or (path / RECORD).exists():
        return read_run(path)
    if path.is_dir() or path.name == "plan.json":
        return read_plan(path)
    try:
        return read_audit(path)
    except RemediateError as error:
        if "remediate.plan" in str(error):
            return read_plan(path)
        raise
