"""What the module app_pool_settings does, made in Python: compare-and-set by the same rules and in the same words."""

import asyncio
import random
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.iis.attributes import IDLE_TIMEOUT, START_MODE, seconds
from remediate.iis.schema import POOL, ConfigError
from remediate.lab.emulated.iis import CONFIG, DEFAULTS, Conflict, Iis, failure, installed, look
from remediate.lab.emulated.inspection import machine_name
from remediate.lab.emulated.lock import Lock, Run, entered
from remediate.lab.knobs import read_knobs
from remediate.model import Value, fold

_ATTEMPTS = 5
# Unicode's categories C, Zl and Zp, as in IisWrite.psm1.
_STEERS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_MONTH = 30 * 24 * 3600
_BACKUP = re.compile(r"remediate-[A-Za-z0-9-]{1,80}")
_NAME = re.compile(r"[A-Za-z0-9-]{1,80}")
_OURS = re.compile(r"remediate-[0-9]{8}T[0-9]{6}Z(-[0-9a-f]{6})?")
Result = dict[str, Any]
_CHOICES = {"scope": ("pool", "defaults"), "attribute": (START_MODE, IDLE_TIMEOUT), "on_mismatch": ("stale", "skip")}


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
        arguments = _checked(arguments)
        outcome |= {"machine": machine_name(windows), "stale": False, "changes": [], "backup": None}
        await _change(windows, arguments, outcome)
    except _Stop as stop:
        outcome |= {"failed": True, "msg": stop.message, "stale": stop.stale}
    except (ConfigError, ValueError, OSError) as error:
        outcome |= {
            "failed": True,
            "msg": f"the changes could not be compared with the configuration: {failure(windows, error)}",
        }
    return outcome


def _checked(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with their defaults; _Stop for what is refused before anything is looked at."""
    given = {key for key, value in arguments.items() if value is not None}
    for rivals in (("changes", "pools"), ("changes", "given")):
        if given.issuperset(rivals):
            raise _Stop(f"parameters are mutually exclusive: {', '.join(rivals)}")
    if given.intersection(together := ("pools", "attribute", "set")) and not given.issuperset(together):
        raise _Stop(f"parameters are required together: {', '.join(together)}")
    if not given.intersection(("changes", "pools")):
        raise _Stop("one of the following is required: changes, pools")
    arguments = _with_choices(arguments) | {
        "changes": [_with_choices(change) for change in arguments.get("changes") or []]
    }
    pattern = "pools" in given
    if pattern and not any(arguments["pools"]):
        raise _Stop("pools: name at least one pool, or '*' for all")
    usual: Result = {"scope": "pool", "pool": None, "given": {}, "clear": False, "set": None, "inherits": None}
    changes = [usual | change for change in arguments["changes"]]
    for change in changes:
        _check_change(change)
    if pattern:
        changes = [usual | {key: arguments[key] for key in ("attribute", "set", "given") if arguments.get(key)}]
    try:
        for change in changes:
            if change["set"] is not None:
                _check_settable(change["attribute"], str(change["set"]))
            for name in change["given"]:
                if name not in POOL:
                    raise _Stop(f"given: '{name}' is none of {', '.join(POOL)}")
    except ValueError as error:
        raise _Stop(str(error)) from error
    backup = arguments.get("backup")
    if backup and not _BACKUP.fullmatch(backup):
        raise _Stop(f"backup: '{backup}' must be 'remediate-' and letters, digits and dashes")
    for name in ("run", "undoes"):
        if arguments.get(name) is not None and not _NAME.fullmatch(arguments[name]):
            raise _Stop(f"{name}: must be letters, digits and dashes, at most 80")
    size = arguments.get("pools_per_commit")
    if size is not None and int(size) < 1:
        raise _Stop("pools_per_commit: must be 1 or more")
    return arguments | {"changes": changes}


def _with_choices(arguments: Result) -> Result:
    """The choices as the module spells them; Ansible.Basic takes them in any case."""
    spelled = dict(arguments)
    for name, choices in _CHOICES.items():
        value = arguments.get(name)
        if value is not None:
            same = [choice for choice in choices if fold(choice) == fold(str(value))]
            if not same:
                raise _Stop(f"value of {name} must be one of: {', '.join(choices)}. Got no match for: {value}")
            spelled[name] = same[0]
    return spelled


def _check_change(change: Result) -> None:
    attribute, defaults = change["attribute"], change["scope"] == "defaults"
    if not defaults and not change["pool"]:
        raise _Stop(f"changes: give 'pool' or 'scope: defaults' for {attribute}")
    if defaults and change["pool"] is not None:
        raise _Stop(f"changes: 'scope: defaults' is about no pool: leave out 'pool: {change['pool']}'")
    if bool(change["clear"]) == (change["set"] is not None):
        where = DEFAULTS if defaults else change["pool"]
        raise _Stop(f"changes: give either 'set' or 'clear: true' for {attribute} of {where}")


def _check_settable(attribute: str, text: str) -> None:
    if attribute == START_MODE and fold(text) not in map(fold, POOL[START_MODE].values):
        raise _Stop(f"'{text}' is not a value of startMode.")
    if attribute == IDLE_TIMEOUT and (seconds(text) > _MONTH or seconds(text) % 60):
        raise _Stop(f"'{text}' is out of the range of {attribute}: 00:00:00 to 30.00:00:00, in whole minutes.")


def _glob(glob: str) -> re.Pattern[str]:
    """``*`` and ``?`` and nothing else, over the whole name as ``fold`` makes it."""
    parts = ({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in fold(glob))
    return re.compile("".join(parts), re.DOTALL)


def _expand(iis: Iis, arguments: Result) -> tuple[list[Result], list[str]]:
    """A change for each pool that is meant, from what is found; and the warnings."""
    (pattern,) = arguments["changes"]
    names = [element.attributes.get("name", "") for element in iis.config.pool_elements()]
    globs = {glob: _glob(glob) for glob in arguments["pools"]}
    changes = []
    for name in names:
        if not any(glob.fullmatch(fold(name)) for glob in globs.values()):
            continue
        read = iis.read(iis.pool(name), pattern["attribute"])
        given = {key: value for key, value in pattern["given"].items() if key in iis.config.schema}
        changes.append(pattern | {"pool": name, "expect": "" if read is None else read.value, "given": given})
    unmet = [text for text in arguments["pools"] if not any(globs[text].fullmatch(fold(name)) for name in names)]
    return changes, [f"pools: no application pool matches '{text}'" for text in unmet]


async def _change(windows: Path, arguments: dict[str, Any], outcome: Result) -> None:
    wanted = arguments.get("machine")
    if wanted and fold(wanted) != fold(outcome["machine"]):
        names = f"the plan was made for {wanted}, this is {outcome['machine']}"
        raise _Stop(f"another machine answers here: {names}. Nothing was written.", True)
    pattern = bool(arguments.get("pools"))
    if pattern and not installed(read_knobs(windows)):
        outcome["warnings"] = ["pools: there is no IIS on this server"]
        return
    iis = look(windows)
    if pattern and iis.shared and not arguments.get("allow_shared"):
        why = (
            f"shared configuration ({iis.shared}): one edit changes every server of it, and allow_shared was not given"
        )
        if arguments.get("on_mismatch") != "skip":
            raise _Stop(f"{why}. Nothing was written.", True)
        outcome["warnings"] = [why]
        return
    if arguments.get("_ansible_check_mode"):
        await _change_server(windows, arguments, outcome, None)
        return
    run = Run(
        arguments.get("run") or "unnamed", arguments.get("undoes") or "", outcome["machine"],
        float(arguments.get("lock_seconds", 60)),
    )  # fmt: skip
    async with entered(windows, iis.path.parent, run) as lock:
        await _change_server(windows, arguments, outcome, lock)


async def _change_server(windows: Path, arguments: dict[str, Any], outcome: Result, lock: Lock | None) -> None:
    """With the lock: look at all of it, and write. Without one, in check mode, only look."""
    changes, pattern = arguments["changes"], bool(arguments.get("pools"))
    iis = look(windows)
    if pattern:
        changes, warnings = _expand(iis, arguments)
        outcome |= {"warnings": warnings} if warnings else {}
    results = outcome["changes"] = [_compare(iis, change, changes) for change in changes]
    if lock is not None and lock.refused:
        raise _Stop(lock.refused, lock.late)
    if arguments.get("_ansible_diff"):
        outcome["diff"] = {"prepared": _diff(results)} if _diff(results) else {}
    stale = [r for r in results if r["state"] == "stale"]
    if pattern and arguments.get("on_mismatch") == "skip":
        for result in stale:
            result["state"] = "skipped"
        stale = []
    if stale:
        first = f"{stale[0]['pool']}: {stale[0]['detail']} ({len(stale)} of {len(results)} changes)"
        raise _Stop(f"{'not as given' if pattern else 'changed since the plan'}: {first}. Nothing was written.", True)
    pending = [i for i, r in enumerate(results) if r["state"] == "pending"]
    pending.sort(key=lambda i: results[i]["scope"] != "defaults")
    if not pending:
        return
    if lock is None:
        outcome["changed"] = True
        return
    if arguments.get("backup"):
        try:
            _backup(iis, arguments["backup"])
        except OSError as error:
            why = f"the configuration could not be backed up: {failure(windows, error)}"
            raise _Stop(f"nothing was written: {why}") from error
        outcome["backup"] = arguments["backup"]
    pools = list(dict.fromkeys((results[i]["scope"], results[i]["pool"]) for i in pending))
    size = int(arguments.get("pools_per_commit") or 10)
    for start in range(0, len(pools), size):
        ended_by = await lock.turn(float(arguments.get("pause", 5)) if start else 0)
        if ended_by:
            left = sum(not results[i]["written"] for i in pending)
            why = f"{left} of {len(pending)} changes were not written"
            raise _Stop(f"ended before the next commit, as the run {ended_by} asked: {why}.")
        group = [i for i in pending if (results[i]["scope"], results[i]["pool"]) in pools[start : start + size]]
        await _write(windows, changes, results, group, outcome)
        if not all(results[i]["verified"] for i in group):
            seconds_ = arguments.get("verify_seconds", 30)
            raise _Stop(f"written, but not seen on a fresh look within {seconds_} s")


async def _write(
    windows: Path, changes: list[Result], results: list[Result], group: list[int], outcome: Result
) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        iis = look(windows)
        for i in group:
            fresh = _compare(iis, changes[i], changes)
            results[i] |= {key: fresh[key] for key in ("state", "found", "found_source", "wanted", "detail")}
        stale = [results[i] for i in group if results[i]["state"] == "stale"]
        if stale:
            first = f"{stale[0]['pool']}: {stale[0]['detail']}"
            raise _Stop(f"changed while this ran: {first}.", stale=not outcome["changed"])
        todo = [i for i in group if results[i]["state"] == "pending"]
        for i in todo:
            name = None if changes[i]["scope"] == "defaults" else changes[i]["pool"]
            iis.set(name, changes[i]["attribute"], None if changes[i]["clear"] else results[i]["wanted"])
        try:
            if todo:
                iis.commit()
            break
        except Conflict as error:
            if attempt == _ATTEMPTS:
                raise _Stop(f"the configuration could not be written: {error}") from error
            await asyncio.sleep(random.uniform(0.2, 0.6 * attempt))  # noqa: S311  # jitter, not a secret
        except OSError as error:
            raise _Stop(f"the configuration could not be written: {failure(windows, error)}") from error
    fault = iis.knobs.get("after_commit") if todo else ""
    while fault == "hang":
        await asyncio.sleep(0.05)
        fault = read_knobs(windows).get("after_commit")
    if fault == "exit":
        raise Killed
    for i in todo:
        results[i]["written"] = True
        outcome["changed"] = True
    try:
        fresh_look = look(windows)
    except (ConfigError, ValueError, OSError) as error:
        why = failure(windows, error)
        raise _Stop(f"written, but the configuration could not be read again: {why}") from error
    for i in group:
        read = _read(fresh_look, changes[i], results[i]["attribute"])
        results[i]["verified"] = read is not None and read.value == results[i]["wanted"]


def _read(iis: Iis, change: Result, name: str) -> Value | None:
    """An attribute of what the change is about; None where that, or the attribute, is not there."""
    if change["scope"] == "defaults":
        return iis.config.value(None, name) if name in iis.config.schema else None
    pool = iis.pool(change["pool"])
    return None if pool is None else iis.read(pool, name)


def _inherited(iis: Iis, change: Result, changes: list[Result]) -> str:
    """What clearing gives: at a pool what applicationPoolDefaults have, or will have by the same task."""
    name = change["attribute"]
    schema = iis.config.schema[name]
    if change["scope"] != "defaults":
        coming = [c for c in changes if c["scope"] == "defaults" and c["attribute"] == name]
        if not coming:
            return iis.config.value(None, name).value
        if not coming[0]["clear"]:
            return _typed(iis, name, coming[0]["set"])
    if iis.knobs.get("schema_default") == "throws":
        raise ValueError(f"The API gave nothing for {name.rpartition('.')[2]}.")
    return schema.text(schema.default)


def _compare(iis: Iis, change: Result, changes: list[Result]) -> Result:
    defaults, attribute = change["scope"] == "defaults", change["attribute"]
    result: Result = {
        "scope": change["scope"], "pool": DEFAULTS if defaults else change["pool"], "attribute": attribute,
        "set": change["set"], "expect": change["expect"], "state": "stale", "found": None, "found_source": None,
        "wanted": None, "written": False, "verified": False, "detail": None,
    }  # fmt: skip
    pool = None if defaults else iis.pool(change["pool"])
    if pool is None and not defaults:
        return result | {"detail": "the pool is not there"}
    read = _read(iis, change, attribute)
    if read is None:
        return result | {"detail": "this version of IIS does not know the attribute"}
    result |= {"found": read.value, "found_source": read.source}
    expected = _typed(iis, attribute, change["expect"])
    if change["clear"]:
        result["wanted"] = _inherited(iis, change, changes)
        there = read.source == "defaults" if pool is None else iis.stands(pool, attribute)
        inherits = change["inherits"]
        if there and inherits is not None and result["wanted"] != _typed(iis, attribute, inherits):
            return result | {"detail": f"clearing it would give {result['wanted']}, not {inherits}"}
    else:
        result["wanted"] = _typed(iis, attribute, change["set"])
        there = read.value != result["wanted"]
    if not there:
        return result | {"state": "ok", "verified": True}
    if read.value != expected:
        return result | {"detail": f"expected {expected}, found {read.value}"}
    for name, value in sorted(change["given"].items()):
        other = _read(iis, change, name)
        if other is None:
            return result | {"detail": f"this version of IIS does not know {name}"}
        if fold(other.value) != fold(_typed(iis, name, value)):
            return result | {"detail": f"expected {name} {_typed(iis, name, value)}, found {other.value}"}
    return result | {"state": "pending"}


def _typed(iis: Iis, name: str, value: object) -> str:
    """The spelling that IIS gives for a value that was handed in; ValueError for what is none."""
    text = str(value)
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
        head = DEFAULTS if result["scope"] == "defaults" else f"pool: {_shown(result['pool'])}"
        if head != last:
            lines.append(head)
        last = head
        note = " (inherited)" if result["set"] is None else ""
        lines.append(f"  {result['attribute']}: {result['found']} -> {result['wanted']}{note}")
    return "".join(f"{line}\n" for line in lines)


def _shown(name: str) -> str:
    """The name as the module shows it: .NET's units of 16 bits, those that could steer a terminal spelled out."""
    data = name.encode("utf-16-be")
    units = [data[at : at + 2] for at in range(0, len(data), 2)]
    return "".join(
        f"\\u{int.from_bytes(unit):04x}" if unicodedata.category(chr(int.from_bytes(unit))) in _STEERS
        else chr(int.from_bytes(unit)) for unit in units
    )  # fmt: skip


def _backup(iis: Iis, name: str) -> None:
    root = iis.windows / "System32/inetsrv/backup"
    (root / name).mkdir(parents=True, exist_ok=True)
    _protect(iis, root / name)
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


def _protect(iis: Iis, folder: Path) -> None:
    """Note the access list that the folder gets, as windows/Modules/WindowsAcl does."""
    if iis.knobs.get("acl") == "denied":
        why = "Attempted to perform an unauthorized operation."
        raise OSError(
            f"the access rights of the backup's folder ({folder}) could not be set: {why} Nothing was written."
        )
    with (iis.windows / "acls.log").open("a", encoding="utf-8") as log:
        log.write(f"{folder}|{len(list(folder.iterdir()))}|D:P(A;OICI;FA;;;S-1-5-18)(A;OICI;FA;;;S-1-5-32-544)\n")
