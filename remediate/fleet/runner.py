"""Many hosts at a time, each with a deadline.

Daemon threads and a queue, not an executor: a server that sends a byte now and then can hold a thread for as long
as it likes, and neither the report nor the end of the program may wait for it.
"""

import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from remediate.bugs import bug
from remediate.fleet.inventory import AnsibleHost, Fleet, WinrmHost
from remediate.fleet.shown import without_secrets
from remediate.fleet.through_ansible import through_ansible
from remediate.fleet.winrm import inspect
from remediate.iis.clock import clock_warning
from remediate.values.fleet import Failed, HostReport, Inspection, Unreachable

# A host that takes this much longer than its timeout is given up, and its thread left behind.
_GRACE = 5.0


def inspect_all(
    fleet: Fleet, forks: int, timeout: float, progress: Callable[[HostReport], None], evidence_days: int = 0
) -> tuple[HostReport, ...]:
    """One report for each target, sorted by host; ``progress`` is told of each as it comes, in this thread.

    With ``evidence_days`` over 0, with what the event logs tell of so many days.
    """
    reports: dict[str, HostReport] = {}

    started = datetime.now(UTC)
    began: dict[str, datetime] = {}

    def take(report: HostReport) -> None:
        if isinstance(report, Inspection):
            off = clock_warning(report.clock, began.get(report.host, started), datetime.now(UTC))
            report = replace(report, warning="; ".join(filter(None, (report.warning, off))) or None)
        if evidence_days and isinstance(report, Inspection) and report.evidence is None:
            report = Failed(report.host, "the answer has nothing of the event logs, which were asked for")
        if report.host not in reports:
            report = without_secrets(report, fleet.secrets.get(report.host, ()))
            reports[report.host] = report
            progress(report)

    waiting: list[WinrmHost] = []
    others: list[AnsibleHost] = []
    for target in fleet.targets:
        if isinstance(target, WinrmHost):
            waiting.append(target)
        elif isinstance(target, AnsibleHost):
            others.append(target)
        else:
            take(target)
    done: queue.SimpleQueue[HostReport] = queue.SimpleQueue()
    running: dict[str, float] = {}
    waiting.reverse()
    with through_ansible(others, fleet, forks, timeout, done.put, evidence_days):
        while len(reports) < len(fleet.targets):
            while waiting and len(running) < forks:
                host = waiting.pop()
                running[host.host] = time.monotonic() + timeout + _GRACE
                began[host.host] = datetime.now(UTC)
                threading.Thread(target=_work, args=(host, timeout, evidence_days, done), daemon=True).start()
            # Those that go through Ansible always report, in time.
            until = min(running.values(), default=None)
            try:
                report = done.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except queue.Empty:
                now = time.monotonic()
                for name in [name for name, until in running.items() if until <= now]:
                    del running[name]
                    take(Unreachable(name, f"no answer within {timeout:g} s"))
                continue
            running.pop(report.host, None)
            take(report)
    return tuple(reports[name] for name in sorted(reports))


def _work(host: WinrmHost, timeout: float, evidence_days: int, done: "queue.SimpleQueue[HostReport]") -> None:
    try:
        report = inspect(host, timeout, evidence_days)
    except Exception as error:  # noqa: BLE001  # a bug met with one host is that host's failure, not the fleet's
        report = bug(host.host, error, "inspecting")
    done.put(report)
