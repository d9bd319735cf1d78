"""The values that travel through the program, frozen, in the spelling of the files they are saved in.

A host's trouble is a value here (`Unreachable`, `Failed`, `Skipped`), not an exception.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from remediate import __version__
from remediate.evidence import Evidence, WorkerEventKind
from remediate.evidence import Source as LogSource

Source = Literal["pool", "application", "site", "defaults", "schema", "unknown"]
FixName = Literal["idle-timeout", "on-demand"]
Level = Literal["finding", "note"]
Grade = Literal["possible", "likely", "confirmed"]
# The only attributes that are ever written.
Writable = Literal["startMode", "processModel.idleTimeout"]
Recycle = Literal["now", "deferred", "none", "unknown"]
# A pool, or what all pools inherit: applicationPoolDefaults.
Scope = Literal["pool", "defaults"]
# Why a person should look before a pool is changed; see diagnose/rules.py.
DoubtKind = Literal["name", "stopped", "unmanaged", "unused", "shared"]


class Value(Struct, frozen=True):
    """An effective value in IIS's spelling, and where it came from.

    ``unknown``: the configuration API and the file disagree about that.
    """

    value: str
    source: Source
    line: int | None = None


class Application(Struct, frozen=True):
    """``path`` is the site's name and the virtual path: ``Default Web Site/shop``; ``site`` the site's number."""

    path: str
    preloadEnabled: Value | None = None
    site: int | None = None


class Pool(Struct, frozen=True):
    """An application pool; an attribute that this version of IIS does not know is absent."""

    name: str
    state: str
    attributes: dict[str, Value]
    applications: tuple[Application, ...] = ()

    def value(self, attribute: str) -> str | None:
        """The effective value, or None where this IIS does not know the attribute."""
        found = self.attributes.get(attribute)
        return None if found is None else found.value


class TimeZone(Struct, frozen=True):
    """A server's time zone as it reports it. iis/time_zone.py decides whether it can be used.

    ``id`` is Windows' name of it (``W. Europe Standard Time``). ``offsets`` are minutes east of UTC, at the
    inspection's ``clock`` and every 30 days before it for a year.
    """

    id: Annotated[str, Meta(max_length=100)]
    offsets: Annotated[tuple[Annotated[int, Meta(ge=-900, le=900)], ...], Meta(min_length=13, max_length=13)]


class Inspection(Struct, frozen=True, kw_only=True, tag_field="status", tag="inspected"):
    """What one host answered. ``iis_version`` is None where IIS is not installed; ``warning`` is for a person."""

    host: str
    detail: str | None = None
    warning: str | None = None
    machine: str
    iis_version: str | None = None
    windows_version: str | None = None
    powershell_version: str | None = None
    clock: str | None = None
    time_zone: TimeZone | None = None
    appinit_module: bool = False
    shared_config: str | None = None
    vars: dict[str, str] = {}
    file: str | None = None
    defaults: dict[str, Value] = {}
    pools: tuple[Pool, ...] = ()
    evidence: Evidence | None = None


class Unreachable(Struct, frozen=True, tag_field="status", tag="unreachable"):
    """No session could be had with the host."""

    host: str
    detail: str


class Failed(Struct, frozen=True, tag_field="status", tag="failed"):
    """The host was reached, and could not be inspected; or its variables are wrong."""

    host: str
    detail: str


class Skipped(Struct, frozen=True, tag_field="status", tag="skipped"):
    """Not a Windows host: nothing to do with it."""

    host: str
    detail: str


HostReport = Inspection | Unreachable | Failed | Skipped


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


# confirmed: the exception with its frames, at times that a second source explains. consistent: all that could be
# checked speaks for it, and a symptom was seen. undetermined: what was read neither shows it nor speaks against it.
# unsupported: what could be checked speaks against it. other-cause: another code, or a client went away.
Verdict = Literal["confirmed", "consistent", "undetermined", "unsupported", "other-cause"]
SymptomName = Literal["after-recycle", "periodic", "local-request", "not-in-iis-log"]
SymptomState = Literal["seen", "contradicted", "not-checkable"]
Remedy = Literal["idle-timeout", "on-demand", "log-filter"]


class Symptom(Struct, frozen=True):
    """One of the fault's symptoms. ``text``: what was seen, or what would make it checkable."""

    state: SymptomState
    text: str


class Attribution(Struct, frozen=True):
    """How many errors followed an idle stop, a recycle or start, or nothing that is known.

    ``by_gap``: how many of the first two are inferred from the time before them; no event tells of them.
    """

    idle: int = 0
    recycle: int = 0
    unexplained: int = 0
    by_gap: int = 0


class Mark(Struct, frozen=True):
    """A moment of the timeline: an error, or an event of the pool or its server."""

    time: datetime
    kind: Literal["error"] | WorkerEventKind


class Stream(Struct, frozen=True, kw_only=True):
    """The errors of one code of one application, and what they mean. ``period_confidence`` is from 0 to 1.

    ``marks`` are the latest, sorted; ``marks_left_out`` are earlier.
    """

    host: str | None = None
    application: str | None = None
    pool: str | None = None
    code: str
    count: int
    first: datetime | None = None
    last: datetime | None = None
    period_seconds: float | None = None
    period_confidence: float = 0.0
    verdict: Verdict
    attribution: Attribution
    recycle_causes: dict[str, int] = {}
    symptoms: dict[SymptomName, Symptom]
    reasons: tuple[str, ...]
    fixes: tuple[Remedy, ...] = ()
    marks: tuple[Mark, ...] = ()
    marks_left_out: int = 0


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What logs, events and settings say together."""

    format: Literal["remediate.diagnosis"] = "remediate.diagnosis"
    format_version: int = 1
    tool_version: str = __version__
    created_at: str
    sources: tuple[LogSource, ...]
    streams: tuple[Stream, ...]


class Inventory(Struct, frozen=True, kw_only=True):
    """Which inventories, which of their hosts, and how their vaults open (Ansible's ``label@source``).

    The rest is what Ansible takes on its command line; ``extra_vars`` may hold secrets.
    """

    sources: tuple[str, ...]
    limit: str | None = None
    vault_ids: tuple[str, ...] = ()
    ask_vault: bool = False
    extra_vars: tuple[str, ...] = ()
    user: str | None = None
    connection: str | None = None
    private_key: str | None = None
    ask_pass: bool = False
    password_file: str | None = None

    def __repr__(self) -> str:
        return f"Inventory({self.sources})"


class RemediateError(Exception):
    """Our own trouble, or the user's: one line that says what, where, and what to do. Exit 1."""


def status_of(report: HostReport) -> str:
    """The report's ``status`` in its JSON."""
    return str(report.__struct_config__.tag)


def fold(name: str) -> str:
    """The form in which names compare without case: by .NET's OrdinalIgnoreCase, which the scripts use.

    Each character by itself stands for its simple upper case: ``Straße`` and ``STRASSE`` are two names. That IIS
    compares without case is in its schema; how it does so outside ASCII is not known. The form is in lower case.
    """
    return name.lower() if name.isascii() else "".join(map(_folded, name))


def _folded(char: str) -> str:
    upper = _upper(char)
    lower = upper.lower()
    return lower if len(lower) == 1 and _upper(lower) == upper else upper


def _upper(char: str) -> str:
    # .NET leaves these two as they are, which Unicode maps into ASCII; and .NET Framework all beyond 16 bits.
    if char in "\u0131\u017f" or char > "\uffff":
        return char
    upper = char.upper()
    if len(upper) > 1:
        # The full mapping. The simple one, if there is any, is then that of the title case.
        upper = char.title()
    return upper if len(upper) == 1 else char


def encode(value: Struct) -> bytes:
    """Indented JSON with a newline at the end. It can always be read again."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(spelled_out(msgspec.to_builtins(value)))
    return msgspec.json.format(data, indent=2) + b"\n"


def spelled_out(value: Any) -> Any:
    """The same, with halves of UTF-16's pairs as escapes: UTF-8 has none, and the name of a file may hold some."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {spelled_out(key): spelled_out(inner) for key, inner in value.items()}
    return [spelled_out(inner) for inner in value] if isinstance(value, list | tuple) else value
