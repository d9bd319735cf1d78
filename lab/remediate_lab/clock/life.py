"""The life of one pool's workers, from each stop to the next start. Counted in milliseconds.

The rules, and where they are from:
- A worker that had no request for its idle time-out is stopped. It looks once a minute, counted from its start, and is
  late by some seconds: so the period is the time-out and zero to two minutes (seen: 21 minutes for 20).
- AlwaysRunning: a stopped worker is started again at once. OnDemand: with the next request.
- A start of an AlwaysRunning pool sends a request to each preloading application, within seconds. Managed code that
  answers it raises 0x80070032; and the request counts as one, so the idle clock begins anew.
- Suspend: an idle worker is paged out and nothing starts; the next request wakes it. (By inference.)
- A recycle starts the new worker before the old one ends, or after it where overlapping is not allowed.
- While memory is short the idle time-out is cut, and the stop is event 5195 in place of 5186. Whether 5195 depends on
  logEventOnProcessModel is not known; the lab plays that it does.
- A worker keeps the idle time-out with which it was started.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from remediate.values.logs import RecycleCause, WorkerEvent, WorkerEventKind
from remediate_lab.chance import Chance
from remediate_lab.clock.history import Error, History, PlayedEvent, Served, Start, StartCause
from remediate_lab.clock.moments import MINUTE, SECOND, to_ms, to_time
from remediate_lab.clock.traffic import Arrival
from remediate_lab.clock.world import FLAGS, Incident, PoolSettings

FAULT = "0x80070032"
PRELOAD_AGENT = "IIS Application Initialization Preload"
# What the IIS log has for a client that went away: ERROR_NETNAME_DELETED, by which HTTP.sys tells it.
_GONE = 64
_NEVER = 1 << 62
# What the failures of a worker are, in turn: an error in its talk with WAS, a crash, no answer to a ping, a listener.
_FAILURES = (5011, 5009, 5010, 5139)


class Worker(Struct, frozen=True):
    """A worker process: when it started and had its last request, the idle time-out that it has, and how late it is.

    ``suspended``: it was idle, and is paged out.
    """

    started: int
    last: int
    idle: int
    late: int = 0
    suspended: bool = False


class Step(Struct, frozen=True):
    """An interruption of a pool at a moment; ``down`` is the beginning of a reboot, ``boot`` its end."""

    at: int
    kind: Literal["down", "boot", "shortage", "failure", "recycle"]
    cause: RecycleCause | None = None
    incident: Incident | None = None


def resting(pool: PoolSettings, begin: int, chance: Chance) -> Worker | None:
    """A worker as a server has it at any moment: started some time ago, and idle since less than its time-out."""
    if not (pool.always_running and pool.runs):
        return None
    idle = pool.idle_timeout * SECOND
    started = begin - chance.below(pool.restart_after * SECOND or 24 * 60 * MINUTE)
    return Worker(started, max(started, begin - chance.below(idle or 20 * MINUTE)), idle)


class Life:
    """One pool, from ``begin`` to ``end``. `run` fills the lists; what would come at the end or later is left out."""

    def __init__(self, host: str, pool: PoolSettings, chance: Chance, worker: Worker | None, lateness: int) -> None:
        self.host, self.pool, self.chance, self.worker, self.lateness = host, pool, chance, worker, lateness
        self.starts: list[Start] = []
        self.errors: list[Error] = []
        self.events: list[PlayedEvent] = []
        self.requests: list[Served] = []
        self._off = False
        # Memory is short from, until, and the idle time-out meanwhile.
        self._shortage = (_NEVER, _NEVER, 0)

    def run(self, begin: int, end: int, arrivals: Sequence[Arrival], steps: Iterable[Step]) -> History:
        if not self.pool.runs:
            self.worker = None
            return History()
        if self.worker is None and self.pool.always_running:
            self._start(begin, "boot")
        asked = iter([*arrivals, None])
        interrupted = iter([*sorted(steps, key=lambda step: step.at), None])
        request, step = next(asked), next(interrupted)
        while True:
            due, shortened = self._idle_stop()
            aged = self._aged()
            moments = (request.at if request else _NEVER, step.at if step else _NEVER, aged, due)
            at = min(moments)
            if at >= end:
                return self._until(end)
            if step and at == step.at:
                self._step(step)
                step = next(interrupted)
            elif request and at == request.at:
                self._serve(request)
                request = next(asked)
            elif at == aged:
                self._recycle(at, "time")
            else:
                self._stop_idle(at, shortened)

    def _until(self, end: int) -> History:
        last = to_time(end)
        return History(
            starts=tuple(start for start in self.starts if start.time < last),
            errors=tuple(sorted((e for e in self.errors if e.time < last), key=lambda error: error.time)),
            events=tuple(self.events),
            requests=tuple(self.requests),
        )

    def _idle_stop(self) -> tuple[int, bool]:
        """When the worker is stopped if nothing comes before, and whether by the cut time-out."""
        worker = self.worker
        if worker is None or worker.suspended or not worker.idle:
            return _NEVER, False
        due = self._looks(worker, worker.last + worker.idle)
        begin, until, cut = self._shortage
        early = self._looks(worker, max(worker.last + cut, begin))
        return (early, True) if early < min(due, until) else (due, False)

    @staticmethod
    def _looks(worker: Worker, due: int) -> int:
        minutes = -(-(due - worker.started) // MINUTE)
        return worker.started + minutes * MINUTE + worker.late

    def _aged(self) -> int:
        if self.worker is None or not self.pool.restart_after:
            return _NEVER
        return self.worker.started + self.pool.restart_after * SECOND

    def _stop_idle(self, at: int, shortened: bool) -> None:
        assert self.worker is not None
        if self.pool.suspends:
            self.worker = Worker(self.worker.started, self.worker.last, self.worker.idle, suspended=True)
            return
        kind: WorkerEventKind = "shortened" if shortened else "idle-stop"
        number = 5195 if shortened else 5186
        event = WorkerEvent(time=to_time(at), id=number, kind=kind, host=self.host, pool=self.pool.name)
        self.events.append(PlayedEvent(event, self.pool.logs_idle_stops))
        self._end(at, "idle")

    def _end(self, at: int, cause: StartCause) -> None:
        self.worker = None
        if self.pool.always_running:
            self._start(at + 500 + self.chance.below(1500), cause)

    def _step(self, step: Step) -> None:
        if step.kind == "down":
            self.worker, self._off = None, True
            # Of a start that had just begun nothing comes.
            self.starts = [start for start in self.starts if start.time < to_time(step.at)]
            self.errors = [error for error in self.errors if error.time < to_time(step.at)]
        elif step.kind == "boot":
            self._off = False
            if self.pool.always_running:
                self._start(step.at + 15 * SECOND + self.chance.below(20 * SECOND), "boot")
        elif step.kind == "shortage":
            assert step.incident is not None
            self._shortage = (step.at, step.at + step.incident.minutes * MINUTE, step.incident.cut * SECOND)
        elif step.kind == "failure":
            self._fail(step.at)
        elif step.cause is not None:
            self._recycle(step.at, step.cause)

    def _fail(self, at: int) -> None:
        if self.worker is not None:
            number = _FAILURES[sum(told.event.kind == "failure" for told in self.events) % len(_FAILURES)]
            event = WorkerEvent(time=to_time(at), id=number, kind="failure", host=self.host, pool=self.pool.name)
            self.events.append(PlayedEvent(event, True))
            self._end(at, "failure")

    def _recycle(self, at: int, cause: RecycleCause) -> None:
        """A pool without a worker has nothing to recycle."""
        if self.worker is None:
            return
        flag, number = FLAGS[cause]
        event = WorkerEvent(
            time=to_time(at), id=number, kind="recycle", cause=cause, host=self.host, pool=self.pool.name
        )
        self.events.append(PlayedEvent(event, not flag or flag in self.pool.logged))
        soon = 1 + self.chance.below(3) if self.pool.overlaps else 5 + self.chance.below(25)
        self._start(at + soon * SECOND + self.chance.below(SECOND), "recycle", cause)

    def _start(self, at: int, cause: StartCause, recycle: RecycleCause | None = None) -> None:
        self.starts.append(Start(time=to_time(at), pool=self.pool.name, cause=cause, recycle=recycle))
        last = at
        for app in self.pool.preloading:
            asked = at + SECOND + self.chance.below(6 * SECOND)
            last = max(last, asked)
            if self.pool.managed:
                assert cause != "request", "a pool that preloads is AlwaysRunning, and never waits for a request"
                self.errors.append(Error(
                    time=to_time(asked), code=FAULT, cause=cause, recycle=recycle, pool=self.pool.name,
                    application=app.path, site=app.site, page="", client="127.0.0.1", agent=PRELOAD_AGENT,
                ))  # fmt: skip
        self.worker = Worker(at, last, self.pool.idle_timeout * SECOND, self.chance.below(self.lateness + 1))

    def _serve(self, request: Arrival) -> None:
        if self._off:
            return
        if self.worker is None:
            self._start(request.at - 200, "request")
        worker = self.worker
        assert worker is not None
        self.worker = Worker(worker.started, max(worker.last, request.at), worker.idle, worker.late)
        self.requests.append(Served(
            time=to_time(request.at), pool=self.pool.name, application=request.app.path, site=request.app.site,
            page=request.page, client=request.client, agent=request.agent, win32=_GONE if request.code else 0,
            taken=20 + self.chance.below(400),
        ))  # fmt: skip
        if request.code:
            self.errors.append(Error(
                time=to_time(request.at), code=request.code, cause="client", pool=self.pool.name,
                application=request.app.path, site=request.app.site, page=request.page, client=request.client,
                agent=request.agent,
            ))  # fmt: skip


def steps_of(pool: PoolSettings, incidents: Iterable[Incident], schedule: Iterable[int]) -> list[Step]:
    """What interrupts this pool: the incidents that are its own or the server's, and its schedule."""
    steps = [Step(at, "recycle", "schedule") for at in schedule]
    for incident in incidents:
        at = to_ms(incident.time)
        if incident.kind == "boot":
            steps += [Step(at - incident.minutes * MINUTE, "down"), Step(at, "boot")]
        elif incident.pool in (None, pool.name):
            if incident.kind == "shortage" or incident.kind == "failure":
                steps.append(Step(at, incident.kind, incident=incident))
            else:
                steps.append(Step(at, "recycle", incident.kind))
    return steps
