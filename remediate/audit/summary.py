"""Makes an audit from reports on hosts, with its findings and counts, and merges several audits."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from remediate.audit.rules import find
from remediate.iis.inspection import checked
from remediate.times import now
from remediate.values.findings import Audit, AuditSummary
from remediate.values.fleet import HostReport, Inspection


def assemble(hosts: Sequence[HostReport], started: str, rules: frozenset[str] = frozenset()) -> Audit:
    """The audit of these hosts, which began at ``started`` (RFC 3339) and ends now.

    ``rules`` are the ids of the rules that were asked for; empty for all of them.
    """
    findings = find(hosts, rules)
    status = Counter(type(host).__name__ for host in hosts)
    level = Counter(finding.level for finding in findings)
    summary = AuditSummary(
        hosts=len(hosts),
        inspected=status["Inspection"],
        unreachable=status["Unreachable"],
        failed=status["Failed"],
        skipped=status["Skipped"],
        pools=sum(len(host.pools) for host in hosts if isinstance(host, Inspection)),
        findings=level["finding"],
        notes=level["note"],
    )
    return Audit(started_at=started, finished_at=now(), hosts=tuple(hosts), findings=findings, summary=summary)


def merge(audits: Iterable[Audit], rules: frozenset[str] = frozenset()) -> Audit:
    """Merge saved audits. If a host is in two of them, the later report counts.

    The rules are applied again: the findings of a file may be those of an older version.
    """
    hosts: dict[str, HostReport] = {}
    ordered = sorted(audits, key=lambda audit: audit.finished_at)
    for audit in ordered:
        hosts |= {host.host: checked(host) if isinstance(host, Inspection) else host for host in audit.hosts}
    merged = assemble([hosts[name] for name in sorted(hosts)], ordered[0].started_at, rules)
    return msgspec.structs.replace(merged, started_at=min(audit.started_at for audit in ordered))
