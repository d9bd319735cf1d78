"""The zone of a log whose times have none, inferred from moments in UTC that its errors must coincide with.

Two kinds of moments, each asked alone:

- An error 0x80070032 of a start comes within two minutes after its worker was ended or recycled, or Windows booted.
- An error of another code was some client's request, and so has a line in the IIS log, within a few seconds.

Every offset in use is tried, and every zone whose clocks were changed between the errors. One is believed only if most
errors coincide with it, and if with no other zone half as many come after about the same delay, of those that the two
do not agree on. Errors that come each hour fit every whole hour, and a busy server's log fits every offset: then
nothing is said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from remediate.iis.codes import FAULT
from remediate.logs.zones import to_utc
from remediate.values.logs import Occurrence, Request, WorkerEvent

# How many seconds an error comes after what it must coincide with. A request is logged when it was answered.
_AFTER_EVENT = range(121)
_AROUND_REQUEST = range(-3, 3)
# Delays that differ by less than so many seconds are alike; the first that makes it clear is enough.
_ALIKE = (6, 12, 20)
# Errors nearer to each other may have come after the same event.
_BURST = timedelta(seconds=_AFTER_EVENT.stop + 1)
# How many errors must coincide, and what share of all.
_LEAST = 3
_SHARE = 0.6
# How many errors are looked at, evenly taken from all.
_SAMPLE = 500
# The offsets that clocks have anywhere: whole hours, and in some places half or quarter ones. An error each 21 minutes
# fits an hour and three quarters as well, but no clock is so far off.
_PARTS = (-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825)
_OFFSETS = [timedelta(minutes=minutes) for minutes in sorted((*range(-12 * 60, 14 * 60 + 1, 60), *_PARTS))]
# Of so many the best is taken: that errors and events come together then is no news.
OFFSETS = len(_OFFSETS)
# Where several zones fit alike, one of these is named.
_REGIONS = ("Europe/", "America/", "Australia/", "Asia/", "Africa/", "Pacific/", "Atlantic/")


class ZoneGuess(Struct, frozen=True):
    """``name`` is as `zones.parse_zone` takes it; ``by``: what it was inferred from."""

    zone: tzinfo
    name: str
    by: str


class _Candidate(Struct, frozen=True):
    """A zone, and the seconds of the errors in it; a zone that has no such time has None."""

    name: str
    zone: tzinfo
    seconds: tuple[int | None, ...]


def guess_zone(
    occurrences: Sequence[Occurrence], *, events: Iterable[WorkerEvent] = (), requests: Iterable[Request] = ()
) -> ZoneGuess | None:
    """The zone of one log's errors, in its order; None where it is not clear. The requests are gone through once."""
    naive = [(o.code, o.time) for o in occurrences if o.time is not None and o.time.tzinfo is None]
    # The latest first: an error belongs to the last one before it.
    ends = sorted((event.time for event in events if event.kind != "failure"), reverse=True)
    guesses = (
        _guess([t for code, t in naive if code == FAULT], ends, _AFTER_EVENT, "that followed a worker's end"),
        _guess(
            [t for code, t in naive if code != FAULT], (r.time for r in requests), _AROUND_REQUEST,
            "of requests that are in the IIS log",
        ),
    )  # fmt: skip
    clear = [guess for guess in guesses if guess is not None]
    return clear[0] if len({guess.name for guess in clear}) == 1 else None


def _guess(times: list[datetime], anchors: Iterable[datetime], shifts: range, what: str) -> ZoneGuess | None:
    times = _apart(times)
    if len(times) < _LEAST:
        return None
    times = times[:: -(-len(times) // _SAMPLE)]
    candidates = list(_candidates(times))
    delays, first, last = _delays(candidates, anchors, shifts)
    for within in _ALIKE:
        alike = [_alike(found, within) for found in delays]
        best = max(range(len(candidates)), key=lambda index: alike[index].bit_count())
        count = len(delays[best])
        # Errors of a time of which the other side knows nothing do not count.
        known = sum(s is not None and first <= s <= last + shifts.stop for s in candidates[best].seconds)
        others = (index for index in range(len(candidates)) if index != best)
        if count >= max(_LEAST, known * _SHARE) and all(_beats(candidates, alike, best, other) for other in others):
            return ZoneGuess(candidates[best].zone, candidates[best].name, f"{count} of {known} errors {what}")
    return None


def _apart(times: list[datetime]) -> list[datetime]:
    """One of each burst: several errors at once are one coincidence."""
    kept = times[:1]
    for time in times[1:]:
        if abs(time - kept[-1]) >= _BURST:
            kept.append(time)
    return kept


def _candidates(times: list[datetime]) -> Iterator[_Candidate]:
    """One of all those that give the same moments."""
    seen: set[tuple[int | None, ...]] = set()
    for name, zone in (*_fixed(), *_changing(min(times), max(times))):
        seconds = tuple(None if time is None else int(time.timestamp()) for time in to_utc(times, zone))
        if seconds not in seen:
            seen.add(seconds)
            yield _Candidate(name, zone, seconds)


def _fixed() -> Iterator[tuple[str, tzinfo]]:
    for offset in _OFFSETS:
        hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
        name = f"{'-' if offset < timedelta(0) else '+'}{hours:02}:{minutes:02}"
        yield ("UTC", UTC) if not offset else (name, timezone(offset))


def _changing(first: datetime, last: datetime) -> Iterator[tuple[str, tzinfo]]:
    days = [first + timedelta(days=n) for n in range(0, (last - first).days + 2)]
    for region in _REGIONS:
        for name in _zone_names():
            if name.startswith(region):
                zone = ZoneInfo(name)
                if len({zone.utcoffset(day) for day in days}) > 1:
                    yield name, zone


@cache
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _delays(
    candidates: Sequence[_Candidate], anchors: Iterable[datetime], shifts: range
) -> tuple[list[dict[int, int]], int, int]:
    """For each candidate, the errors that come after an anchor, with how long after; and the span of the anchors."""
    wanted: dict[int, list[tuple[int, int]]] = {}
    for which, candidate in enumerate(candidates):
        for error, second in enumerate(candidate.seconds):
            if second is not None:
                wanted.setdefault(second, []).append((which, error))
    delays: list[dict[int, int]] = [{} for _ in candidates]
    first, last = 1 << 62, 0
    for anchor in anchors:
        second = int(anchor.timestamp())
        first, last = min(first, second), max(last, second)
        for shift in shifts:
            for which, error in wanted.pop(second + shift, ()):
                delays[which][error] = shift
    return delays, first, last


def _alike(delays: dict[int, int], within: int) -> int:
    """The errors, as the bits of a number, whose delays are the most alike: a worker takes about as long each time."""
    counts = Counter(delays.values())
    best = max(counts, key=lambda begin: sum(counts[d] for d in range(begin, begin + within)), default=0)
    return sum(1 << error for error, delay in delays.items() if best <= delay < best + within)


def _beats(candidates: Sequence[_Candidate], alike: Sequence[int], best: int, other: int) -> bool:
    """Whether, of the errors whose moments differ, the best one explains enough, and the other one not half of them."""
    pairs = enumerate(zip(candidates[best].seconds, candidates[other].seconds, strict=True))
    differ = sum(1 << index for index, (here, there) in pairs if here != there)
    ours, theirs = (alike[best] & differ).bit_count(), (alike[other] & differ).bit_count()
    return ours >= _LEAST and theirs * 2 <= ours
