"""Many hosts at a time, each with a deadline.

Daemon threads and a queue, not an executor: a server that sends a byte now and then can hold a thread for as long
as it likes, and neither the report nor the end of the program may wait for it.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from remediate.bugs import bug
from remediate.fleet.inventory import AnsibleHost, Fleet, WinrmHost
from remediate.fleet.shown import without_secrets
from remediate.fleet.through_ansible import through_ansible
from remediate.fleet.winrm import inspect
from remediate.iis.clock import clock_warning
from remediate.values.fleet import Failed, HostReport, Inspection, Skipped, Unreachable

# A host that takes this much longer than its timeout is given up, and its thread left behind.
_GRACE = 5.0


def inspect_all(
    fleet: Fleet, forks: int, timeout: float, progress: Callable[[HostReport], None], evidence_days: int = 0
) -> tuple[HostReport, ...]:
    """One report for each target, sorted by host; ``progress`` is called with each as it comes, in this thread.

    With ``evidence_days`` over 0 the event logs of so many days are read too.
    """
    taken = _Taken(fleet, progress, evidence_days)
    by_winrm = [target for target in fleet.targets if isinstance(target, WinrmHost)]
    others = [target for target in fleet.targets if isinstance(target, AnsibleHost)]
    for target in fleet.targets:
        if isinstance(target, Failed | Skipped):
            taken.take(target)
    workers = _Workers(by_winrm, forks, timeout, evidence_days)
    with through_ansible(others, fleet, forks, timeout, workers.done.put, evidence_days):
        while len(taken.reports) < len(fleet.targets):
            for name, began in workers.start():
                taken.began[name] = began
            for report in workers.wait():
                taken.take(report)
    return tuple(taken.reports[name] for name in sorted(taken.reports))


class _Taken:
    """The reports, each of a host once: the first one counts. ``began`` has, by host, when it was asked."""

    def __init__(self, fleet: Fleet, progress: Callable[[HostReport], None], evidence_days: int) -> None:
        self._secrets, self._progress, self._evidence = fleet.secrets, progress, evidence_days > 0
        self._started = datetime.now(UTC)
        self.began: dict[str, datetime] = {}
        self.reports: dict[str, HostReport] = {}

    def take(self, report: HostReport) -> None:
        if report.host in self.reports:
            return
        if isinstance(report, Inspection):
            report = self._checked(report)
        report = without_secrets(report, self._secrets.get(report.host, ()))
        self.reports[report.host] = report
        self._progress(report)

    def _checked(self, report: Inspection) -> HostReport:
        """The same, with a warning where the server's clock is off; a failure where the evidence is missing."""
        if self._evidence and report.evidence is None:
            return Failed(report.host, "the answer has nothing of the event logs, which were asked for")
        off = clock_warning(report.clock, self.began.get(report.host, self._started), datetime.now(UTC))
        return replace(report, warning="; ".join(filter(None, (report.warning, off))) or None)


class _Workers:
    """Threads that inspect hosts over winrm, at most ``forks`` at a time. ``done`` also takes reports of others."""

    def __init__(self, hosts: Iterable[WinrmHost], forks: int, timeout: float, evidence_days: int) -> None:
        self._waiting, self._forks, self._timeout, self._days = deque(hosts), forks, timeout, evidence_days
        self._until: dict[str, float] = {}
        self.done: queue.SimpleQueue[HostReport] = queue.SimpleQueue()

    def start(self) -> Iterator[tuple[str, datetime]]:
        """Start as many as may run; the name of each, and when it was started."""
        while self._waiting and len(self._until) < self._forks:
            host = self._waiting.popleft()
            self._until[host.host] = time.monotonic() + self._timeout + _GRACE
            yield host.host, datetime.now(UTC)
            threading.Thread(target=_work, args=(host, self._timeout, self._days, self.done), daemon=True).start()

    def wait(self) -> list[HostReport]:
        """Until something is known: the next report, or the hosts that are given up."""
        # Those that go through Ansible always report, in time.
        until = min(self._until.values(), default=None)
        try:
            report = self.done.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        except queue.Empty:
            return self._late()
        self._until.pop(report.host, None)
        return [report]

    def _late(self) -> list[HostReport]:
        now = time.monotonic()
        late = [name for name, until in self._until.items() if until <= now]
        for name in late:
            del self._until[name]
        return [Unreachable(name, f"no answer within {self._timeout:g} s") for name in late]


def _work(host: WinrmHost, timeout: float, evidence_days: int, done: "queue.SimpleQueue[HostReport]") -> None:
    try:
        report = inspect(host, timeout, evidence_days)
    except Exception as error:  # noqa: BLE001  # a bug met with one host is that host's failure, not the fleet's
        report = bug(host.host, error, "inspecting")
    done.put(report)
