"""The rules: Inspection -> Findings. Pure."""

from collections.abc import Iterable

from remediate.iis.attributes import IDLE_ACTION, IDLE_TIMEOUT, START_MODE, legal_name, seconds
from remediate.model import Finding, Grade, HostReport, Inspection, Pool


def find(hosts: Iterable[HostReport]) -> tuple[Finding, ...]:
    """All findings, sorted by host, pool and rule."""
    found = [
        finding
        for host in hosts
        if isinstance(host, Inspection)
        for pool in host.pools
        if (finding := periodic(host, pool)) is not None
    ]
    return tuple(sorted(found, key=lambda f: (f.host, f.pool, f.rule)))


def periodic(host: Inspection, pool: Pool) -> Finding | None:
    """RM001: always running, and yet ended when idle, so that IIS starts it again at each idle time-out.

    Suspend is not part of the condition: the worker is paged out then, not ended, so by inference nothing starts.
    Where IIS does not know idleTimeoutAction (before 8.5), it always terminates.
    """
    idle = pool.value(IDLE_TIMEOUT)
    if pool.value(START_MODE) != "AlwaysRunning" or idle is None or seconds(idle) == 0:
        return None
    if pool.value(IDLE_ACTION) == "Suspend":
        return None
    grade, evidence = _grade(host, pool)
    return Finding(
        rule="RM001", level="finding", host=host.host, pool=pool.name, grade=grade,
        reasons=(f"AlwaysRunning with an idle time-out of {idle}", *evidence),
        doubts=_doubts(host, pool), fixes=("idle-timeout", "on-demand"),
    )  # fmt: skip


def _grade(host: Inspection, pool: Pool) -> tuple[Grade, tuple[str, ...]]:
    """*likely* when all that sends the start-up request is there; settings alone are *possible*."""
    preloading = [a.path for a in pool.applications if a.preloadEnabled and a.preloadEnabled.value == "true"]
    if preloading and host.appinit_module and pool.value("managedRuntimeVersion"):
        return "likely", (
            f"preloadEnabled on {', '.join(preloading)}, and the Application Initialization module is there",
        )
    if preloading:
        return "possible", (f"preloadEnabled on {', '.join(preloading)}",)
    return "possible", ("no application with preloadEnabled: settings alone",)


def _doubts(host: Inspection, pool: Pool) -> tuple[str, ...]:
    checks = (
        (not legal_name(pool.name), "its name holds characters that IIS's configuration API refuses"),
        (pool.state == "Stopped", "the pool is stopped"),
        (not pool.value("managedRuntimeVersion"), "it runs no managed code"),
        (not pool.applications, "no application uses it"),
        (
            host.shared_config is not None,
            f"shared configuration ({host.shared_config}): one edit changes every server of it",
        ),
    )
    return tuple(text for holds, text in checks if holds)
