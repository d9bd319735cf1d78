"""Audit + the chosen fix -> Plan. Pure: the same audit gives the same changes."""

import re
from collections import Counter

from remediate.iis.attributes import FIXES, IDLE_ACTION, IDLE_TIMEOUT, START_MODE, recycle_forecast
from remediate.model import (
    Audit,
    Change,
    Finding,
    FixName,
    Inspection,
    NotInspected,
    Plan,
    Pool,
    RemediateError,
    Run,
    RunChange,
    Undecided,
    fold,
    status_of,
)

# A host's changes are a file of its name beside the playbook, and its name stands in the play's pattern.
_PLANNABLE_HOST = re.compile(r"\w[\w.\-]*")
# These mean something else to Ansible; `localhost` is where the plan's own checks run.
_RESERVED = frozenset({"localhost", "all", "ungrouped"})


def plannable(host: str) -> bool:
    """Whether a host of this name can stand in a plan."""
    return _PLANNABLE_HOST.fullmatch(host) is not None and host not in _RESERVED


def make_plan(audit: Audit, fix: FixName, created_at: str) -> Plan:
    """Every finding becomes a change, or an entry under ``undecided`` with the reason."""
    hosts = {host.host: host for host in audit.hosts if isinstance(host, Inspection)}
    leaders = _leaders(hosts)
    names = {name: Counter(fold(pool.name) for pool in host.pools) for name, host in hosts.items()}
    pools = {(name, pool.name): pool for name, host in hosts.items() for pool in host.pools}
    changes: list[Change] = []
    undecided: list[Undecided] = []
    for finding in audit.findings:
        host = hosts[finding.host]
        pool = pools.get((host.host, finding.pool))
        # Notes are shown in an audit and not planned; and what is not about a pool is not changed.
        if finding.level == "note" or pool is None:
            continue
        wanted = _chosen(host) or fix
        twins = names[host.host][fold(pool.name)] > 1
        reason = _why_not(finding, host, wanted, leaders[host.host], twins)
        if reason is not None:
            undecided.append(Undecided(host.host, pool.name, reason))
        elif leaders[host.host] == host.host:
            also = tuple(sorted(n for n, leader in leaders.items() if leader == host.host and n != host.host))
            changes.append(_change(finding, host, pool, wanted, also))
    return Plan(
        created_at=created_at,
        changes=tuple(sorted(changes, key=lambda c: (c.host, c.pool, c.attribute))),
        undecided=tuple(sorted(undecided, key=lambda u: (u.host, u.pool, u.reason))),
        not_inspected=tuple(
            NotInspected(h.host, status_of(h), h.detail)
            for h in sorted(audit.hosts, key=lambda h: h.host)
            if not isinstance(h, Inspection)
        ),
    )


def _leaders(hosts: dict[str, Inspection]) -> dict[str, str | None]:
    """Inventory name -> the name that its machine is planned under: two names of one machine are planned once.

    Only where both looks agree. Else they are two machines of one name, or one that lies: None.
    """
    by_machine: dict[str, list[str]] = {}
    for name in sorted(hosts):
        by_machine.setdefault(fold(hosts[name].machine), []).append(name)
    leaders: dict[str, str | None] = {}
    for names in by_machine.values():
        agree = all(hosts[name].pools == hosts[names[0]].pools for name in names)
        leaders |= dict.fromkeys(names, names[0] if agree else None)
    return leaders


def _why_not(finding: Finding, host: Inspection, fix: FixName, leader: str | None, twins: bool) -> str | None:
    if finding.doubts:
        return "; ".join(finding.doubts)
    if host.file is not None:
        return "it was read from a file: plan from an audit of the server"
    if leader is None:
        return f"another inventory name says that it is {host.machine} too, and shows other pools"
    if twins:
        return "two pools of this server have this name"
    if not plannable(leader):
        return (
            "this inventory name cannot be a file's name; give the host an alias of letters, digits, '.', '-' and '_'"
        )
    wanted = host.vars.get("remediate_fix")
    if wanted == "none":
        return "remediate_fix is none for this host"
    if wanted is not None and _chosen(host) is None:
        return f"remediate_fix is {wanted!r} for this host: write idle-timeout, on-demand or none"
    if fix not in finding.fixes:
        return f"{fix} does not help against {finding.rule}"
    if _major_minor(host.powershell_version) < (5, 1):
        return f"PowerShell {host.powershell_version} is older than Ansible's modules want (5.1)"
    return None


def _chosen(host: Inspection) -> FixName | None:
    """The host's own word, the variable remediate_fix, comes before --fix."""
    return next((name for name in FIXES if name == host.vars.get("remediate_fix")), None)


def _major_minor(version: str | None) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", version or "")
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _change(finding: Finding, host: Inspection, pool: Pool, fix: FixName, also: tuple[str, ...]) -> Change:
    attribute = FIXES[fix].attribute
    condition = (START_MODE, IDLE_TIMEOUT, IDLE_ACTION)
    before = pool.attributes[attribute]
    return Change(
        host=host.host, machine=host.machine, also=also, pool=pool.name, attribute=attribute,
        expect=before.value, expect_source=before.source,
        given={name: value for name in condition if name != attribute and (value := pool.value(name)) is not None},
        set=FIXES[fix].set, recycle=recycle_forecast(pool, attribute), rules=(finding.rule,),
        applications=tuple(sorted(a.path for a in pool.applications)), reason="; ".join(finding.reasons),
    )  # fmt: skip


def make_rollback(run: Run, created_at: str) -> Plan:
    """The inverse of all that a run wrote, or may have written, as an ordinary plan.

    What was begun without a recorded answer is in it too: its change applies only where the value is the one that
    the run wanted to write, and is no change where it never was written.
    """
    changes = [_inverse(change) for host in run.hosts for change in host.changes if _may_be_ours(change)]
    return Plan(created_at=created_at, changes=tuple(sorted(changes, key=lambda c: (c.host, c.pool, c.attribute))))


def _may_be_ours(change: RunChange) -> bool:
    """Written, or nobody knows: undoing what was never written is "already so" for compare-and-set."""
    return change.written is not False


def _inverse(change: RunChange) -> Change:
    before = change.found if change.found is not None else change.expect
    source = change.found_source or change.expect_source
    clear = source in ("defaults", "schema")
    now = change.set if change.set is not None else change.inherits
    if now is None:
        raise RemediateError(f"{change.host}: {change.pool}: the record of a change that clears lacks what it inherits")
    note = "" if clear or source == "pool" else "; where the value came from is not known, so it is set, not cleared"
    if change.written is None:
        note += "; it is NOT KNOWN whether this run wrote it"
    return Change(
        host=change.host, machine=change.machine, also=change.also, pool=change.pool, attribute=change.attribute,
        expect=now, expect_source="pool" if change.set is not None else "unknown",
        set=None if clear else before, inherits=before if clear else None,
        recycle=change.recycle, rules=change.rules, applications=change.applications,
        reason=f"undo: it was {before} ({source}){note}",
    )  # fmt: skip
