"""One server: all of its pools through the same span of time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from operator import attrgetter

from msgspec import Struct

from remediate.values.logs import WorkerEvent
from remediate_lab.chance import Chance
from remediate_lab.clock.history import History, PlayedEvent
from remediate_lab.clock.life import Life, Worker, resting, steps_of
from remediate_lab.clock.moments import SECOND, times_of_day, to_ms, to_time
from remediate_lab.clock.traffic import Stream, arrivals
from remediate_lab.clock.world import Incident, PoolSettings, Span

# The typical lateness of a worker that looks whether it is idle; at most 45 s, or the period is over two minutes late.
_LATENESS = 15 * SECOND


class Outcome(Struct, frozen=True):
    """The history, and by pool the worker that it ends with."""

    history: History
    workers: dict[str, Worker | None]


def simulate(
    host: str,
    pools: Sequence[PoolSettings],
    span: Span,
    *,
    seed: object,
    traffic: Mapping[str, Sequence[Stream]] | Sequence[Stream] = (),
    incidents: Sequence[Incident] = (),
    before: Mapping[str, Worker | None] | None = None,
    zone: tzinfo = UTC,
    lateness: int = _LATENESS,
) -> Outcome:
    """What happens on that server. Same arguments, same history, with every Python; spans one after another each want
    a seed of their own.

    ``traffic``: of each pool, or by the pool's name. ``before``: the workers at the beginning; None: as on any server
    that has run for a while. ``zone``: the server's, for schedules and office hours. ``lateness``: in milliseconds.
    """
    begin, end = to_ms(span.begin), to_ms(span.end)
    histories, workers = [_boots(host, incidents, span)], {}
    for pool in pools:
        chance = Chance(seed, host, pool.name)
        streams = traffic.get(pool.name, ()) if isinstance(traffic, Mapping) else traffic
        worker = resting(pool, begin, chance) if before is None else before.get(pool.name)
        life = Life(host, pool, chance, worker, lateness)
        times = [at for seconds in pool.schedule for at in times_of_day(seconds, begin, end, zone)]
        requests = arrivals(streams, pool.applications, begin, end, zone, chance)
        histories.append(life.run(begin, end, requests, steps_of(pool, incidents, times)))
        workers[pool.name] = life.worker
    return Outcome(_merged(histories), workers)


def _boots(host: str, incidents: Sequence[Incident], span: Span) -> History:
    """Windows tells a start twice: the kernel's 12, and when the event log runs its 6005."""
    told = []
    for incident in incidents:
        if incident.kind == "boot":
            for number, later in ((12, 0), (6005, 6 * SECOND)):
                time = to_time(to_ms(incident.time) + later)
                told.append(PlayedEvent(WorkerEvent(time=time, id=number, kind="boot", host=host), True))
    return History(events=tuple(one for one in told if one.event.time < span.end))


def _merged(histories: Sequence[History]) -> History:
    """Sorted by time; at the same moment in the order of the pools."""
    by_time = attrgetter("time")
    return History(
        starts=tuple(sorted((x for h in histories for x in h.starts), key=by_time)),
        errors=tuple(sorted((x for h in histories for x in h.errors), key=by_time)),
        events=tuple(sorted((x for h in histories for x in h.events), key=lambda told: told.event.time)),
        requests=tuple(sorted((x for h in histories for x in h.requests), key=by_time)),
    )
