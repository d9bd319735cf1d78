"""The rules: Inspection -> Findings. Pure. What each rule means, for `remediate explain`, stands beside it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from remediate.audit.grades import Known, grade, known
from remediate.causation import PATTERN, confirming_words
from remediate.iis.attributes import AT_RISK, CONDITION, IDLE_ACTION, IDLE_TIMEOUT, START_MODE, ends_when_idle, seconds
from remediate.values.findings import Doubt, DoubtKind, Finding, FixName, Level
from remediate.values.fleet import HostReport, Inspection, Pool, Value

# What stands in a finding's ``pool`` when its scope is the defaults of all pools. A pool may have that name too.
DEFAULTS = "applicationPoolDefaults"


@dataclass(frozen=True)
class Rule:
    """``level`` is what a finding counts as; asked for by name, or confirmed by what happened, it is a finding."""

    id: str
    level: Level
    fixes: tuple[FixName, ...]
    find: Callable[[Inspection], Iterator[tuple[str, tuple[str, ...], Pool | None]]]
    text: str


def find(hosts: Iterable[HostReport], asked: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """All findings, sorted by host, pool and rule; only of the rules ``asked`` for, where some are."""
    inspected = [host for host in hosts if isinstance(host, Inspection)]
    evidence = known(inspected)
    found = [
        _finding(rule, rule.id in asked, host, evidence.get(host.host), name, reasons, pool)
        for host in inspected
        for rule in RULES.values()
        if not asked or rule.id in asked
        for name, reasons, pool in rule.find(host)
    ]
    return tuple(sorted(found, key=lambda f: (f.host, f.pool, f.rule)))


def _finding(
    rule: Rule,
    asked: bool,
    host: Inspection,
    known: Known | None,
    name: str,
    reasons: tuple[str, ...],
    pool: Pool | None,
) -> Finding:
    sure, evidence = ("possible", ()) if pool is None else grade(host, pool, known)
    # What was seen to happen is no mere note, whatever the rule.
    level: Level = "finding" if asked or sure == "confirmed" else rule.level
    return Finding(
        rule=rule.id, level=level, host=host.host, scope="defaults" if pool is None else "pool", pool=name,
        grade=sure, reasons=(*reasons, *evidence), doubts=tuple(_doubts(host, pool)), fixes=rule.fixes,
    )  # fmt: skip


def _periodic(host: Inspection) -> Iterator[tuple[str, tuple[str, ...], Pool | None]]:
    for pool in host.pools:
        idle = pool.value(IDLE_TIMEOUT)
        if AT_RISK.at_risk(*map(pool.value, CONDITION)):
            mode, time = _line(pool.attributes[START_MODE]), _line(pool.attributes[IDLE_TIMEOUT])
            yield pool.name, (f"AlwaysRunning{mode} with an idle time-out of {idle}{time}",), pool


def _line(value: Value) -> str:
    """Where the value stands, if it was read from a file."""
    return "" if value.line is None else f" (line {value.line})"


def _recycle(host: Inspection) -> Iterator[tuple[str, tuple[str, ...], Pool | None]]:
    for pool in host.pools:
        idle, action = pool.value(IDLE_TIMEOUT), pool.value(IDLE_ACTION)
        if pool.value(START_MODE) == "AlwaysRunning" and not ends_when_idle(idle, action):
            why = "is suspended when idle" if idle and seconds(idle) else "is never idle for too long"
            mode = _line(pool.attributes[START_MODE])
            yield pool.name, (f"AlwaysRunning{mode}, and {why}: the error can come at each recycle",), pool


def _defaults(host: Inspection) -> Iterator[tuple[str, tuple[str, ...], Pool | None]]:
    mode, idle, action = (host.defaults.get(name) for name in (START_MODE, IDLE_TIMEOUT, IDLE_ACTION))
    if mode is None or idle is None:
        return
    if AT_RISK.at_risk(mode.value, idle.value, action.value if action else None):
        what = f"AlwaysRunning{_line(mode)} with an idle time-out of {idle.value}{_line(idle)}"
        yield DEFAULTS, (f"every new pool would be {what}",), None


def _doubts(host: Inspection, pool: Pool | None) -> Iterator[Doubt]:
    doubts: list[tuple[DoubtKind, str]] = AT_RISK.server_doubts(host.shared_config)
    if pool is not None:
        runtime = pool.value("managedRuntimeVersion")
        doubts = [*doubts, *AT_RISK.pool_doubts(pool.name, pool.state, runtime, pool.applications)]
    return (Doubt(kind, text) for kind, text in doubts)


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "RM001", "finding", ("idle-timeout", "on-demand"), _periodic,
            f"""\
RM001 periodic: the pool is AlwaysRunning, and its worker is ended when it was idle for too long.

IIS starts the worker again at once and sends the application a request of its own. An ASP.NET application that
writes to that request's response logs HttpException 0x80070032: after each idle time-out, and at each recycle.

Seen in the settings: startMode AlwaysRunning, processModel.idleTimeout over zero, processModel.idleTimeoutAction
Terminate (before IIS 8.5 it always is). By inference, Suspend pages the worker out and nothing starts.
Graded `likely` where an application has preloadEnabled, the Application Initialization module is installed and the
pool runs managed code: that is what sends the request. Else `possible`. `audit --evidence` reads the event logs: idle
stops (5186, and 5195 where memory runs low) that follow each other at the idle time-out make `likely`. The exception
itself (1309) with its frames makes `confirmed`: {PATTERN} errors or more, or one of the server itself, that came
{confirming_words()}. A failure of the worker confirms nothing.
`remediate diagnose --audit` confirms by the same rules.

Fixes: idle-timeout (idleTimeout=0) ends the periodic errors and leaves those at recycle; the DISA STIG for IIS
counts it as a finding (V-218762, V-214474). on-demand (startMode=OnDemand) ends both where no application has
preloadEnabled; where one has, the error may still come with the first client's request after a start and at
recycles: whether IIS preloads under OnDemand is not documented clearly. The first request after a start is slow
then, and work that needs a warm process stops.

Not read: <applicationInitialization doAppInitAfterRestart="true"> in a web.config or in applicationHost.config. It
makes the request at each restart of the application, under any startMode and without an event of the pool.
""",
        ),
        Rule(
            "RM002", "note", ("on-demand",), _recycle,
            """\
RM002 recycle: the pool is AlwaysRunning, and its worker is not ended when idle (idleTimeout 0, or Suspend).

The periodic errors of RM001 do not come. IIS still sends the application a request of its own when the pool is
recycled or the server starts, and HttpException 0x80070032 can be logged then. A note, unless it is asked for with
`--rules RM002`, or `audit --evidence` confirms it (see RM001).

Fix: on-demand (startMode=OnDemand). Where an application has preloadEnabled, the error may still come with the
first client's request after a start and at recycles, see RM001. Where the pool must stay warm the error can only be
filtered in the application's own logger: `remediate log-filter` prints a filter for NLog, log4net, Serilog or ELMAH.
""",
        ),
        Rule(
            "RM004", "note", ("idle-timeout", "on-demand"), _defaults,
            """\
RM004 defaults: applicationPoolDefaults says AlwaysRunning, with an idle time-out over zero.

Every new pool, and every pool that says nothing itself, has RM001's condition. Pools that have it are found by
RM001, one by one, and a plan changes those. The defaults themselves are changed by `plan --scope defaults` alone:
every pool that says nothing itself follows, and the plan names them. It is not documented whether IIS recycles them.

Fixes: as for RM001, on applicationPoolDefaults.
""",
        ),
    )
}  # fmt: skip
