"""The hosts of a plan that a run begins, and those that it leaves out, each with the reason. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from remediate.amounts import hosts_of
from remediate.errors import IncompleteError, RemediateError, StaleError
from remediate.fleet.inventory import Fleet, Target
from remediate.fleet.limit import asked_for
from remediate.iis.attributes import FIXES
from remediate.values.fleet import Failed, Skipped
from remediate.values.plans import Plan
from remediate.values.runs import HostResult


class Selection(Struct, frozen=True):
    """``targets`` are the planned hosts that ``--limit`` asks for. ``left_out`` has, by name, the results of those of
    them that are not begun."""

    targets: tuple[Target, ...]
    left_out: dict[str, HostResult]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(target.host for target in self.targets)

    @property
    def begun(self) -> list[str]:
        """The names of the hosts that the run begins, sorted."""
        return sorted(self.names - self.left_out.keys())


def select(plan: Plan, fleet: Fleet, limit: str | None) -> Selection:
    """IncompleteError where the inventory lacks a planned host, RemediateError where the limit leaves none."""
    planned = {change.host for change in plan.changes}
    missing = asked_for(limit, planned - fleet.names)
    if missing:
        what = f"not in the inventory: {', '.join(sorted(missing))}; nothing was done"
        raise IncompleteError(f"{what}. Give the plan's inventory, or make a new plan.")
    targets = tuple(target for target in fleet.targets if target.host in planned)
    if not targets:
        raise RemediateError(f"no planned host matches {limit!r}")
    return Selection(targets, _unreachable(targets) | (_vetoed(plan, targets) if plan.undoes is None else {}))


def check_selection(selection: Selection, max_failures: str) -> None:
    """Refuse to begin where too many hosts cannot be reached, or none is left. They count as failed before batch 1.

    IncompleteError; StaleError where every host is left out since its variables changed after the plan.
    """
    total = len(selection.targets)
    failed = sum(host.status == "failed" for host in selection.left_out.values())
    if failed == total or failed > hosts_of(max_failures, total):
        hosts = f"{failed} host" if failed == 1 else f"{failed} hosts"
        what = f"{hosts} of {total} cannot be reached with these variables"
        raise IncompleteError(f"{what}, and --max-failures is {max_failures}: nothing was done")
    if not selection.begun:
        raise (IncompleteError if failed else StaleError)("nothing was done")


def _unreachable(targets: Iterable[Target]) -> dict[str, HostResult]:
    """The hosts that no run can reach, by their variables.

    Ansible is not started for them: it would fail there too, and quote in its log what it could not read.
    """
    return {
        target.host: HostResult(host=target.host, status="failed", detail=target.detail)
        for target in targets
        if isinstance(target, Failed | Skipped)
    }


def _vetoed(plan: Plan, targets: Iterable[Target]) -> dict[str, HostResult]:
    """The hosts whose remediate_fix names another fix by now. An undo is not asked for a fix."""
    vetoed: dict[str, HostResult] = {}
    for target in targets:
        word = None if isinstance(target, Failed | Skipped) else target.vars.get("remediate_fix")
        made = _fixes(plan, target.host)
        if word is not None and word not in made:
            detail = f"remediate_fix is {word!r} here now, and the plan is for {', '.join(made)}: make a new plan"
            vetoed[target.host] = HostResult(host=target.host, status="stale", detail=detail)
    return vetoed


def _fixes(plan: Plan, host: str) -> list[str]:
    """The names of the fixes that the plan has for this host."""
    attributes = {change.attribute for change in plan.changes if change.host == host}
    return [name for name, fix in FIXES.items() if fix.attribute in attributes]
