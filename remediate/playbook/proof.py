"""A run and a fresh look at its hosts -> where a change does not hold. Pure."""

from collections.abc import Iterable

from remediate.model import HostReport, Inspection, Run, RunChange, fold


def broken(run: Run, reports: Iterable[HostReport]) -> tuple[str, ...]:
    """One line for each change of a finished host that a fresh inspection does not confirm."""
    seen = {report.host: report for report in reports}
    lines = []
    for host in run.hosts:
        if host.status not in ("changed", "unchanged"):
            continue
        report = seen.get(host.host)
        if not isinstance(report, Inspection):
            lines.append(
                f"{host.host}: could not be looked at again: {report.detail if report else 'not in the inventory'}"
            )
            continue
        lines += [line for change in host.changes if (line := _broken(change, report)) is not None]
    return tuple(lines)


def _broken(change: RunChange, report: Inspection) -> str | None:
    wanted = change.set if change.set is not None else change.inherits
    if change.scope == "defaults":
        default = report.defaults.get(change.attribute)
        found = None if default is None else default.value
    else:
        pool = next((p for p in report.pools if fold(p.name) == fold(change.pool)), None)
        found = None if pool is None else pool.value(change.attribute)
    if found == wanted:
        return None
    return f"{change.host}: {change.pool}: {change.attribute} is {found or 'not there'}, {wanted} was wanted"
