"""The steps of an audit of a fleet or of configuration files. Nothing is written on a server."""

from collections.abc import Callable, Sequence
from pathlib import Path

from remediate.amounts import hosts_of
from remediate.audit.summary import assemble
from remediate.fleet.inventory import Fleet
from remediate.fleet.offline import read_configs
from remediate.fleet.runner import inspect_all
from remediate.iis.schema import Version
from remediate.times import now
from remediate.values.findings import Audit
from remediate.values.fleet import HostReport


def audit_fleet(
    fleet: Fleet, forks: int, timeout: float, rules: frozenset[str], progress: Callable[[HostReport], None],
    evidence_days: int = 0,
) -> Audit:  # fmt: skip
    """Inspect every host of the fleet, ``forks`` at a time and each for ``timeout`` seconds.

    ``progress`` is called with each report as it comes. With ``evidence_days`` over 0 the event logs of so many days
    are read too.
    """
    started = now()
    return assemble(inspect_all(fleet, forks, timeout, progress, evidence_days), started, rules)


def audit_files(
    paths: Sequence[Path], version: Version, rules: frozenset[str], passed_over: Callable[[str], None]
) -> Audit:
    """Read applicationHost.config files, and those below folders, as IIS of that ``version`` does.

    ``passed_over`` is called with a line for each file or group of files that was left out.
    """
    started = now()
    return assemble(read_configs(paths, version, passed_over), started, rules)


def is_incomplete(audit: Audit, max_missing: str) -> bool:
    """Whether more hosts are missing than ``max_missing`` (an amount, see remediate.amounts) allows.

    An audit in which no host was inspected is incomplete, whatever is allowed.
    """
    summary = audit.summary
    return summary.unreachable + summary.failed > hosts_of(max_missing, summary.hosts) or summary.inspected == 0
