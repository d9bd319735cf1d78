"""The run's record, as the callback plugin wrote it -> Run. It may end anywhere: its writer can be killed."""

import json
from pathlib import Path
from typing import Any

import msgspec

from remediate.model import Change, HostResult, RemediateError, Run, RunChange, RunStatus

RECORD = "record.jsonl"


def read_events(path: Path) -> list[dict[str, Any]]:
    """The complete lines of a record; a last line without its end was never finished, and does not count."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RemediateError(f"{path}: {error.strerror}; give the folder of a run, PLAN/runs/...") from error
    lines = data.decode("utf-8", errors="replace").split("\n")[:-1]
    try:
        events = [json.loads(line) for line in lines]
    except ValueError as error:
        raise RemediateError(f"{path}: is not the record of a run: {error}") from error
    if not all(isinstance(event, dict) for event in events):
        raise RemediateError(f"{path}: is not the record of a run")
    return events


def read_run(path: Path) -> Run:
    """The run of a run's folder or record."""
    record = path / RECORD if path.is_dir() else path
    events = read_events(record)
    if not events or events[0].get("format") != "remediate.record":
        raise RemediateError(f"{record}: is not the record of a run")
    if events[0].get("format_version") != 1:
        raise RemediateError(f"{record}: was written by another version of remediate; use that one")
    try:
        return fold_events(events)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise RemediateError(f"{record}: is damaged: {error}") from error


def fold_events(events: list[dict[str, Any]]) -> Run:
    """begin, start and answer of each host, end -> Run. A host that was begun and never answered is ``unknown``."""
    begin = events[0]
    hosts = {
        name: HostResult(host=name, status="not-reached", detail="not begun in this run") for name in begin["hosts"]
    }
    finished = None
    for event in events[1:]:
        name = str(event.get("host"))
        if event["event"] == "start":
            planned = [msgspec.convert(c, Change) for c in event["changes"]]
            hosts[name] = HostResult(
                host=name, status="unknown", changes=tuple(_unanswered(c) for c in planned),
                detail="begun, and no answer is recorded: apply the plan again to learn and complete it",
            )  # fmt: skip
        elif event["event"] == "host":
            hosts[name] = _answered(hosts[name], event, begin["check"])
        elif event["event"] == "end":
            finished = event["at"]
    return Run(
        run=begin["run"], plan_digest=begin["plan_digest"], check=begin["check"], started_at=begin["at"],
        finished_at=finished, hosts=tuple(hosts[name] for name in sorted(hosts)),
    )  # fmt: skip


def _unanswered(change: Change, **known: Any) -> RunChange:
    values = {name: getattr(change, name) for name in change.__struct_fields__}
    return RunChange(**(values | {"written": None} | known))


def _answered(started: HostResult, event: dict[str, Any], check: bool) -> HostResult:
    answers = {(a["pool"], a["attribute"]): a for a in event["changes"]}
    changes = []
    for change in started.changes:
        answer = answers.get((change.pool, change.attribute))
        if answer is None:
            # Stale and not even looked at (another machine): nothing was written. Else nobody knows.
            written = False if event["status"] == "stale" or check else None
            changes.append(_unanswered(change, written=written))
        else:
            keys = ("found", "found_source", "written", "verified")
            changes.append(_unanswered(change, **{key: answer[key] for key in keys}))
    status: RunStatus = event["status"] if event["status"] != "ok" else "unchanged"
    if check and status == "changed":
        status = "pending"
    return HostResult(
        host=started.host, status=status, detail=event["detail"], backup=event["backup"], changes=tuple(changes)
    )
