"""The values of an audit: the reports on hosts, and the rules that hold for pools, with grades and doubts."""

from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.fleet import HostReport

FixName = Literal["idle-timeout", "on-demand"]
Level = Literal["finding", "note"]
Grade = Literal["possible", "likely", "confirmed"]
# A pool, or what all pools inherit: applicationPoolDefaults.
Scope = Literal["pool", "defaults"]
# Why a person should look at a pool before it is changed. The name has characters that IIS's API refuses, the pool is
# stopped, it runs no managed code, no application uses it, or the configuration is shared.
DoubtKind = Literal["name", "stopped", "unmanaged", "unused", "shared"]


class Doubt(Struct, frozen=True):
    """A reason to plan no change of a pool until a person has decided.

    ``kind``: The kind of the doubt. Options of ``remediate plan`` set aside all kinds but ``name``.
    ``text``: The reason, for a person.
    """

    kind: DoubtKind
    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """A rule that holds for one pool, or for applicationPoolDefaults.

    ``rule``: The id of the rule, such as ``RM001``.
    ``level``: ``finding`` or ``note``. A note is not counted as a finding. It is planned only where it is about
        applicationPoolDefaults and the plan is too.
    ``host``: The ``host`` of the report.
    ``scope``: ``pool``, or ``defaults`` where the rule holds for applicationPoolDefaults.
    ``pool``: The pool's name as the server spells it. With the scope ``defaults`` it is ``applicationPoolDefaults``,
        which may be the name of a pool too.
    ``grade``: How sure the finding is: ``possible`` by the settings alone, ``likely``, or ``confirmed`` by logged
        exceptions. With the scope ``defaults`` it is ``possible``.
    ``reasons``: What the settings show, and with --evidence what the event logs show or cannot show, as texts for a
        person. There is at least one.
    ``doubts``: The reasons to leave the pool undecided. Empty where there are none.
    ``fixes``: The fixes that help against this rule. The planner plans no other.
    """

    rule: str
    level: Level
    host: str
    scope: Scope = "pool"
    pool: str
    grade: Grade
    reasons: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()
    fixes: tuple[FixName, ...]


class AuditSummary(Struct, frozen=True):
    """The counts of an audit.

    ``hosts``: The number of reports, whatever their status.
    ``inspected``: The number of reports with the status ``inspected``.
    ``unreachable``: The number of reports with the status ``unreachable``.
    ``failed``: The number of reports with the status ``failed``.
    ``skipped``: The number of reports with the status ``skipped``.
    ``pools``: The number of pools of all inspected hosts.
    ``findings``: The number of findings with the level ``finding``.
    ``notes``: The number of findings with the level ``note``.
    """

    hosts: int
    inspected: int
    unreachable: int
    failed: int
    skipped: int
    pools: int
    findings: int
    notes: int


class Audit(Struct, frozen=True, kw_only=True):
    """The reports and findings of one audit of a fleet or of configuration files.

    ``format``: The kind of the file. A file with another kind is refused.
    ``format_version``: The version of the format. A newer version is refused.
    ``tool_version``: The version of remediate that made the audit.
    ``started_at``: When the audit began, in RFC 3339, in UTC, in whole seconds.
    ``finished_at``: When the audit ended, in the same form. ``plan --from`` computes the age of the audit from it.
    ``hosts``: One report for each host. Those of a fleet are sorted by name, those of files are in the order of
        reading.
    ``findings``: The findings and notes, sorted by host, pool and rule. With ``--rules`` only those of the named rules.
    ``summary``: The counts of the reports and the findings.
    """

    format: Literal["remediate.audit"] = "remediate.audit"
    format_version: int = 1
    tool_version: str = __version__
    started_at: str
    finished_at: str
    hosts: tuple[HostReport, ...]
    findings: tuple[Finding, ...]
    summary: AuditSummary
