"""What a run did on a host, and a fresh look at it -> whether each change holds. Pure."""

from remediate.iis.names import iis_key
from remediate.values.fleet import HostReport, Inspection
from remediate.values.runs import HostProof, HostResult, RunChange


def prove(result: HostResult, report: HostReport) -> HostProof:
    """Of a host that the run changed or found as wanted; ``report`` is what an inspection found since."""
    if not isinstance(report, Inspection):
        return HostProof(host=result.host, broken=(f"could not be read again: {report.detail}",))
    lines = tuple(line for change in result.changes if (line := _broken(change, report)) is not None)
    return HostProof(host=result.host, verified=len(result.changes) - len(lines), broken=lines)


def _broken(change: RunChange, report: Inspection) -> str | None:
    wanted = change.set if change.set is not None else change.inherits
    if change.scope == "defaults":
        default = report.defaults.get(change.attribute)
        found = None if default is None else default.value
    else:
        pool = next((p for p in report.pools if iis_key(p.name) == iis_key(change.pool)), None)
        found = None if pool is None else pool.value(change.attribute)
    if found == wanted:
        return None
    return f"{change.pool}: {change.attribute} is {found or 'not there'}, expected {wanted}"
