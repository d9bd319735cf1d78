"""The run's record, as the callback plugin wrote it -> Run. It may end anywhere: its writer can be killed."""

import fcntl
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from remediate.bounded import SAVED, Unreadable, open_file
from remediate.errors import RemediateError
from remediate.json_words import what_is_wrong
from remediate.playbook.claims import contradiction
from remediate.playbook.pace import goes_on
from remediate.playbook.proof_file import read_proof
from remediate.playbook.run_log import LOG, is_open, last_words
from remediate.values.fleet import Source
from remediate.values.plans import Change, Writable
from remediate.values.runs import HostResult, Run, RunChange, RunStatus

RECORD = "record.jsonl"
# So many runs are named where a folder holds more than one; the latest.
_NAMED = 5
_NO_PLAN = "what was written there is not known; the server's backup has the configuration from before"


class Growing:
    """The events of a record that may still grow; each is read once, however often one looks."""

    def __init__(self, path: Path) -> None:
        self.path, self._seen = path, 0

    def new(self) -> list[dict[str, Any]]:
        """Those that were added since; a last line without its end is not finished, and does not count yet."""
        try:
            with open_file(self.path, SAVED) as file:
                file.seek(self._seen)
                data = file.read()
        except OSError as error:
            raise RemediateError(f"{self.path}: {error.strerror}; give the folder of a run, PLAN/runs/...") from error
        except Unreadable as error:
            raise RemediateError(f"{self.path}: {error}; give the folder of a run, PLAN/runs/...") from error
        whole = data[: data.rfind(b"\n") + 1]
        self._seen += len(whole)
        try:
            events = [json.loads(line) for line in whole.decode("utf-8", errors="replace").split("\n")[:-1]]
        except (ValueError, RecursionError) as error:
            shape = isinstance(error, json.JSONDecodeError)
            bad = "is not valid JSON" if shape else "has a number that is too long, or is nested too deep"
            raise RemediateError(f"{self.path}: is not the record of a run: a line of it {bad}") from error
        if not all(isinstance(event, dict) for event in events):
            raise RemediateError(f"{self.path}: is not the record of a run")
        return events


def read_run(path: Path) -> Run:
    """The run of a run's folder or record."""
    record = path / RECORD if path.is_dir() else path
    if path.is_dir() and not record.exists() and not is_run(path):
        raise RemediateError(f"{path}: is not the folder of a run{_runs_below(path)}")
    events = Growing(record).new() if record.exists() or not path.is_dir() else []
    if not events and (record.name == RECORD and (not record.exists() or not record.read_bytes())):
        raise RemediateError(_not_begun(record.parent))
    if not events or events[0].get("format") != "remediate.record":
        raise RemediateError(f"{record}: is not the record of a run")
    if events[0].get("format_version") != 1:
        raise RemediateError(f"{record}: was written by another version of remediate; use that one")
    try:
        known = Known(events[0])
        for event in events[1:]:
            known.add(event)
        return msgspec.structs.replace(known.run(), running=_is_held(record), proof=read_proof(record.parent))
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise RemediateError(f"{record}: is damaged: a line of it is not an event of a run") from error


def is_run(folder: Path) -> bool:
    """Whether the folder was made for a run, whatever came of it."""
    made = (folder / LOG).exists() or folder.absolute().parent.name == "runs"
    return folder.is_dir() and made and not (folder / "plan.json").exists()


def _not_begun(folder: Path) -> str:
    """Without a record nothing is written on a server; unless it was there, and is gone."""
    if is_open(folder) or ((folder / RECORD).exists() and _is_held(folder / RECORD)):
        what = "this run has begun nothing yet, and may still begin"
        return f"{folder}: {what}: try again later, or stop its ansible-playbook"
    # A mark is made before the first of a change goes to its host, and after the record's first line.
    if begun := sum(1 for _ in (folder / "marks").glob("*")):
        what = f"its record is empty or gone, and {begun} of its hosts were begun"
        return f"{folder}: {what}: what was written there is not known; audit these servers"
    said = f": {last_words(folder / LOG)}" if (folder / LOG).exists() else ""
    return f"{folder}: nothing was begun in this run, and nothing was written{said}"


def _runs_below(folder: Path) -> str:
    """What to give instead: the latest runs in the folder of a plan, or in its runs/."""
    runs = sorted(path.parent for path in (*folder.glob(f"runs/*/{RECORD}"), *folder.glob(f"*/{RECORD}")))
    if not runs:
        return "; give PLAN/runs/RUN"
    named = ", ".join(map(str, runs[-_NAMED:]))
    return f"; give {named}" if len(runs) == 1 else f"; give one of the {len(runs)} runs there: {named}"


def _is_held(record: Path) -> bool:
    """Whether its writer still lives: it holds a lock on the file."""
    with record.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


class Known:
    """What is known of a run by the events so far: begin, then start and answer of each host, end.

    A host that was begun and never answered is ``unknown``.
    """

    def __init__(self, begin: dict[str, Any]) -> None:
        self._begin = begin
        self._finished: str | None = None
        self._paces: dict[str, Any] = {}
        self._hosts = {
            name: HostResult(host=name, status="not-reached", detail="not begun in this run")
            for name in begin["hosts"]
        }  # fmt: skip

    def add(self, event: dict[str, Any]) -> HostResult | None:
        """The host's result, where the event is its answer."""
        name = str(event.get("host"))
        if event["event"] == "start":
            self._hosts[name] = _started(name, event)
            self._paces[name] = event.get("pace")
        elif event["event"] == "host":
            # A playbook that we ship plans nothing: what it did is known from the answers alone.
            playbook = None if self._begin["plan_digest"] else str(self._begin.get("playbook", "a playbook"))
            answered = _answered(self._hosts[name], event, self._begin["check"], playbook)
            if answered.sent is not False and any(change.written is None for change in answered.changes):
                # Cut off: nobody listens to that server, and it goes on.
                more = f"{answered.detail or 'no answer'}; {goes_on(answered.changes, self._paces.get(name))}"
                answered = msgspec.structs.replace(answered, detail=more)
            self._hosts[name] = answered
            return answered
        elif event["event"] == "end":
            self._finished = event["at"]
        return None

    def run(self) -> Run:
        begin = self._begin
        return Run(
            run=begin["run"], plan_digest=begin["plan_digest"], check=begin["check"], started_at=begin["at"],
            finished_at=self._finished, hosts=tuple(self._hosts[name] for name in sorted(self._hosts)),
        )  # fmt: skip


def _started(name: str, event: dict[str, Any]) -> HostResult:
    planned = [msgspec.convert(c, Change) for c in event.get("changes", ())]
    learn = "apply the plan again to learn and complete it" if "changes" in event else _NO_PLAN
    return HostResult(
        host=name, status="unknown", changes=tuple(_unanswered(c) for c in planned),
        detail=f"begun, and no answer is recorded: {goes_on(planned, event.get('pace'))}; {learn}",
    )  # fmt: skip


def _unanswered(change: Change, **known: Any) -> RunChange:
    values = {name: getattr(change, name) for name in change.__struct_fields__}
    return RunChange(**(values | {"written": None} | known))


# A text in an answer; one that is longer is not the module's. The lookup plugin remediate_run has the same bound.
_Text = Annotated[str, msgspec.Meta(max_length=32_767)]
# Of a failure's words so much is shown.
_MOST_DETAIL = 4_000


class _Change(msgspec.Struct, kw_only=True):
    """What the module says of one change. It comes from the server: the shape is checked."""

    scope: Literal["pool", "defaults"] = "pool"
    pool: _Text
    attribute: Writable
    state: _Text = ""
    set: _Text | None = None
    expect: _Text | None = None
    wanted: _Text | None = None
    found: _Text | None = None
    found_source: Source | None = None
    written: bool = False
    verified: bool = False


class _Answer(msgspec.Struct):
    status: Literal["ok", "changed", "stale", "failed", "unreachable"]
    detail: _Text | None = None
    machine: _Text | None = None
    backup: _Text | None = None
    changes: tuple[_Change, ...] = ()
    # False: nothing went to the server, as its module's action plugin marks it. None: nobody looked.
    sent: bool | None = None


def _key(change: Change | _Change) -> tuple[str, ...]:
    """What tells a change from the others of its host. A pool may be called applicationPoolDefaults."""
    return (change.scope, *(() if change.scope == "defaults" else (change.pool,)), change.attribute)


def _answered(started: HostResult, event: dict[str, Any], check: bool, playbook: str | None) -> HostResult:
    try:
        # A text that UTF-8 cannot hold would be the end of everybody's rollback.
        json.dumps(event, ensure_ascii=False).encode()
        answer = msgspec.convert(event, _Answer)
    except (msgspec.ValidationError, UnicodeEncodeError, RecursionError) as error:
        # That server's trouble alone: the record of the others stays good.
        odd = f"its answer is not the module's ({what_is_wrong(error)}): it is not known what was written"
        return msgspec.structs.replace(started, status="failed", detail=odd)
    changes = _planned(started, answer, check) if playbook is None else _unplanned(started.host, answer, playbook)
    status: RunStatus = "unchanged" if answer.status == "ok" else answer.status
    detail = None if answer.detail is None else answer.detail[:_MOST_DETAIL]
    claims = [(_key(change), change) for change in answer.changes if playbook is None or change.state != "skipped"]
    planned = None if playbook is not None else {_key(change): change.set for change in started.changes}
    wrong = contradiction(answer.status, claims, planned, check, answer.backup)
    if wrong is not None:
        status, detail = "failed", wrong if detail is None else f"{wrong}; it reported: {detail}"
    if check and status == "changed":
        status = "pending"
    return HostResult(
        host=started.host, status=status, detail=detail, backup=answer.backup, changes=tuple(changes), sent=answer.sent
    )


def _planned(started: HostResult, answer: _Answer, check: bool) -> list[RunChange]:
    """Each planned change, with what the answer says of it."""
    # Where one stands twice, the one that says that it was written: it may have to be undone.
    told = {_key(change): change for change in sorted(answer.changes, key=lambda change: change.written)}
    changes = []
    for change in started.changes:
        one = told.get(_key(change))
        if one is None:
            # Stale and not even looked at (another machine), or nothing sent: nothing was written. Else nobody knows.
            nothing = answer.status == "stale" or check or answer.sent is False
            changes.append(_unanswered(change, written=False if nothing else None))
        else:
            known = {key: getattr(one, key) for key in ("found", "found_source", "written", "verified")}
            changes.append(_unanswered(change, **known))
    return changes


def _unplanned(host: str, answer: _Answer, playbook: str) -> list[RunChange]:
    """What the answer says was found, as what was expected. A pool that was left out is no change."""
    return [
        RunChange(
            host=host, machine=answer.machine or "", scope=one.scope, pool=one.pool, attribute=one.attribute,
            expect=one.found or one.expect or "", expect_source=one.found_source or "unknown", set=one.set,
            inherits=one.wanted if one.set is None else None, recycle="unknown",
            reason=f"by the playbook {playbook}", found=one.found, found_source=one.found_source,
            written=one.written, verified=one.verified,
        )
        for one in answer.changes
        if one.state != "skipped"
    ]  # fmt: skip
