"""The rules that make findings from inspections, each with its text for `remediate explain`. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from remediate.audit.grades import Known, grade, known
from remediate.causation import PATTERN, confirming_words
from remediate.iis.attributes import AT_RISK, CONDITION, IDLE_ACTION, IDLE_TIMEOUT, START_MODE, ends_when_idle, seconds
from remediate.values.findings import Doubt, DoubtKind, Finding, FixName, Level
from remediate.values.fleet import HostReport, Inspection, Pool, Value

# The ``pool`` of a finding whose scope is the defaults of all pools. A pool may have that name too.
DEFAULTS = "applicationPoolDefaults"


@dataclass(frozen=True)
class Rule:
    """``level`` is the level of its findings. A finding that is confirmed, or whose rule was named by --rules, is no
    note."""

    id: str
    level: Level
    fixes: tuple[FixName, ...]
    find: Callable[[Inspection], Iterator[tuple[str, tuple[str, ...], Pool | None]]]
    text: str


def find(hosts: Iterable[HostReport], asked: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """All findings, sorted by host, pool and rule. If ``asked`` is not empty, only the findings of these rules."""
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
    # A fault that was logged is a finding, whatever the rule.
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
    """The line of the value, if it was read from a file."""
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
RM001 periodic: the pool is AlwaysRunning, and its worker is ended when it is idle for too long.

IIS starts the worker again at once and sends the application a request of its own. An ASP.NET application that
writes to the response of that request logs HttpException 0x80070032. This occurs after each idle time-out and at
each recycle.

The settings are startMode AlwaysRunning, processModel.idleTimeout over zero, and processModel.idleTimeoutAction
Terminate (before IIS 8.5 an idle worker is always ended). By inference, Suspend pages the worker out and starts none.

The grade is `likely` if an application has preloadEnabled, the Application Initialization module is installed and
the pool runs managed code, since these send the request. Otherwise it is `possible`. `audit --evidence` reads the
event logs too. The grade is then also `likely` if idle stops (5186, and 5195 when memory runs low) follow each other
at the idle time-out. It is `confirmed` by the exception itself (1309) with its frames: {PATTERN} errors or more, or one
error of a request from the server itself, that came {confirming_words()}.
A failure of the worker confirms nothing. `remediate diagnose --audit` confirms by the same rules.

The fix idle-timeout (idleTimeout=0) ends the periodic errors and leaves the errors at recycles. The DISA STIG for IIS
counts this setting as a finding (V-218762, V-214474).

The fix on-demand (startMode=OnDemand) ends both where no application has preloadEnabled. Where an application has
it, the error may still occur with the first client's request after a start and at recycles, since it is not clearly
documented whether IIS preloads under OnDemand. With this fix the first request after a start is slow, and work that
needs a warm process stops.

The audit does not read <applicationInitialization doAppInitAfterRestart="true"> in a web.config or in
applicationHost.config. It causes the request at each restart of the application, under any startMode and without an
event of the pool.
""",
        ),
        Rule(
            "RM002", "note", ("on-demand",), _recycle,
            """\
RM002 recycle: the pool is AlwaysRunning, and its worker is not ended when idle (idleTimeout 0, or Suspend).

The periodic errors of RM001 do not occur. IIS still sends the application a request of its own when the pool is
recycled or the server starts, and HttpException 0x80070032 can be logged then. The result is a note, unless the rule
is named with `--rules RM002` or `audit --evidence` confirms it (see RM001).

The fix is on-demand (startMode=OnDemand). Where an application has preloadEnabled, the error may still occur with the
first client's request after a start and at recycles (see RM001). Where the pool must stay warm, the error can only be
filtered in the application's own logger. `remediate log-filter` prints a filter for NLog, log4net, Serilog or ELMAH.
""",
        ),
        Rule(
            "RM004", "note", ("idle-timeout", "on-demand"), _defaults,
            """\
RM004 defaults: applicationPoolDefaults is AlwaysRunning, with an idle time-out over zero.

Every new pool has the condition of RM001, and so has every pool without values of its own. RM001 finds the existing
pools one by one, and a plan changes these pools. Only `plan --scope defaults` changes the defaults themselves. Every
pool without a value of its own then inherits the new value, and the plan names these pools. It is not documented
whether IIS recycles them.

The fixes are those of RM001, on applicationPoolDefaults.
""",
        ),
    )
}  # fmt: skip
