"""Errors -> groups that are judged as one -> cases: a group with what there is to judge it by. Pure.

A group is of one host, application, pool and code, with or without the frames, and with what its frames say of the
response. Errors of the fault's code whose request is known to be from another client are a group of their own. Where
the log does not name the pool, an audit does, by the application; or the events do: the pool whose idle stops and
recycles come shortly before the errors, more often than by chance.

A case adds the starts, the events of the pool and IIS's log. Where a part of the errors of one application has this
cause and the others another, that part is a case of its own: those that come after an event, if that is not by chance;
else those with no line in IIS's log.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from remediate.causation import IDLE_STOPS, Cover, chance_of_explanation, confirms, explained, rare
from remediate.diagnose.iis_log import LineCheck, LineWatch
from remediate.diagnose.server_index import ServerIndex
from remediate.diagnose.thresholds import BURST, CALM, LEAST_PART, LEAST_SHARE, NAMES
from remediate.diagnose.timing import keeps_own_clock, periods, sorted_times, starts, time_of
from remediate.iis.codes import FAULT
from remediate.iis.names import iis_key
from remediate.values.logs import LoggedException, StackState, Streaming, WorkerEvent


class Group(Struct, frozen=True, kw_only=True):
    """``times`` are sorted, all in UTC or all without a zone; errors whose time is not known have none there."""

    host: str | None
    application: str | None
    pool: str | None
    code: str
    framed: bool
    entity_read: bool
    stack: StackState
    streaming: Streaming | None
    occurrences: tuple[LoggedException, ...]
    times: tuple[datetime, ...]


def _groups(
    occurrences: Iterable[LoggedException],
    events: Mapping[str | None, Sequence[WorkerEvent]],
    covers: Mapping[str | None, Cover],
    index: ServerIndex,
) -> tuple[Group, ...]:
    """The groups, sorted by their names. ``events`` and ``covers`` are by the host's name in the index."""
    members: dict[_Key, list[LoggedException]] = defaultdict(list)
    names: dict[_Key, tuple[str | None, str | None, str | None]] = {}
    for one in _of_few_names(occurrences, index):
        host = index.host(one.host)
        pool = one.pool or index.pool(host, one.application)
        key = _key(one, host, pool)
        members[key].append(one)
        names.setdefault(key, (host, one.application, pool))
    groups: list[Group] = []
    for key, found in _with_untimed(members).items():
        host, application, pool = names[key]
        whole = Group(
            host=host, application=application, pool=pool, code=key.code, framed=key.framed,
            entity_read=key.entity_read, stack=key.stack, streaming=key.streaming, occurrences=tuple(found),
            times=sorted_times(found),
        )  # fmt: skip
        settled = pool is not None or index.is_elsewhere(host, application)
        groups += [whole] if settled else _by_pool(whole, events.get(host, ()), covers.get(host))
    return tuple(sorted(groups, key=_order))


def _of_few_names(occurrences: Iterable[LoggedException], index: ServerIndex) -> list[LoggedException]:
    """The occurrences; those of rare names without any, where there are too many that the audit does not know."""
    every = list(occurrences)
    names = Counter((one.host, one.application, one.pool) for one in every)
    if len(names) <= NAMES:
        return every
    kept = {name for name, _ in names.most_common(NAMES)}
    kept |= {name for name in names if name[1] and index.pool(index.host(name[0]), name[1])}
    return [
        one if (one.host, one.application, one.pool) in kept else replace(one, host=None, application=None, pool=None)
        for one in every
    ]


class _Key(NamedTuple):
    """Names are by ``iis_key``. ``zoned`` is None where there is no time: such errors go with those that have one."""

    host: str | None
    application: str | None
    pool: str | None
    code: str
    framed: bool
    entity_read: bool
    stack: StackState
    streaming: Streaming | None
    remote: bool
    zoned: bool | None


def _key(one: LoggedException, host: str | None, pool: str | None) -> _Key:
    time = time_of(one)
    framed = one.raised and one.flushed
    return _Key(
        host=host and iis_key(host), application=one.application and iis_key(one.application),
        pool=pool and iis_key(pool),
        code=one.code, framed=framed, entity_read=one.entity_read and one.code == FAULT,
        stack="whole" if framed or one.code != FAULT else one.stack,
        streaming=one.streaming if one.code == FAULT else None,
        remote=one.local is False and one.code == FAULT,
        zoned=None if time is None else time.tzinfo is not None,
    )  # fmt: skip


def _with_untimed(members: Mapping[_Key, list[LoggedException]]) -> dict[_Key, list[LoggedException]]:
    joined = {key: list(found) for key, found in members.items() if key.zoned is not None}
    for key, found in members.items():
        if key.zoned is None:
            timed = next((k for zoned in (True, False) if (k := key._replace(zoned=zoned)) in joined), key)
            joined.setdefault(timed, []).extend(found)
    return joined


def _order(group: Group) -> tuple[object, ...]:
    names = (group.host or "", group.application or "", group.pool or "", group.code)
    return (
        group.code != FAULT,
        *(iis_key(name) for name in names),
        not group.framed,
        group.entity_read,
        group.stack,
        group.streaming or "",
        len(group.times),
    )


def _by_pool(group: Group, events: Sequence[WorkerEvent], cover: Cover | None) -> list[Group]:
    """The group with the pool that the events show; several groups where they show several, and the log names none."""
    if group.code != FAULT or not group.framed or cover is None or not group.times or group.times[0].tzinfo is None:
        return [group]
    timed = [(time, one) for one in group.occurrences if (time := time_of(one)) is not None and cover.holds(time)]
    names = {iis_key(event.pool): event.pool for event in events if event.pool}
    nearest = explained([time for time, _ in timed], [event for event in events if event.pool])
    pools = [None if event is None or not event.pool else iis_key(event.pool) for event in nearest]
    found = _pools_of(pools, events, cover)
    if not found:
        return [group]
    # An application is of one pool, and a log that names none is taken for one application's if one pool fits.
    if group.application is not None or len(found) == 1:
        return [_part(group, names[found[0]], group.occurrences)]
    own = {id(one): pool for (_, one), pool in zip(timed, pools, strict=True) if pool in found}
    chosen: dict[str | None, list[LoggedException]] = defaultdict(list)
    for one in group.occurrences:
        chosen[own.get(id(one))].append(one)
    return [_part(group, None if pool is None else names[pool], members) for pool, members in chosen.items()]


def _pools_of(pools: Sequence[str | None], events: Iterable[WorkerEvent], cover: Cover) -> list[str]:
    """Of the pools whose events come before the errors, those of which that is not by chance; the most errors first.

    ``pools``: for each error the pool of its event by ``iis_key``, None where no event is near.
    """
    of_pool: dict[str, list[WorkerEvent]] = defaultdict(list)
    for event in events:
        if event.pool:
            of_pool[iis_key(event.pool)].append(event)
    counts = Counter(pool for pool in pools if pool is not None)
    return [
        pool
        for pool, number in counts.most_common()
        if rare(number, len(pools), chance_of_explanation(of_pool[pool], cover), len(of_pool))
    ]


def _part(group: Group, pool: str | None, members: Sequence[LoggedException]) -> Group:
    return replace(group, pool=pool, occurrences=tuple(members), times=sorted_times(members))


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


def cases(
    occurrences: Iterable[LoggedException], events: Iterable[WorkerEvent], covers: Mapping[str | None, Cover],
    index: ServerIndex, iis_log: bool,
) -> list[Case]:  # fmt: skip
    """``covers``: what the events of each host (by its name in the index) reach over; ``iis_log``: one is given."""
    by_host: dict[str | None, list[WorkerEvent]] = defaultdict(list)
    for event in events:
        by_host[index.host(event.host)].append(event)
    found = []
    for group in _groups(occurrences, by_host, covers, index):
        moments = starts(group.times)
        zoned = bool(moments) and moments[0].tzinfo is not None
        own = _events_of(group, by_host.get(group.host, ()), index) if zoned else ()
        found.append(Case(
            group=group, starts=moments, sizes=_sizes(moments, group.times), events=own,
            cover=covers.get(group.host) if zoned else None,
            nearest=explained(moments, own) if own else (None,) * len(moments),
            watch=LineWatch(moments, group.host, group.pool) if zoned and iis_log else None,
        ))  # fmt: skip
    return found


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


def split(case: Case) -> list[Case]:
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
