"""What the module app_pool_settings does, made in Python: compare-and-set by the same rules and in the same words."""

import asyncio
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.iis.schema import ConfigError
from remediate.lab.emulated.iis import CONFIG, Conflict, Iis
from remediate.lab.emulated.inspection import machine_name

_ATTEMPTS = 5
_OURS = re.compile(r"remediate-\d{8}T\d{6}Z(-[0-9a-f]{6})?")
Result = dict[str, Any]


class Killed(Exception):
    """The fault ``after_commit=exit``: the process ended between the write and its proof."""


@dataclass
class _Stop(Exception):
    message: str
    stale: bool = False


async def app_pool_settings(windows: Path, arguments: dict[str, Any]) -> Result:
    """The module's result, with ``failed`` and ``msg`` where it failed."""
    outcome: Result = {
        "machine": machine_name(windows),
        "changed": False,
        "stale": False,
        "changes": [],
        "backup": None,
    }
    try:
        await _change(windows, arguments, outcome)
    except _Stop as stop:
        outcome |= {"failed": True, "msg": stop.message, "stale": stop.stale}
    except (ConfigError, ValueError, OSError) as error:
        outcome |= {"failed": True, "msg": f"the changes could not be compared with the configuration: {error}"}
    return outcome


async def _change(windows: Path, arguments: dict[str, Any], outcome: Result) -> None:
    wanted = arguments.get("machine")
    if wanted and wanted.lower() != outcome["machine"].lower():
        names = f"the plan was made for {wanted}, this is {outcome['machine']}"
        raise _Stop(f"another machine answers here: {names}. Nothing was written.", True)
    changes = [{"given": {}, "clear": False, "set": None, "inherits": None} | c for c in arguments["changes"]]
    for change in changes:
        if bool(change["clear"]) == (change["set"] is not None):
            which = f"{change['attribute']} of {change['pool']}"
            raise _Stop(f"changes: give either 'set' or 'clear: true' for {which}")
    iis = Iis(windows)
    results = outcome["changes"] = [_compare(iis, change) for change in changes]
    if arguments.get("_ansible_diff"):
        outcome["diff"] = {"prepared": _diff(results)} if _diff(results) else {}
    stale = [r for r in results if r["state"] == "stale"]
    if stale:
        first = f"{stale[0]['pool']}: {stale[0]['detail']} ({len(stale)} of {len(results)} changes)"
        raise _Stop(f"changed since the plan: {first}. Nothing was written.", True)
    pending = [i for i, r in enumerate(results) if r["state"] == "pending"]
    if not pending:
        return
    if arguments.get("_ansible_check_mode"):
        outcome["changed"] = True
        return
    if arguments.get("backup"):
        _backup(iis, arguments["backup"])
        outcome["backup"] = arguments["backup"]
    pools = list(dict.fromkeys(results[i]["pool"] for i in pending))
    size = int(arguments.get("pools_per_commit") or 10)
    for start in range(0, len(pools), size):
        if start:
            await asyncio.sleep(float(arguments.get("pause", 5)))
        group = [i for i in pending if results[i]["pool"] in pools[start : start + size]]
        await _write(windows, changes, results, group, outcome)


async def _write(
    windows: Path, changes: list[Result], results: list[Result], group: list[int], outcome: Result
) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        iis = Iis(windows)
        for i in group:
            fresh = _compare(iis, changes[i])
            results[i] |= {key: fresh[key] for key in ("state", "found", "found_source", "wanted", "detail")}
        stale = [results[i] for i in group if results[i]["state"] == "stale"]
        if stale:
            first = f"{stale[0]['pool']}: {stale[0]['detail']}"
            raise _Stop(f"changed while this ran: {first}.", stale=not outcome["changed"])
        todo = [i for i in group if results[i]["state"] == "pending"]
        for i in todo:
            iis.set(changes[i]["pool"], changes[i]["attribute"], None if changes[i]["clear"] else results[i]["wanted"])
        try:
            if todo:
                iis.commit()
            break
        except Conflict as error:
            if attempt == _ATTEMPTS:
                raise _Stop(f"the configuration could not be written: {error}") from error
            await asyncio.sleep(random.uniform(0.2, 0.6 * attempt))  # noqa: S311  # jitter, not a secret
        except OSError as error:
            raise _Stop(f"the configuration could not be written: {error}") from error
    fault = iis.knobs.get("after_commit") if todo else ""
    if fault == "hang":
        await asyncio.Event().wait()
    if fault == "exit":
        raise Killed
    fresh_look = Iis(windows)
    for i in todo:
        results[i]["written"] = True
        outcome["changed"] = True
    for i in group:
        pool = fresh_look.pool(results[i]["pool"])
        read = None if pool is None else fresh_look.read(pool, results[i]["attribute"])
        results[i]["verified"] = read is not None and read.value == results[i]["wanted"]


def _compare(iis: Iis, change: Result) -> Result:
    result: Result = {
        "pool": change["pool"], "attribute": change["attribute"], "set": change["set"], "expect": change["expect"],
        "state": "stale", "found": None, "found_source": None, "wanted": None, "written": False, "verified": False,
        "detail": None,
    }  # fmt: skip
    pool = iis.pool(change["pool"])
    if pool is None:
        return result | {"detail": "the pool is not there"}
    read = iis.read(pool, change["attribute"])
    if read is None:
        return result | {"detail": "this version of IIS does not know the attribute"}
    result |= {"found": read.value, "found_source": read.source}
    expected = _typed(iis, change["attribute"], change["expect"])
    if change["clear"]:
        inherited = iis.read(None, change["attribute"])
        assert inherited is not None
        result["wanted"] = inherited.value
        there = iis.stands(pool, change["attribute"])
        if (
            there
            and change["inherits"] is not None
            and inherited.value != _typed(iis, change["attribute"], change["inherits"])
        ):
            return result | {"detail": f"clearing it would give {inherited.value}, not {change['inherits']}"}
    else:
        result["wanted"] = _typed(iis, change["attribute"], change["set"])
        there = read.value != result["wanted"]
    if not there:
        return result | {"state": "ok", "verified": True}
    if read.value != expected:
        return result | {"detail": f"expected {expected}, found {read.value}"}
    for name, value in change["given"].items():
        other = iis.read(pool, name)
        if other is None:
            return result | {"detail": f"this version of IIS does not know {name}"}
        if other.value.lower() != _typed(iis, name, value).lower():
            return result | {"detail": f"expected {name} {_typed(iis, name, value)}, found {other.value}"}
    return result | {"state": "pending"}


def _typed(iis: Iis, name: str, text: str) -> str:
    """The spelling that IIS gives for a value that was handed in; ValueError for what is none."""
    try:
        return iis.config.schema[name].text(text)
    except ConfigError as error:
        raise ValueError(f"'{text}' is not a value of {name.rpartition('.')[2]}.") from error


def _diff(results: list[Result]) -> str:
    lines: list[str] = []
    last = None
    for result in results:
        if result["state"] != "pending":
            continue
        if result["pool"] != last:
            last = result["pool"]
            lines.append("pool: " + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in last))
        note = " (inherited)" if result["set"] is None else ""
        lines.append(f"  {result['attribute']}: {result['found']} -> {result['wanted']}{note}")
    return "".join(f"{line}\n" for line in lines)


def _backup(iis: Iis, name: str) -> None:
    root = iis.windows / "System32/inetsrv/backup"
    (root / name).mkdir(parents=True, exist_ok=True)
    (root / name / "applicationHost.config").write_bytes(iis.before)
    redirection = iis.windows / CONFIG / "redirection.config"
    if redirection.exists():
        (root / name / "redirection.config").write_bytes(redirection.read_bytes())
    ours = (path for path in root.iterdir() if _OURS.fullmatch(path.name) and path.name != name)
    others = sorted(ours, key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[4:]:
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
