"""What an audit finds: rules that hold for pools, with grades and doubts."""

from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.fleet import HostReport

FixName = Literal["idle-timeout", "on-demand"]
Level = Literal["finding", "note"]
Grade = Literal["possible", "likely", "confirmed"]
# A pool, or what all pools inherit: applicationPoolDefaults.
Scope = Literal["pool", "defaults"]
# Why a person should look before a pool is changed; see diagnose/rules.py.
DoubtKind = Literal["name", "stopped", "unmanaged", "unused", "shared"]


class Doubt(Struct, frozen=True):
    """A reason not to change a pool without a person's word; a plan can be told to go on in spite of its kind."""

    kind: DoubtKind
    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """A rule that holds for a pool, or with the scope ``defaults`` for applicationPoolDefaults."""

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
    hosts: int
    inspected: int
    unreachable: int
    failed: int
    skipped: int
    pools: int
    findings: int
    notes: int


class Audit(Struct, frozen=True, kw_only=True):
    """One look at a fleet."""

    format: Literal["remediate.audit"] = "remediate.audit"
    format_version: int = 1
    tool_version: str = __version__
    started_at: str
    finished_at: str
    hosts: tuple[HostReport, ...]
    findings: tuple[Finding, ...]
    summary: AuditSummary
