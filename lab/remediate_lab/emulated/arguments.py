"""The arguments of app_pool_settings: refused before anything is looked at, in the module's words."""

import re
from typing import Any

from remediate.iis.attributes import IDLE_TIMEOUT, START_MODE, seconds
from remediate.iis.names import iis_key
from remediate.iis.schema import POOL
from remediate_lab.emulated.iis import DEFAULTS

_MONTH = 30 * 24 * 3600
_BACKUP = re.compile(r"remediate-[A-Za-z0-9-]{1,80}")
_NAME = re.compile(r"[A-Za-z0-9-]{1,80}")
_CHOICES = {"scope": ("pool", "defaults"), "attribute": (START_MODE, IDLE_TIMEOUT), "on_mismatch": ("stale", "skip")}
Arguments = dict[str, Any]


def checked(arguments: Arguments) -> Arguments:
    """The arguments with their defaults, ``changes`` as a list in each form; ValueError for what is refused."""
    given = {key for key, value in arguments.items() if value is not None}
    _check_form(given)
    arguments = _with_choices(arguments)
    pattern = "pools" in given
    if pattern and not any(arguments["pools"]):
        raise ValueError("pools: name at least one pool, or '*' for all")
    usual: Arguments = {"scope": "pool", "pool": None, "given": {}, "clear": False, "set": None, "inherits": None}
    changes = [usual | _with_choices(change) for change in arguments.get("changes") or []]
    for change in changes:
        _check_change(change)
    if pattern:
        changes = [usual | {key: arguments[key] for key in ("attribute", "set", "given") if arguments.get(key)}]
    for change in changes:
        _check_values(change)
    _check_names(arguments)
    return arguments | {"changes": changes}


def _check_form(given: set[str]) -> None:
    for rivals in (("changes", "pools"), ("changes", "given")):
        if given.issuperset(rivals):
            raise ValueError(f"parameters are mutually exclusive: {', '.join(rivals)}")
    if given.intersection(together := ("pools", "attribute", "set")) and not given.issuperset(together):
        raise ValueError(f"parameters are required together: {', '.join(together)}")
    if not given.intersection(("changes", "pools")):
        raise ValueError("one of the following is required: changes, pools")


def _with_choices(arguments: Arguments) -> Arguments:
    """The choices as the module spells them; Ansible.Basic takes them in any case."""
    spelled = dict(arguments)
    for name, choices in _CHOICES.items():
        value = arguments.get(name)
        if value is not None:
            same = [choice for choice in choices if iis_key(choice) == iis_key(str(value))]
            if not same:
                raise ValueError(f"value of {name} must be one of: {', '.join(choices)}. Got no match for: {value}")
            spelled[name] = same[0]
    return spelled


def _check_change(change: Arguments) -> None:
    attribute, defaults = change["attribute"], change["scope"] == "defaults"
    if not defaults and not change["pool"]:
        raise ValueError(f"changes: give 'pool' or 'scope: defaults' for {attribute}")
    if defaults and change["pool"] is not None:
        raise ValueError(f"changes: 'scope: defaults' is about no pool: leave out 'pool: {change['pool']}'")
    if bool(change["clear"]) == (change["set"] is not None):
        where = DEFAULTS if defaults else change["pool"]
        raise ValueError(f"changes: give either 'set' or 'clear: true' for {attribute} of {where}")


def _check_values(change: Arguments) -> None:
    attribute, text = change["attribute"], change["set"]
    if attribute == START_MODE and text is not None and iis_key(str(text)) not in map(iis_key, POOL[START_MODE].values):
        raise ValueError(f"'{text}' is not a value of startMode.")
    if attribute == IDLE_TIMEOUT and text is not None and not _is_period(seconds(str(text))):
        raise ValueError(f"'{text}' is out of the range of {attribute}: 00:00:00 to 30.00:00:00, in whole minutes.")
    for name in change["given"]:
        if name not in POOL:
            raise ValueError(f"given: '{name}' is none of {', '.join(POOL)}")


def _is_period(total: int) -> bool:
    return total <= _MONTH and total % 60 == 0


def _check_names(arguments: Arguments) -> None:
    backup = arguments.get("backup")
    if backup and not _BACKUP.fullmatch(backup):
        raise ValueError(f"backup: '{backup}' must be 'remediate-' and letters, digits and dashes")
    for name in ("run", "undoes"):
        if arguments.get(name) is not None and not _NAME.fullmatch(arguments[name]):
            raise ValueError(f"{name}: must be letters, digits and dashes, at most 80")
    size = arguments.get("pools_per_commit")
    if size is not None and int(size) < 1:
        raise ValueError("pools_per_commit: must be 1 or more")
