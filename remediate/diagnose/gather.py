"""Occurrences -> groups that are judged as one: of one host, application, pool and code, with or without the frames,
and with what its frames say of the response.

Errors of the fault's code whose request is told to be from another client are a group of their own.

Where the log does not tell the pool, an audit does, by the application; or the events do: the pool whose idle stops
and recycles come shortly before the errors, more often than by chance.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from remediate.causation import Cover, chance_of_explanation, explained, rare
from remediate.diagnose.server_index import ServerIndex
from remediate.diagnose.thresholds import NAMES
from remediate.diagnose.timing import sorted_times, time_of
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


def gather(
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
    """Names are folded. ``zoned`` is None where there is no time: such errors go with those that have one."""

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
    """The group with the pool that the events tell; several groups where they tell several, and the log none."""
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

    ``pools``: for each error the pool of its event, folded, None where no event is near.
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
