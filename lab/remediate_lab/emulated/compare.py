"""A change against the server as it is, the changes that a pattern makes, and the diff: as in the collection's
IisCompare.psm1 and IisPattern.psm1, in the same words."""

import re
import unicodedata
from typing import Any

from remediate.iis.names import iis_key
from remediate.iis.schema import ConfigError
from remediate.values.fleet import Value
from remediate_lab.emulated.iis import DEFAULTS, Iis

Result = dict[str, Any]
# Unicode's categories C, Zl and Zp, as in IisCompare.psm1.
_STEERS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def compare(iis: Iis, change: Result, changes: list[Result]) -> Result:
    """One change: ok (already so), pending (to be written) or stale (refused). ``changes`` is the whole task."""
    defaults, attribute = change["scope"] == "defaults", change["attribute"]
    result: Result = {
        "scope": change["scope"], "pool": DEFAULTS if defaults else change["pool"], "attribute": attribute,
        "set": change["set"], "expect": change["expect"], "state": "stale", "found": None, "found_source": None,
        "wanted": None, "written": False, "verified": False, "detail": None,
    }  # fmt: skip
    pool = None if defaults else iis.pool(change["pool"])
    if pool is None and not defaults:
        return result | {"detail": "the pool is not there"}
    found = read(iis, change, attribute)
    if found is None:
        return result | {"detail": "this version of IIS does not know the attribute"}
    result |= {"found": found.value, "found_source": found.source}
    expected = _typed(iis, attribute, change["expect"])
    if change["clear"]:
        result["wanted"] = _inherited(iis, change, changes)
        there = found.source == "defaults" if pool is None else iis.stands(pool, attribute)
        inherits = change["inherits"]
        if there and inherits is not None and result["wanted"] != _typed(iis, attribute, inherits):
            return result | {"detail": f"clearing it would give {result['wanted']}, not {inherits}"}
    else:
        result["wanted"] = _typed(iis, attribute, change["set"])
        there = found.value != result["wanted"]
    if not there:
        return result | {"state": "ok", "verified": True}
    if found.value != expected:
        return result | {"detail": f"expected {expected}, found {found.value}"}
    unmet = _unmet(iis, change)
    return result | ({"state": "pending"} if unmet is None else {"detail": unmet})


def _unmet(iis: Iis, change: Result) -> str | None:
    """The first condition of a change that does not hold, in words."""
    for name, value in sorted(change["given"].items()):
        other = read(iis, change, name)
        if other is None:
            return f"this version of IIS does not know {name}"
        wanted = _typed(iis, name, value)
        if iis_key(other.value) != iis_key(wanted):
            return f"expected {name} {wanted}, found {other.value}"
    return None


def read(iis: Iis, change: Result, name: str) -> Value | None:
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
    return schema.text(schema.default)


def _typed(iis: Iis, name: str, value: object) -> str:
    """The spelling that IIS gives for a value that was handed in; ValueError for what is none."""
    text = str(value)
    try:
        return iis.config.schema[name].text(text)
    except ConfigError as error:
        raise ValueError(f"'{text}' is not a value of {name.rpartition('.')[2]}.") from error


def _glob(glob: str) -> re.Pattern[str]:
    """``*`` and ``?`` and nothing else, over the whole name as ``fold`` makes it."""
    parts = ({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in iis_key(glob))
    return re.compile("".join(parts), re.DOTALL)


def expand(iis: Iis, arguments: Result) -> tuple[list[Result], list[str]]:
    """A change for each pool that is meant, from what is found; and the warnings."""
    (pattern,) = arguments["changes"]
    names = [element.attributes.get("name", "") for element in iis.config.pool_elements()]
    globs = {glob: _glob(glob) for glob in arguments["pools"]}
    changes = []
    for name in names:
        if not any(glob.fullmatch(iis_key(name)) for glob in globs.values()):
            continue
        read = iis.read(iis.pool(name), pattern["attribute"])
        given = {key: value for key, value in pattern["given"].items() if key in iis.config.schema}
        changes.append(pattern | {"pool": name, "expect": "" if read is None else read.value, "given": given})
    unmet = [text for text in arguments["pools"] if not any(globs[text].fullmatch(iis_key(name)) for name in names)]
    return changes, [f"pools: no application pool matches '{text}'" for text in unmet]


def diff(results: list[Result]) -> str:
    """What --diff prints of the pending changes."""
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
