# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of a run -> what undoes it, for rollback.yml.

The same rules as `remediate rollback`: what was written is undone, and so is what may have been written. Where nobody
knows what was there before, that is said. tests/unit/test_undo.py holds both to the same changes.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.remediate.iis.plugins.plugin_utils.inverse import inverse

DOCUMENTATION = """
name: remediate_run
short_description: Reads from the record of a run what undoes it
description:
  - Loads by itself where it stands in C(lookup_plugins/) beside the playbook.
  - Refuses a file that is not the record of a run, a dry run, and a run that still goes on. A run that was killed is
    taken as far as its record goes.
author: the remediate authors
version_added: "0.2.0"
options:
  _terms:
    description: The run's C(record.jsonl).
    required: true
"""

RETURN = """
_raw:
  description:
    - C(run) is the run's name, C(finished) whether its record has an end.
    - C(hosts) has, by host, the C(machine), the C(changes) for remediate.iis.app_pool_settings, and C(unsure), which is
      true where it is not known of one of them whether the run wrote it.
    - C(not_known) are hosts that were begun, and of which nobody knows what would undo it.
  type: list
  elements: dict
"""

_ATTRIBUTES = ("startMode", "processModel.idleTimeout")
_SOURCES = ("pool", "application", "site", "defaults", "schema", "unknown", None)
# Of a text in an answer, as in remediate/playbook/record.py.
_LONGEST = 32_767
_STATUS = ("ok", "changed", "stale", "failed", "unreachable")


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        return [_undo(Path(term)) for term in terms]


def _undo(record: Path) -> dict[str, Any]:
    events = _events(record)
    begin, started, answers = events[0], {}, {}
    for event in events[1:]:
        if event.get("event") == "start":
            started[event["host"]] = event
        elif event.get("event") == "host":
            answers[event["host"]] = event
    hosts, not_known = {}, []
    for host in sorted(started):
        answer = answers.get(host)
        told = answer if answer is not None and _is_answer(answer) else None
        changes = _planned(started[host], told) if begin.get("plan_digest") else _unplanned(told)
        if changes:
            hosts[host] = {
                "machine": started[host]["changes"][0]["machine"]
                if begin.get("plan_digest")
                else (told or {}).get("machine"),
                "changes": [_inverse(record, change) for change in changes],
                "unsure": any(change["written"] is None for change in changes),
            }
        elif changes is None:
            not_known.append(host)
    finished = events[-1].get("event") == "end"
    return {"run": begin.get("run", ""), "finished": finished, "hosts": hosts, "not_known": not_known}


def _events(record: Path) -> list[dict[str, Any]]:
    try:
        with record.open("rb") as file:
            # The callback plugin that writes it holds a lock as long as its process lives.
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # A last line without its end was never finished.
            lines = file.read().decode("utf-8", errors="replace").split("\n")[:-1]
    except BlockingIOError as error:
        raise AnsibleError(
            f"{record}: the run still goes on, and goes on to write: wait for its end, or end it"
        ) from error
    except OSError as error:
        raise AnsibleError(f"{record}: {error.strerror}") from error
    try:
        events = [json.loads(line) for line in lines]
        begin = events[0]
        if (begin["format"], begin["format_version"]) != ("remediate.record", 1):
            raise ValueError("another format")
        if not all(isinstance(event, dict) for event in events):
            raise ValueError("a line that is no object")
        check = begin["check"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise AnsibleError(f"{record} is not the record of a run") from error
    if check:
        raise AnsibleError(f"{record} is the record of a dry run: there is nothing to undo")
    return events


def _is_answer(event: dict[str, Any]) -> bool:
    """Whether it has the shape of the module's answer. It comes from a server: else nothing in it counts."""
    texts = ("detail", "machine", "backup")
    changes = event.get("changes", [])
    return (
        event.get("status") in _STATUS
        and event.get("sent") in (True, False, None)
        and all(_is_short(event.get(key)) for key in texts)
        and isinstance(changes, list)
        and all(isinstance(change, dict) and _is_told(change) for change in changes)
        and _is_text(event)
    )


def _is_short(text: Any) -> bool:
    return text is None or (isinstance(text, str) and len(text) <= _LONGEST)


def _is_text(event: dict[str, Any]) -> bool:
    """Whether UTF-8 can hold all of it: not half of a pair of UTF-16."""
    try:
        json.dumps(event, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _is_told(change: dict[str, Any]) -> bool:
    texts = ("set", "expect", "wanted", "found")
    return (
        change.get("scope", "pool") in ("pool", "defaults")
        and isinstance(change.get("pool"), str)
        and _is_short(change["pool"])
        and change.get("attribute") in _ATTRIBUTES
        and isinstance(change.get("state", ""), str)
        and _is_short(change.get("state"))
        and all(_is_short(change.get(key)) for key in texts)
        and change.get("found_source") in _SOURCES
        and isinstance(change.get("written", False), bool)
        and isinstance(change.get("verified", False), bool)
    )


def _key(change: dict[str, Any]) -> tuple[str | None, ...]:
    """What tells a change from the others of its host. A pool may be called applicationPoolDefaults."""
    scope = change.get("scope", "pool")
    return scope, None if scope == "defaults" else change["pool"], change["attribute"]


def _planned(start: dict[str, Any], answer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The planned changes that were written, or nobody knows, with what was found."""
    # Where one stands twice, the one that says that it was written.
    answered = sorted((answer or {}).get("changes", []), key=lambda change: change.get("written", False))
    told = {_key(change): change for change in answered}
    changes = []
    for change in start.get("changes", []):
        one = told.get(_key(change))
        if one is not None:
            known = {"found": one.get("found"), "found_source": one.get("found_source")}
            changes.append(change | known | {"written": one.get("written", False)})
        else:
            # Stale and not even looked at (another machine), or nothing sent: nothing was written. Else nobody knows.
            nothing = answer is not None and (answer["status"] == "stale" or answer.get("sent") is False)
            changes.append(change | {"written": False if nothing else None})
    return [change for change in changes if change["written"] is not False]


def _unplanned(answer: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    """What an answer says was written, of a run without a plan; None where no answer says what became of the host."""
    changes = [change for change in (answer or {}).get("changes", []) if change.get("state") != "skipped"]
    sent = answer is None or answer.get("sent") is not False
    # One that says "changed" and lists no change does not fit itself: see remediate/playbook/claims.py.
    if not changes and sent and (answer is None or answer["status"] in ("failed", "unreachable", "changed")):
        return None
    return [
        change
        | {
            "expect": change.get("found") or change.get("expect") or "",
            "expect_source": change.get("found_source") or "unknown",
            "inherits": change.get("wanted") if change.get("set") is None else None,
        }
        for change in changes
        if change.get("written")
    ]


def _inverse(record: Path, change: dict[str, Any]) -> dict[str, Any]:
    try:
        back: dict[str, Any] = inverse(change)
    except ValueError as error:
        raise AnsibleError(f"{record}: {error}") from error
    return back
