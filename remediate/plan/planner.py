"""Audit + the chosen fix -> Plan. Pure: the same audit gives the same changes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from remediate.collection import plugin_util
from remediate.iis.attributes import CONDITION, FIXES, defaults_forecast, recycle_forecast
from remediate.model import (
    Audit,
    Change,
    DoubtKind,
    Finding,
    FixName,
    Inspection,
    NotInspected,
    Plan,
    Pool,
    RemediateError,
    Run,
    RunChange,
    Scope,
    Source,
    Undecided,
    fold,
    status_of,
)

# A host's changes are a file of its name beside the playbook, and its name stands in the play's pattern.
_PLANNABLE_HOST = re.compile(r"\w[\w.\-]{0,199}")
# These mean something else to Ansible; `localhost` is where the plan's own checks run.
_RESERVED = frozenset({"localhost", "all", "ungrouped"})
# What lifts a doubt. A name that the configuration API refuses is never lifted.
_LIFTED_BY: dict[DoubtKind, str] = {
    "shared": "--allow-shared", "stopped": "--allow-dormant", "unmanaged": "--allow-dormant",
    "unused": "--allow-dormant",
}  # fmt: skip


def plannable(host: str) -> bool:
    """Whether a host of this name can stand in a plan."""
    return _PLANNABLE_HOST.fullmatch(host) is not None and host not in _RESERVED


class Choice(Struct, frozen=True, kw_only=True):
    """What to plan: the fix, for the pools or for applicationPoolDefaults, and in spite of which doubts."""

    fix: FixName
    scope: Scope = "pool"
    allowed: frozenset[DoubtKind] = frozenset()


class _Group(Struct, frozen=True):
    """Hosts that are changed by one edit: names of one machine, servers of one share.

    ``agree``: all of them show the same. Else they are not one, or one of them lies.
    """

    hosts: tuple[Inspection, ...]
    agree: bool

    @property
    def leader(self) -> Inspection:
        """The host that stands in the plan: the first one whose name can."""
        return next((host for host in self.hosts if plannable(host.host)), self.hosts[0])


def make_plan(audit: Audit, choice: Choice, created_at: str) -> Plan:
    """Every finding becomes a change, or an entry under ``undecided`` with the reason. Notes are not planned, but for
    those on the defaults when the choice is the defaults."""
    hosts = {host.host: host for host in audit.hosts if isinstance(host, Inspection)}
    groups = _groups(hosts.values(), "shared" in choice.allowed)
    # By name as IIS compares it: more than one is a twin.
    pools: dict[tuple[str, str], list[Pool]] = {}
    for host in hosts.values():
        for pool in host.pools:
            pools.setdefault((host.host, fold(pool.name)), []).append(pool)
    changes: list[Change] = []
    undecided: list[Undecided] = []
    for finding in audit.findings:
        if finding.scope != choice.scope:
            if finding.level == "finding" and finding.scope == "defaults":
                reason = "applicationPoolDefaults is planned with --scope defaults alone"
                undecided.append(Undecided(finding.host, finding.pool, reason))
            continue
        if finding.level == "note" and finding.scope == "pool":
            continue
        group = groups[finding.host]
        found = pools.get((finding.host, fold(finding.pool)), []) if finding.scope == "pool" else []
        reason_ = _why_not(finding, hosts[finding.host], group, len(found) > 1, choice)
        if reason_ is not None:
            undecided.append(Undecided(finding.host, finding.pool, reason_))
        elif group.leader.host == finding.host:
            changes.append(_change(finding, group, found, _chosen(group.leader) or choice.fix))
    return Plan(
        created_at=created_at,
        changes=tuple(sorted(changes, key=_order)),
        undecided=tuple(sorted(undecided, key=lambda u: (u.host, u.pool, u.reason))),
        not_inspected=tuple(
            NotInspected(h.host, status_of(h), h.detail)
            for h in sorted(audit.hosts, key=lambda h: h.host)
            if not isinstance(h, Inspection)
        ),
    )


def _order(change: Change) -> tuple[str, bool, str, str]:
    return change.host, change.scope == "pool", change.pool, change.attribute


def _groups(hosts: Iterable[Inspection], shares: bool) -> dict[str, _Group]:
    """Inventory name -> its group. ``shares``: servers that read their configuration from one share are a group too."""
    by_key: dict[str, list[Inspection]] = {}
    for host in sorted(hosts, key=lambda h: h.host):
        share = _share(host.shared_config) if shares else None
        by_key.setdefault(share or fold(host.machine), []).append(host)
    groups = (_Group(tuple(m), all(_settings(host) == _settings(m[0]) for host in m[1:])) for m in by_key.values())
    return {host.host: group for group in groups for host in group.hosts}


def _share(path: str | None) -> str | None:
    """One spelling of a UNC path. A folder of the server's own is no share: each server then has a file of its own."""
    spelled = (path or "").replace("/", "\\")
    return fold(spelled.rstrip("\\")) if spelled.startswith("\\\\") else None


def _settings(host: Inspection) -> tuple[object, ...]:
    """What one configuration says; whether a pool runs is no part of it."""
    pools = tuple((pool.name, pool.attributes, pool.applications) for pool in host.pools)
    return host.defaults, pools


def _why_not(finding: Finding, host: Inspection, group: _Group, twins: bool, choice: Choice) -> str | None:
    doubts = [doubt for doubt in finding.doubts if doubt.kind not in choice.allowed]
    if doubts:
        flags = sorted({_LIFTED_BY[doubt.kind] for doubt in doubts if doubt.kind in _LIFTED_BY})
        how = f" (planned with {' '.join(flags)})" if all(doubt.kind in _LIFTED_BY for doubt in doubts) else ""
        return "; ".join(doubt.text for doubt in doubts) + how
    if host.file is not None:
        return "it was read from a file: plan from an audit of the server"
    leader = group.leader
    if not group.agree:
        names = ", ".join(member.host for member in group.hosts if member is not host)
        return f"{names} must be the same machine or share its configuration, and shows other pools or settings"
    if twins:
        return "two pools of this server have this name"
    if not plannable(leader.host):
        return (
            "this inventory name cannot be a file's name; give the host an alias of letters, digits, '.', '-' and '_'"
        )
    words = {member.host: member.vars.get("remediate_fix") for member in group.hosts}
    for name, word in words.items():
        if word == "none":
            return f"remediate_fix is none for {'this host' if name == host.host else name}"
        if word is not None and word not in FIXES:
            return f"remediate_fix is {word!r} for {name}: write idle-timeout, on-demand or none"
    if len(set(words.values())) > 1:
        return f"remediate_fix differs between {' and '.join(words)}, which one change reaches"
    fix = _chosen(leader) or choice.fix
    if fix not in finding.fixes:
        return f"{fix} does not help against {finding.rule}"
    if _major_minor(leader.powershell_version) < (5, 1):
        return f"PowerShell {leader.powershell_version} is older than Ansible's modules want (5.1)"
    return None


def _chosen(host: Inspection) -> FixName | None:
    """The host's own word, the variable remediate_fix, comes before --fix."""
    return next((name for name in FIXES if name == host.vars.get("remediate_fix")), None)


def _major_minor(version: str | None) -> tuple[int, int]:
    match = re.match(r"(\d{1,9})\.(\d{1,9})(?!\d)", version or "")
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _change(finding: Finding, group: _Group, of_name: Sequence[Pool], fix: FixName) -> Change:
    host = group.leader
    attribute = FIXES[fix].attribute
    if finding.scope == "defaults":
        found = host.defaults
        # What the pool does not say itself is inherited; an unknown source may be.
        pools = tuple(
            p for p in host.pools if attribute not in p.attributes or p.attributes[attribute].source != "pool"
        )
        recycle = defaults_forecast(pools)
    else:
        (pool,) = pools = tuple(of_name)
        found, recycle = pool.attributes, recycle_forecast(pool, attribute)
    given = {name: found[name].value for name in CONDITION if name != attribute and name in found}
    return Change(
        host=host.host, machine=host.machine, also=tuple(member.host for member in group.hosts if member is not host),
        scope=finding.scope, pool=finding.pool, attribute=attribute, expect=found[attribute].value,
        expect_source=found[attribute].source, given=given, set=FIXES[fix].set, recycle=recycle,
        rules=(finding.rule,),
        inherited_by=tuple(sorted(p.name for p in pools)) if finding.scope == "defaults" else (),
        applications=tuple(sorted(a.path for p in pools for a in p.applications)),
        reason="; ".join((*finding.reasons, *(f"although {doubt.text}" for doubt in finding.doubts))),
    )  # fmt: skip


def make_rollback(run: Run, created_at: str) -> Plan:
    """The inverse of all that a run wrote, or may have written, as an ordinary plan.

    What was begun without a recorded answer is in it too: its change applies only where the value is the one that
    the run wanted to write, and is no change where it never was written.
    """
    changes = [_inverse(change) for host in run.hosts for change in host.changes if _may_be_ours(change)]
    silent = [
        host
        for host in run.hosts
        if not host.changes and host.status in ("unknown", "failed", "unreachable") and host.sent is not False
    ]
    return Plan(
        created_at=created_at,
        undoes=run.run,
        changes=tuple(sorted(changes, key=_order)),
        # Of a run without a plan: nobody knows what to undo there.
        not_inspected=tuple(
            NotInspected(host.host, host.status, f"what the run wrote there is not known: {host.detail}")
            for host in silent
        ),
    )


def _may_be_ours(change: RunChange) -> bool:
    """Written, or nobody knows: undoing what was never written is "already so" for compare-and-set."""
    return change.written is not False


def _inverse(change: RunChange) -> Change:
    try:
        undo: dict[str, Any] = plugin_util("inverse").inverse(msgspec.to_builtins(change))
    except ValueError as error:
        raise RemediateError(f"{change.host}: {error}") from error
    clears = "clear" in undo
    source = change.found_source or change.expect_source
    unknown = source == "unknown" and not clears
    note = "; where the value came from is not known, so it is set, not cleared" if unknown else ""
    if change.written is None:
        note += "; it is NOT KNOWN whether this run wrote it"
    own: Source = "defaults" if change.scope == "defaults" else "pool"
    return Change(
        host=change.host, machine=change.machine, also=change.also, scope=change.scope, pool=change.pool,
        attribute=change.attribute, expect=undo["expect"], expect_source=own if change.set is not None else "unknown",
        set=undo.get("set"), inherits=undo.get("inherits"),
        recycle=change.recycle, rules=change.rules, inherited_by=change.inherited_by, applications=change.applications,
        reason=f"undo: it was {undo['inherits' if clears else 'set']} ({source}){note}",
    )  # fmt: skip
