# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes down what a run of a plan or of a playbook of ours does, inside the ansible-playbook process: it goes on when
the parent dies.

One JSON object a line, on the disk before the next step. Before a batch of hosts begins, its planned changes are
written: should everything end right after a write on a server, the record says what may have been written there.
A playbook that takes pools by pattern has no changes planned: what is wanted of the server is written, and its answer.
A run that cannot be recorded does not begin, or stops.

An answer has ``sent``: whether anything went to that server, as the collection's action plugin marks it. It is left out
where nothing was there to mark it.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader

DOCUMENTATION = """
name: remediate_record
type: notification
short_description: Keeps the record of a run of a remediate plan, or of a playbook that remediate ships
description:
  - Loads by itself where it stands in C(callback_plugins/) beside the playbook.
  - Records a playbook with C(plan.json) beside it, and one with a play whose variable C(remediate_recorded) is true.
    Any other playbook it lets alone.
  - Writes C(record.jsonl) into the folder named by the environment variable E(REMEDIATE_RUN_DIR), or else into a new
    one. That is made under C(runs/) beside a plan's playbook, under C(remediate-runs/) in the current folder for any
    other. A run with C(--check) is recorded only where the variable is set.
author: the remediate authors
version_added: "0.1.0"
requirements: []
"""

_ACTION = "remediate.iis.app_pool_settings"
# What the user may have set of the pace on a server.
_PACE = ("pools_per_commit", "pause", "lock_seconds")
# Options of ansible-playbook that leave out tasks, and how they are written.
_SKIPPING = {"start_at_task": "--start-at-task", "step": "--step"}
# What a playbook without a plan wants of its hosts: the variables that say so.
_WANTED = ("remediate_pools", "remediate_attribute", "remediate_set", "remediate_run")


# Of what an answer may hold. One that holds more is kept as a text, which no reader takes for the module's.
_MOST_CHARACTERS = 100_000
_MOST_DETAIL = 4_000
_DEEPEST = 20
# Seconds from an interrupt to the next. Ansible's own clean-up takes less.
_AGAIN = 5


def _kept(value: Any, depth: int = _DEEPEST) -> Any:
    """What a server answered, so that every reader of JSON can read it: halves of UTF-16's pairs are spelled out."""
    if isinstance(value, str):
        return value[:_MOST_CHARACTERS].encode("utf-8", "backslashreplace").decode("utf-8")
    if not isinstance(value, (dict, list, tuple)):
        return value
    if depth == 0:
        return "left out: it is nested too deep"
    if isinstance(value, dict):
        return {_kept(str(key)): _kept(inner, depth - 1) for key, inner in value.items()}
    return [_kept(inner, depth - 1) for inner in value]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "remediate_record"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file: Any = None  # open as long as the run is recorded
        self._plan: Any = None  # what stands in plan.json
        self._play: Any = None
        self._playbook = Path()
        self._ours = False
        self._name = os.environ.get("REMEDIATE_RUN")
        self._marks: Path | None = None
        self._mark_of: Any = None  # the action plugin's
        self._interrupted = False

    def _write(self, event: str, **values: Any) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({"event": event, "at": _now(), **values}, default=str) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            # Not an exception: Ansible would only warn, and go on to write on servers without a record.
            sys.exit(f"remediate: the run's record cannot be written, so the run stops: {error.strerror}")

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._file = self._plan = None
        self._playbook = Path(playbook._file_name)
        planned = (self._playbook.parent / "plan.json").exists()
        self._ours = planned or any(play.vars.get("remediate_recorded") is True for play in playbook.get_plays())
        skipped = {"always", "tagged"}.intersection(map(str, context.CLIARGS.get("skip_tags") or ()))
        if self._ours and skipped:
            sys.exit(
                f"remediate: the tag '{min(skipped)}' is skipped (--skip-tags, ANSIBLE_SKIP_TAGS or ansible.cfg), and "
                "with it all that this playbook does: the run does not begin"
            )
        for option, what in _SKIPPING.items():
            if self._ours and context.CLIARGS.get(option):
                sys.exit(f"remediate: {what} could leave out the checks of this playbook: the run does not begin")
        # Our playbooks ask for this: without the plugin they write nowhere.
        os.environ["REMEDIATE_RECORDS"] = "1" if self._ours else "0"
        if self._ours:
            self._note_interrupts()
        if planned:
            self._begin(self._playbook.parent / "plan.json")

    def _note_interrupts(self) -> None:
        """Ansible raises KeyboardInterrupt, once. Python drops it where it cannot be raised (a hook of a fork), and the
        run would go on to the next host. Or it ends the run, and a worker that was killed while it handed over its
        result keeps the lock for which Ansible's clean-up then waits. So it is raised again, until the run has ended.
        """
        ansibles = signal.getsignal(signal.SIGINT)
        if not callable(ansibles):
            return
        # The worker of a host, forked a moment ago, must not take itself for the run.
        run = os.getpid()

        def note(number: int, frame: FrameType | None) -> None:
            if os.getpid() == run:
                if not self._interrupted:
                    # By its number: the stream may be in the middle of another text. It may be closed, too.
                    with suppress(OSError):
                        os.write(2, b"remediate: interrupted, so no further host is begun\n")
                signal.signal(signal.SIGALRM, again)
                signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
            self._interrupted = True
            ansibles(number, frame)

        def again(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, note)

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            sys.exit(1)

    def _begin(self, plan: Path | None = None) -> None:
        """Open the record, if this run is to have one. Where there is no plan, just before the first host."""
        check = bool(context.CLIARGS.get("check"))
        chosen = os.environ.get("REMEDIATE_RUN_DIR")
        if check and not chosen:
            return
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        runs = plan.parent / "runs" if plan else Path.cwd() / "remediate-runs"
        target = Path(chosen) if chosen else runs / stamp
        try:
            if plan:
                self._plan = json.loads(plan.read_text(encoding="utf-8"))
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Its owner's alone, whatever the folder's rights are.
            self._file = open(target / "record.jsonl", "x", encoding="utf-8", opener=_private)
            # Held as long as this process lives, and not by the workers that it leaves behind when it is killed:
            # `remediate show` tells by it that the run goes on.
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        except (OSError, ValueError) as error:
            where = "" if chosen else "; name another folder in REMEDIATE_RUN_DIR"
            why = (
                f"{error.filename or target}: {error.strerror}" if isinstance(error, OSError) else f"{plan}: is no plan"
            )
            sys.exit(f"remediate: the run cannot be recorded, so it does not begin: {why}{where}")
        # The backup on each server is named after the run.
        name = os.environ["REMEDIATE_RUN"] = self._name or stamp
        self._write(
            "begin",
            format="remediate.record",
            format_version=1,
            run=name,
            playbook=self._playbook.name,
            plan_digest=self._plan["digest"] if plan else "",
            check=check,
            hosts=sorted({change["host"] for change in self._plan["changes"]}) if plan else [],
        )
        if not chosen:
            self._display.display(f"remediate: the record of this run is {target / 'record.jsonl'}")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._stop_if_interrupted()
        # Sent by the main process before the task goes to any worker: what is written here is on the disk first.
        if task.action != _ACTION or not self._ours:
            return
        if self._file is None:
            self._begin()
        if self._file is None:
            return
        self._look_for_marks()
        try:
            known = self._play.get_variable_manager().get_vars(play=self._play)
            # How long a server may go on by itself follows from it.
            pace = {name: str(known[f"remediate_{name}"]) for name in _PACE if f"remediate_{name}" in known}
            wanted = {name.removeprefix("remediate_"): known[name] for name in _WANTED if name in known}
            for host in map(str, known["ansible_play_batch"]):
                if self._plan is None:
                    self._write("start", host=host, wanted=wanted, pace=pace)
                else:
                    changes = [c for c in self._plan["changes"] if c["host"] == host]
                    self._write("start", host=host, changes=changes, pace=pace)
        except Exception as error:  # noqa: BLE001  # of whatever kind: Ansible would only warn, and go on to write
            sys.exit(f"remediate: the hosts of this batch cannot be recorded, so the run stops: {error!r}")

    def _look_for_marks(self) -> None:
        """Before any worker is made: each inherits the variable, and the plugin that was found."""
        os.environ.pop("REMEDIATE_MARKS", None)
        self._marks = None
        plugin = action_loader.get(_ACTION, class_only=True)
        if not getattr(plugin, "LEAVES_MARKS", False):
            return
        try:
            marks = Path(self._file.name).parent / "marks"
            marks.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            return  # then it is not known whether anything was sent
        self._mark_of = sys.modules[plugin.__module__].mark_of
        self._marks = marks
        os.environ["REMEDIATE_MARKS"] = str(marks)

    def _sent(self, host: str) -> dict[str, bool]:
        return {} if self._marks is None else {"sent": (self._marks / self._mark_of(host)).exists()}

    def _answer(self, result: Any, status: str) -> None:
        if result.task.action != _ACTION:
            return
        try:
            values = result.result
        except RecursionError:
            # Ansible itself cannot go through it.
            values, status = {"changes": "left out: the answer is nested too deep"}, "failed"
        if status == "failed" and values.get("stale"):
            status = "stale"
        if status == "ok" and values.get("changed"):
            status = "changed"
        changes = _kept(values.get("changes") or [])
        detail = values.get("msg") if status in ("failed", "stale", "unreachable") else None
        host = str(result.host.get_name())
        self._write(
            "host",
            host=host,
            status=status,
            detail=None if detail is None else _kept(str(detail)[:_MOST_DETAIL]),
            machine=_kept(values.get("machine")),
            backup=_kept(values.get("backup")),
            changes=changes,
            **self._sent(host),
            # For the playbook rollback.yml. A server's answer may have any shape.
            undo=[
                change["undo"]
                for change in (changes if isinstance(changes, list) else [])
                if isinstance(change, dict) and change.get("written") is True and isinstance(change.get("undo"), dict)
            ],
        )

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        # Before the task goes to this host's worker.
        self._stop_if_interrupted()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._answer(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._answer(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._answer(result, "unreachable")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write("end")
        if self._marks is not None:
            shutil.rmtree(self._marks, ignore_errors=True)
