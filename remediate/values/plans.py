"""The values of a plan."""

from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.findings import Scope
from remediate.values.fleet import Source

# The only attributes that are ever written.
Writable = Literal["startMode", "processModel.idleTimeout"]
Recycle = Literal["now", "deferred", "none", "unknown"]


class Change(Struct, frozen=True, kw_only=True):
    """One attribute of one pool or of applicationPoolDefaults, and the value that it gets by compare-and-set.

    ``host``: The inventory name through which the change is made.
    ``machine``: The computer name that the server must have. Another machine is refused as stale.
    ``also``: The other inventory names that the change reaches: of the same machine, or of servers that share its
        configuration. Empty where there are none.
    ``scope``: ``pool``, or ``defaults`` where applicationPoolDefaults is changed.
    ``pool``: The pool's name. With the scope ``defaults`` it is ``applicationPoolDefaults``.
    ``attribute``: The dotted name of the attribute.
    ``expect``: The effective value that must be found, in IIS's spelling. Where another value is found, the change is
        stale, unless that is the wanted value.
    ``expect_source``: Where ``expect`` came from, see `Value`. It is not compared.
    ``given``: Other attributes, and the effective values that they must have, or else the change is stale. Empty in an
        undo.
    ``set``: The value to write, in IIS's spelling. None clears the attribute, so that it is inherited again.
    ``inherits``: The effective value that clearing must give. None where a value is written.
    ``recycle``: Whether the change recycles running workers: ``now``, ``deferred`` to the next start of the worker,
        ``none``, or ``unknown`` where it is not documented. In an undo it is that of the change that is undone.
    ``rules``: The ids of the rules that led to the change.
    ``inherited_by``: With the scope ``defaults`` the names of the pools that inherit the attribute, sorted. Else empty.
    ``applications``: The paths of the applications of all pools that the change reaches, sorted.
    ``reason``: Why the change is made, for a person.
    """

    host: str
    machine: str
    also: tuple[str, ...] = ()
    scope: Scope = "pool"
    pool: str
    attribute: Writable
    expect: str
    expect_source: Source
    given: dict[str, str] = {}
    set: str | None
    inherits: str | None = None
    recycle: Recycle
    rules: tuple[str, ...] = ()
    inherited_by: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    reason: str


class Undecided(Struct, frozen=True):
    """A finding that is not planned.

    ``host``: The host of the finding.
    ``pool``: The pool of the finding, or ``applicationPoolDefaults``.
    ``reason``: Why it is not planned, for a person.
    """

    host: str
    pool: str
    reason: str


class NotInspected(Struct, frozen=True):
    """A host about which the plan knows nothing.

    ``host``: The ``host`` of its report or result.
    ``status``: The status of the host's report in the audit. In an undo it is that of its result in the run.
    ``detail``: The reason, for a person.
    """

    host: str
    status: str
    detail: str


class Plan(Struct, frozen=True, kw_only=True):
    """The changes of one plan.

    ``format``: The kind of the file. A file with another kind is refused.
    ``format_version``: The version of the format. A newer version is refused.
    ``tool_version``: The version of remediate that made the plan.
    ``created_at``: When it was made, in RFC 3339, in UTC, in whole seconds.
    ``digest``: The SHA-256 over the other files of the plan directory, see docs/files.md. Empty until that is written.
    ``undoes``: The name of the run that the plan undoes. None where the plan was made from an audit.
    ``changes``: The changes, sorted by host, scope (``defaults`` first), pool and attribute.
    ``undecided``: The findings that are not planned, sorted by host, pool and reason. Empty in an undo.
    ``not_inspected``: The hosts that the audit did not inspect. In an undo those where it is not known what was
        written.
    """

    format: Literal["remediate.plan"] = "remediate.plan"
    format_version: int = 1
    tool_version: str = __version__
    created_at: str
    digest: str = ""
    undoes: str | None = None
    changes: tuple[Change, ...]
    undecided: tuple[Undecided, ...] = ()
    not_inspected: tuple[NotInspected, ...] = ()
