"""What a plan would change."""

from typing import Literal

from msgspec import Struct

from remediate import __version__
from remediate.values.findings import Scope
from remediate.values.fleet import Source

# The only attributes that are ever written.
Writable = Literal["startMode", "processModel.idleTimeout"]
Recycle = Literal["now", "deferred", "none", "unknown"]


class Change(Struct, frozen=True, kw_only=True):
    """One attribute of one pool, to be written if it is still at ``expect`` and ``given`` still holds.

    ``set`` None clears the attribute: it is inherited again, and ``inherits`` is the value that this must give.
    ``also`` are the other inventory names that the change reaches: of the same machine, or of servers that share its
    configuration. With the scope ``defaults`` it is applicationPoolDefaults that changes, and ``inherited_by`` the
    pools that follow it.
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
    host: str
    pool: str
    reason: str


class NotInspected(Struct, frozen=True):
    host: str
    status: str
    detail: str


class Plan(Struct, frozen=True, kw_only=True):
    """Sorted by host, pool and attribute. ``digest`` covers the other files of the plan directory.

    ``undoes``: the name of the run that it is the inverse of.
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
