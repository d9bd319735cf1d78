"""What a run of a plan did, host by host, and the proof of it."""

from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.fleet import Source
from remediate.values.plans import Change

RunStatus = Literal["changed", "unchanged", "pending", "stale", "failed", "unreachable", "unknown", "not-reached"]


class RunChange(Change, frozen=True, kw_only=True):
    """A change and what became of it. ``written`` None: it was begun, and no answer is recorded."""

    found: str | None = None
    found_source: Source | None = None
    written: bool | None = False
    verified: bool = False


class HostResult(Struct, frozen=True, kw_only=True):
    """What a run did on one host. ``unknown``: begun, and the record ends before the answer.

    ``sent`` False: the host failed before anything of the change went to it. None: not known.
    """

    host: str
    status: RunStatus
    detail: str | None = None
    backup: str | None = None
    changes: tuple[RunChange, ...] = ()
    sent: bool | None = None


class HostProof(Struct, frozen=True, kw_only=True):
    """What a second read of a host found after the run: so many changes as wanted, and a line for each other one."""

    host: str
    verified: int = 0
    broken: tuple[str, ...] = ()


class Proof(Struct, frozen=True, kw_only=True):
    """The second read of the hosts that a run changed or found as wanted, sorted by host.

    ``finished_at`` is None where it was interrupted: hosts are missing then.
    """

    started_at: str
    finished_at: str | None = None
    hosts: tuple[HostProof, ...] = ()


class Run(Struct, frozen=True, kw_only=True):
    """One application of a plan. ``finished_at`` is None where the record ends early, or the run goes on.

    ``proof`` is None where nobody read the hosts again: `remediate apply` does, plain ansible-playbook does not.
    """

    format: Literal["remediate.run"] = "remediate.run"
    format_version: int = 1
    tool_version: str = __version__
    run: str
    plan_digest: str
    check: bool = False
    started_at: str
    finished_at: str | None = None
    running: bool = False
    hosts: tuple[HostResult, ...]
    proof: Proof | None = None
