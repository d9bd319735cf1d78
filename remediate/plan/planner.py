"""Audit + the chosen fix -> Plan. Pure: the same audit gives the same changes."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from remediate.collection import plugin_util
from remediate.errors import RemediateError
from remediate.iis.attributes import CONDITION, FIXES, defaults_forecast, recycle_forecast
from remediate.iis.names import iis_key
from remediate.plan.groups import Group, groups_of, plannable
from remediate.values.findings import Audit, DoubtKind, Finding, FixName, Scope
from remediate.values.fleet import Inspection, Pool, Source, status_of
from remediate.values.plans import Change, NotInspected, Plan, Undecided
from remediate.values.runs import Run, RunChange

# What lifts a doubt. A name that the configuration API refuses is never lifted.
_LIFTED_BY: dict[DoubtKind, str] = {
    "shared": "--allow-shared", "stopped": "--allow-dormant", "unmanaged": "--allow-dormant",
    "unused": "--allow-dormant",
}  # fmt: skip


class Choice(Struct, frozen=True, kw_only=True):
    """What to plan: the fix, for the pools or for applicationPoolDefaults, and in spite of which doubts."""

    fix: FixName
    scope: Scope = "pool"
    allowed: frozenset[DoubtKind] = frozenset()


class _Candidate(Struct, frozen=True, kw_only=True):
    """A finding, and what decides whether it is planned.

    ``pools`` are those of its host that have its name as IIS compares names: more than one is a twin. None where the
    finding is about the defaults.
    """

    finding: Finding
    host: Inspection
    group: Group
    pools: tuple[Pool, ...]
    choice: Choice

    @property
    def fix(self) -> FixName:
        return _chosen(self.group.leader) or self.choice.fix


def make_plan(audit: Audit, choice: Choice, created_at: str) -> Plan:
    """Every finding becomes a change, or an entry under ``undecided`` with the reason. Notes are not planned, but for
    those on the defaults when the choice is the defaults."""
    changes: list[Change] = []
    undecided: list[Undecided] = []
    for candidate in _candidates(audit, choice):
        finding = candidate.finding
        reason = next((reason for check in _CHECKS if (reason := check(candidate)) is not None), None)
        if reason is not None:
            undecided.append(Undecided(finding.host, finding.pool, reason))
        elif candidate.group.leader.host == finding.host:
            changes.append(_change(candidate))
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


def _candidates(audit: Audit, choice: Choice) -> Iterator[_Candidate]:
    hosts = {host.host: host for host in audit.hosts if isinstance(host, Inspection)}
    groups = groups_of(hosts.values(), "shared" in choice.allowed)
    pools: dict[tuple[str, str], list[Pool]] = {}
    for host in hosts.values():
        for pool in host.pools:
            pools.setdefault((host.host, iis_key(pool.name)), []).append(pool)
    for finding in audit.findings:
        if _is_asked_for(finding, choice):
            named = pools.get((finding.host, iis_key(finding.pool)), []) if finding.scope == "pool" else []
            yield _Candidate(
                finding=finding, host=hosts[finding.host], group=groups[finding.host], pools=tuple(named), choice=choice
            )


def _is_asked_for(finding: Finding, choice: Choice) -> bool:
    """Whether the plan says anything of it: pools are not named in a plan of the defaults."""
    if finding.level == "note":
        return finding.scope == choice.scope == "defaults"
    return finding.scope == choice.scope or finding.scope == "defaults"


def _order(change: Change) -> tuple[str, bool, str, str]:
    return change.host, change.scope == "pool", change.pool, change.attribute


def _of_other_scope(candidate: _Candidate) -> str | None:
    if candidate.finding.scope == candidate.choice.scope:
        return None
    return "applicationPoolDefaults is planned only with --scope defaults"


def _doubted(candidate: _Candidate) -> str | None:
    doubts = [doubt for doubt in candidate.finding.doubts if doubt.kind not in candidate.choice.allowed]
    if not doubts:
        return None
    flags = sorted({_LIFTED_BY[doubt.kind] for doubt in doubts if doubt.kind in _LIFTED_BY})
    how = f" (planned with {' '.join(flags)})" if all(doubt.kind in _LIFTED_BY for doubt in doubts) else ""
    return "; ".join(doubt.text for doubt in doubts) + how


def _of_a_file(candidate: _Candidate) -> str | None:
    return None if candidate.host.file is None else "it was read from a file: plan from an audit of the server"


def _group_differs(candidate: _Candidate) -> str | None:
    if candidate.group.agree:
        return None
    names = ", ".join(member.host for member in candidate.group.hosts if member is not candidate.host)
    return f"{names} must be the same machine or share its configuration, and shows other pools or settings"


def _is_twin(candidate: _Candidate) -> str | None:
    return "two pools of this server have this name" if len(candidate.pools) > 1 else None


def _has_no_name(candidate: _Candidate) -> str | None:
    if plannable(candidate.group.leader.host):
        return None
    return "this inventory name cannot be a file's name; give the host an alias of letters, digits, '.', '-' and '_'"


def _vetoed(candidate: _Candidate) -> str | None:
    words = {member.host: member.vars.get("remediate_fix") for member in candidate.group.hosts}
    for name, word in words.items():
        if word == "none":
            return f"remediate_fix is none for {'this host' if name == candidate.host.host else name}"
        if word is not None and word not in FIXES:
            return f"remediate_fix is {word!r} for {name}: write idle-timeout, on-demand or none"
    if len(set(words.values())) > 1:
        return f"remediate_fix differs between {' and '.join(words)}, and one change reaches all of them"
    return None


def _does_not_help(candidate: _Candidate) -> str | None:
    if candidate.fix in candidate.finding.fixes:
        return None
    return f"{candidate.fix} does not help against {candidate.finding.rule}"


def _has_old_powershell(candidate: _Candidate) -> str | None:
    version = candidate.group.leader.powershell_version
    return None if _major_minor(version) >= (5, 1) else f"PowerShell {version} is too old for Ansible's modules (5.1)"


# Why a finding is not planned: the first that gives a reason counts.
_CHECKS: tuple[Callable[[_Candidate], str | None], ...] = (
    _of_other_scope, _doubted, _of_a_file, _group_differs, _is_twin, _has_no_name, _vetoed, _does_not_help,
    _has_old_powershell,
)  # fmt: skip


def _chosen(host: Inspection) -> FixName | None:
    """The host's own word, the variable remediate_fix, comes before --fix."""
    return next((name for name in FIXES if name == host.vars.get("remediate_fix")), None)


def _major_minor(version: str | None) -> tuple[int, int]:
    match = re.match(r"(\d{1,9})\.(\d{1,9})(?!\d)", version or "")
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _change(candidate: _Candidate) -> Change:
    finding, group, fix = candidate.finding, candidate.group, FIXES[candidate.fix]
    host, attribute = group.leader, fix.attribute
    if finding.scope == "defaults":
        found = host.defaults
        # What the pool does not say itself is inherited; an unknown source may be.
        pools = tuple(
            p for p in host.pools if attribute not in p.attributes or p.attributes[attribute].source != "pool"
        )
        recycle = defaults_forecast(pools)
    else:
        (pool,) = pools = candidate.pools
        found, recycle = pool.attributes, recycle_forecast(pool, attribute)
    given = {name: found[name].value for name in CONDITION if name != attribute and name in found}
    return Change(
        host=host.host, machine=host.machine, also=tuple(member.host for member in group.hosts if member is not host),
        scope=finding.scope, pool=finding.pool, attribute=attribute, expect=found[attribute].value,
        expect_source=found[attribute].source, given=given, set=fix.set, recycle=recycle,
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
