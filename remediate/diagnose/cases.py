"""A case is one group of errors with what there is to judge it by: its starts, the events of its pool, IIS's log.

Where a part of the errors of one application has this cause and the others another, that part is a case of its own:
those that come after an event, if that is not by chance; else those with no line in IIS's log.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from remediate.causation import IDLE_STOPS, Cover, chance_of_explanation, confirms, explained, rare
from remediate.diagnose.gather import Group, gather
from remediate.diagnose.iis_log import LineCheck, LineWatch
from remediate.diagnose.server_index import ServerIndex
from remediate.diagnose.thresholds import BURST, CALM, LEAST_PART, LEAST_SHARE
from remediate.diagnose.timing import keeps_own_clock, periods, sorted_times, starts, time_of
from remediate.iis.codes import FAULT
from remediate.iis.names import iis_key
from remediate.values.logs import LoggedException, WorkerEvent


class Case(Struct, frozen=True, kw_only=True):
    """``starts`` are the bursts' first times, ``sizes`` how many errors each has, ``nearest`` the event
    that explains each.

    ``events`` are the pool's and its server's; ``lines`` is None until IIS's log was read. ``apart`` says from how many
    starts the case was taken, None where it is the whole group. ``own_clock``: the errors that come after idle stops do
    not follow them; see timing.py.
    """

    group: Group
    starts: tuple[datetime, ...]
    sizes: tuple[int, ...]
    events: tuple[WorkerEvent, ...] = ()
    cover: Cover | None = None
    nearest: tuple[WorkerEvent | None, ...] = ()
    watch: LineWatch | None = None
    lines: LineCheck | None = None
    apart: int | None = None
    own_clock: bool = False


def prepare(
    occurrences: Iterable[LoggedException], events: Iterable[WorkerEvent], covers: Mapping[str | None, Cover],
    index: ServerIndex, iis_log: bool,
) -> list[Case]:  # fmt: skip
    """``covers``: what the events of each host (by its name in the index) reach over; ``iis_log``: one is given."""
    by_host: dict[str | None, list[WorkerEvent]] = defaultdict(list)
    for event in events:
        by_host[index.host(event.host)].append(event)
    cases = []
    for group in gather(occurrences, by_host, covers, index):
        moments = starts(group.times)
        zoned = bool(moments) and moments[0].tzinfo is not None
        own = _events_of(group, by_host.get(group.host, ()), index) if zoned else ()
        cases.append(Case(
            group=group, starts=moments, sizes=_sizes(moments, group.times), events=own,
            cover=covers.get(group.host) if zoned else None,
            nearest=explained(moments, own) if own else (None,) * len(moments),
            watch=LineWatch(moments, group.host, group.pool) if zoned and iis_log else None,
        ))  # fmt: skip
    return cases


def _events_of(group: Group, events: Sequence[WorkerEvent], index: ServerIndex) -> tuple[WorkerEvent, ...]:
    """The events that may explain the group's errors: those of the server and of the group's pool.

    Where the pool is not known, those of any pool; of an application that is of no pool of the audit, none of these.
    """
    if group.pool is not None:
        pool = iis_key(group.pool)
        return tuple(event for event in events if event.pool is None or iis_key(event.pool) == pool)
    if not index.is_elsewhere(group.host, group.application):
        return tuple(events)
    return tuple(event for event in events if index.settings(group.host, event.pool) is None)


def _sizes(moments: Sequence[datetime], times: Sequence[datetime]) -> tuple[int, ...]:
    edges = [bisect_left(times, moment) for moment in moments] + [len(times)]
    return tuple(end - begin for begin, end in pairwise(edges))


def told_apart(case: Case) -> list[Case]:
    """The case, or its two parts."""
    if case.watch is not None:
        case = replace(case, lines=case.watch.result())
    if case.group.code != FAULT or not case.group.framed:
        return [case]
    case = replace(case, own_clock=_keeps_own_clock(case))
    with_line = _with_line(case)
    without = set(range(len(case.starts))) - with_line if with_line else set()
    for part in (_after_events(case) - with_line, without):
        others = [n for n in range(len(case.starts)) if n not in part]
        if min(len(part), len(others)) >= max(LEAST_PART, LEAST_SHARE * len(case.starts)):
            return [_only(case, sorted(part)), _only(case, others)]
    return [case]


def _after_events(case: Case) -> set[int]:
    """The starts that are evidence of the fault by an event, where so many would hardly be there by chance."""
    cover = case.cover
    if cover is None or case.own_clock:
        return set()
    covered = [n for n, start in enumerate(case.starts) if cover.holds(start)]
    found = {n for n in covered if confirms(case.nearest[n], case.starts[n])}
    return found if rare(len(found), len(covered), chance_of_explanation(case.events, cover)) else set()


def _keeps_own_clock(case: Case) -> bool:
    stops = [event if event is not None and event.kind in IDLE_STOPS else None for event in case.nearest]
    return any(stops) and keeps_own_clock(case.starts, stops, periods(case.starts))


def _with_line(case: Case) -> set[int]:
    if case.lines is None or case.lines.chance > CALM:
        return set()
    return {n for n, found in enumerate(case.lines.at) if found}


def _only(case: Case, chosen: Sequence[int]) -> Case:
    """The case of those starts alone."""
    spans = [(case.starts[n], case.starts[n] + timedelta(seconds=BURST)) for n in chosen]
    begins = [begin for begin, _ in spans]

    def within(time: datetime | None) -> bool:
        place = -1 if time is None else bisect_right(begins, time) - 1
        return place >= 0 and time is not None and time <= spans[place][1]

    members = tuple(one for one in case.group.occurrences if within(time_of(one)))
    return replace(
        case,
        group=replace(case.group, occurrences=members, times=sorted_times(members)),
        starts=tuple(case.starts[n] for n in chosen),
        sizes=tuple(case.sizes[n] for n in chosen),
        nearest=tuple(case.nearest[n] for n in chosen),
        lines=None if case.lines is None else case.lines.only(chosen),
        apart=len(case.starts),
    )
