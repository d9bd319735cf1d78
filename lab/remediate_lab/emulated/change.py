"""What the module app_pool_settings does, made in Python: compare-and-set by the same rules and in the same words.

Commits that meet a conflict, a busy file, an old backup or a missing access right are left to the engine `pwsh`.
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.iis.names import iis_key
from remediate.iis.schema import ConfigError
from remediate_lab.emulated.arguments import checked
from remediate_lab.emulated.compare import Result, compare, diff, expand, read
from remediate_lab.emulated.iis import CONFIG, Iis, failure, installed
from remediate_lab.emulated.inspection import machine_name
from remediate_lab.emulated.lock import Lock, Run, entered
from remediate_lab.knobs import read_knobs


class Killed(Exception):
    """The fault ``after_commit=exit``: the process ended between the write and its proof."""


@dataclass
class _Stop(Exception):
    message: str
    stale: bool = False


async def app_pool_settings(windows: Path, arguments: dict[str, Any]) -> Result:
    """The module's result, with ``failed`` and ``msg`` where it failed."""
    outcome: Result = {"changed": False}
    try:
        arguments = checked(arguments)
    except ValueError as error:
        return outcome | {"failed": True, "msg": str(error), "stale": False}
    outcome |= {"machine": machine_name(windows), "stale": False, "changes": [], "backup": None}
    try:
        await _change(windows, arguments, outcome)
    except _Stop as stop:
        outcome |= {"failed": True, "msg": stop.message, "stale": stop.stale}
    except (ConfigError, ValueError, OSError) as error:
        outcome |= {
            "failed": True,
            "msg": f"the changes could not be compared with the configuration: {failure(windows, error)}",
        }
    return outcome


async def _change(windows: Path, arguments: dict[str, Any], outcome: Result) -> None:
    wanted = arguments.get("machine")
    if wanted and iis_key(wanted) != iis_key(outcome["machine"]):
        names = f"the plan was made for {wanted}, this is {outcome['machine']}"
        raise _Stop(f"another machine answers here: {names}. Nothing was written.", True)
    pattern = bool(arguments.get("pools"))
    if pattern and not installed(read_knobs(windows)):
        outcome["warnings"] = ["pools: there is no IIS on this server"]
        return
    iis = Iis(windows)
    if pattern and iis.shared and not arguments.get("allow_shared"):
        why = (
            f"shared configuration ({iis.shared}): one edit changes every server of it, and allow_shared was not given"
        )
        if arguments.get("on_mismatch") != "skip":
            raise _Stop(f"{why}. Nothing was written.", True)
        outcome["warnings"] = [why]
    elif arguments.get("_ansible_check_mode"):
        if _pending(windows, arguments, outcome, None)[1]:
            outcome["changed"] = True
    else:
        run = Run(
            arguments.get("run") or "unnamed", arguments.get("undoes") or "", outcome["machine"],
            float(arguments.get("lock_seconds", 60)),
        )  # fmt: skip
        async with entered(windows, iis.path.parent, run) as lock:
            changes, pending = _pending(windows, arguments, outcome, lock)
            if pending and arguments.get("backup"):
                _backup(Iis(windows), arguments["backup"])
                outcome["backup"] = arguments["backup"]
            await _write(windows, arguments, changes, pending, outcome, lock)


def _pending(
    windows: Path, arguments: dict[str, Any], outcome: Result, lock: Lock | None
) -> tuple[list[Result], list[int]]:
    """Compare every change: the changes, and the places of those to be written; _Stop where one is stale."""
    changes, pattern = arguments["changes"], bool(arguments.get("pools"))
    iis = Iis(windows)
    if pattern:
        changes, warnings = expand(iis, arguments)
        outcome |= {"warnings": warnings} if warnings else {}
    results = outcome["changes"] = [compare(iis, change, changes) for change in changes]
    if lock is not None and lock.refused:
        raise _Stop(lock.refused, lock.late)
    if arguments.get("_ansible_diff"):
        outcome["diff"] = {"prepared": diff(results)} if diff(results) else {}
    stale = [r for r in results if r["state"] == "stale"]
    if pattern and arguments.get("on_mismatch") == "skip":
        for result in stale:
            result["state"] = "skipped"
    elif stale:
        first = f"{stale[0]['pool']}: {stale[0]['detail']} ({len(stale)} of {len(results)} changes)"
        raise _Stop(f"{'not as given' if pattern else 'changed since the plan'}: {first}. Nothing was written.", True)
    pending = [i for i, r in enumerate(results) if r["state"] == "pending"]
    # applicationPoolDefaults first: what the pools inherit afterwards is then there when they are written.
    return changes, sorted(pending, key=lambda i: results[i]["scope"] != "defaults")


async def _write(
    windows: Path, arguments: dict[str, Any], changes: list[Result], pending: list[int], outcome: Result, lock: Lock
) -> None:
    """So many pools in each commit, with a pause between two commits."""
    results = outcome["changes"]
    pools = list(dict.fromkeys((results[i]["scope"], results[i]["pool"]) for i in pending))
    size = int(arguments.get("pools_per_commit") or 10)
    for start in range(0, len(pools), size):
        ended_by = await lock.turn(float(arguments.get("pause", 5)) if start else 0)
        if ended_by:
            left = sum(not results[i]["written"] for i in pending)
            why = f"{left} of {len(pending)} changes were not written"
            raise _Stop(f"ended before the next commit, as the run {ended_by} asked: {why}.")
        group = [i for i in pending if (results[i]["scope"], results[i]["pool"]) in pools[start : start + size]]
        await _commit(windows, changes, group, outcome)


async def _commit(windows: Path, changes: list[Result], group: list[int], outcome: Result) -> None:
    """Compare the changes at these places again, write them, and read them back."""
    results, iis = outcome["changes"], Iis(windows)
    for i in group:
        fresh = compare(iis, changes[i], changes)
        results[i] |= {key: fresh[key] for key in ("state", "found", "found_source", "wanted", "detail")}
    stale = [results[i] for i in group if results[i]["state"] == "stale"]
    if stale:
        first = f"{stale[0]['pool']}: {stale[0]['detail']}"
        raise _Stop(f"changed while this ran: {first}.", stale=not outcome["changed"])
    todo = [i for i in group if results[i]["state"] == "pending"]
    for i in todo:
        name = None if changes[i]["scope"] == "defaults" else changes[i]["pool"]
        iis.set(name, changes[i]["attribute"], None if changes[i]["clear"] else results[i]["wanted"])
    if todo:
        try:
            iis.commit()
        except OSError as error:
            raise _Stop(f"the configuration could not be written: {failure(windows, error)}") from error
        await _after_commit(windows)
        outcome["changed"] = True
    for i in todo:
        results[i]["written"] = True
    look = Iis(windows)
    for i in group:
        found = read(look, changes[i], results[i]["attribute"])
        results[i]["verified"] = found is not None and found.value == results[i]["wanted"]


async def _after_commit(windows: Path) -> None:
    """Play the fault between a write and its proof: the process hangs, or is gone."""
    fault = read_knobs(windows).get("after_commit")
    while fault == "hang":
        await asyncio.sleep(0.05)
        fault = read_knobs(windows).get("after_commit")
    if fault == "exit":
        raise Killed


def _backup(iis: Iis, name: str) -> None:
    folder = iis.windows / "System32/inetsrv/backup" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (iis.path, iis.windows / CONFIG / "redirection.config"):
        if file.exists():
            shutil.copyfile(file, folder / file.name)
