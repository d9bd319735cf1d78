"""The values of a run: what it did on each host, and the proof."""

from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.fleet import Source
from remediate.values.plans import Change

# changed: what was to be written is written and verified. unchanged: all values were as wanted already. pending: a dry
# run found something to write. stale: the server or its variables are not as planned, and nothing was written. failed:
# the detail has the reason, and changes may be written. unreachable: Ansible could not connect, or lost the connection,
# and changes may be written. unknown: begun, and no answer is recorded. not-reached: not begun in this run.
RunStatus = Literal["changed", "unchanged", "pending", "stale", "failed", "unreachable", "unknown", "not-reached"]


class RunChange(Change, frozen=True, kw_only=True):
    """A change, and its result.

    Where a playbook without a plan made it, it comes from the server's answer: ``expect`` is the value that was found,
    and ``given``, ``rules`` and ``applications`` are empty.

    ``found``: The effective value that was found before the write. None where it is not known.
    ``found_source``: Where ``found`` came from, see `Value`. None where it is not known.
    ``written``: Whether the change was written. None where it is not known.
    ``verified``: Whether the server reported the wanted value: after the write, or because it was there already.
    """

    found: str | None = None
    found_source: Source | None = None
    written: bool | None = False
    verified: bool = False


class HostResult(Struct, frozen=True, kw_only=True):
    """What a run did on one host.

    ``host``: The inventory name.
    ``status``: The result, see `RunStatus`.
    ``detail``: The reason for the status, for a person. None where there is none.
    ``backup``: The name of the backup that was made on the server. None where none was made or none is known.
    ``changes``: The planned changes with their results. Of a playbook without a plan, those that the server reported.
        Empty where the host was not begun.
    ``sent``: Whether anything that may write was sent to the host. Where it is false, nothing was written. None where
        it is not recorded.
    """

    host: str
    status: RunStatus
    detail: str | None = None
    backup: str | None = None
    changes: tuple[RunChange, ...] = ()
    sent: bool | None = None


class HostProof(Struct, frozen=True, kw_only=True):
    """What the second read of a host found after the run.

    ``host``: The inventory name.
    ``verified``: The number of changes whose wanted value was found.
    ``broken``: A text for each other change, or a single one where the host could not be read. Empty where all hold.
    """

    host: str
    verified: int = 0
    broken: tuple[str, ...] = ()


class Proof(Struct, frozen=True, kw_only=True):
    """The second read of the hosts that a run changed or found as wanted.

    ``started_at``: When the second read began, in RFC 3339, in UTC, in whole seconds.
    ``finished_at``: When it ended, in the same form. None where it was interrupted: hosts are missing then.
    ``hosts``: What was found on each host, sorted by name.
    """

    started_at: str
    finished_at: str | None = None
    hosts: tuple[HostProof, ...] = ()


class Run(Struct, frozen=True, kw_only=True):
    """One run of a plan, or of a playbook without a plan, as its record has it.

    ``format``: The kind of the document.
    ``format_version``: The version of the format.
    ``tool_version``: The version of remediate that read the record.
    ``run``: The name of the run.
    ``plan_digest``: The ``digest`` of the plan. Empty for a playbook without a plan.
    ``check``: Whether it was a dry run, which writes nothing.
    ``started_at``: When the run began, in RFC 3339, in UTC, in whole seconds.
    ``finished_at``: When the run ended, in the same form. None where the record ends early, or the run goes on.
    ``running``: Whether the run still goes on, so that more may be written.
    ``hosts``: The hosts of the run, sorted by name.
    ``proof``: The second read. None where there was none: ``remediate apply`` makes it, plain ansible-playbook does
        not.
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
