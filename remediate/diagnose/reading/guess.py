"""The zone of a log whose times have none, inferred from moments in UTC that its errors must coincide with.

Two kinds of moments, each asked alone:

- An error 0x80070032 of a start comes within two minutes after its worker was ended or recycled, or Windows booted.
- An error of another code was some client's request, and so has a line in the IIS log, within a few seconds.

Every offset in use is tried, and every zone whose clocks were changed between the errors. One is believed only if most
errors coincide with it, and if no other does half as well where the two differ. Errors that come each hour fit every
whole hour, and a busy server's log fits every offset: then nothing is said.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from remediate.diagnose.codes import NOT_SUPPORTED
from remediate.diagnose.reading.zones import to_utc
from remediate.evidence import Occurrence, Request, WorkerEvent

# How many seconds an error comes after what it must coincide with. A request is logged when it was answered. Errors
# that come each 21 minutes fit many offsets within two minutes; but only the true one within a few seconds, mostly.
_SOON_AFTER_EVENT, _AFTER_EVENT = range(13), range(121)
_AROUND_REQUEST = range(-3, 3)
# How many errors must coincide, and what share of all.
_LEAST = 3
_SHARE = 0.6
# How many errors are looked at, evenly taken from all.
_SAMPLE = 500
_FOLLOWED = "that followed a worker's end"
_OFFSETS = [timedelta(minutes=minutes) for minutes in range(-12 * 60, 14 * 60 + 1, 15)]
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
    ends = [event.time for event in events if event.kind != "failure"]
    starts = [t for code, t in naive if code == NOT_SUPPORTED]
    guesses = (
        _guess(starts, ends, _SOON_AFTER_EVENT, _FOLLOWED) or _guess(starts, ends, _AFTER_EVENT, _FOLLOWED),
        _guess(
            [t for code, t in naive if code != NOT_SUPPORTED], (r.time for r in requests), _AROUND_REQUEST,
            "of requests that are in the IIS log",
        ),
    )  # fmt: skip
    clear = [guess for guess in guesses if guess is not None]
    return clear[0] if len({guess.name for guess in clear}) == 1 else None


def _guess(times: list[datetime], anchors: Iterable[datetime], shifts: range, what: str) -> ZoneGuess | None:
    if len(times) < _LEAST:
        return None
    times = times[:: -(-len(times) // _SAMPLE)]
    candidates = list(_candidates(times))
    matched, first, last = _matched(candidates, anchors, shifts)
    best = max(range(len(candidates)), key=lambda index: matched[index].bit_count())
    count = matched[best].bit_count()
    # Errors of a time of which the other side knows nothing do not count.
    known = sum(s is not None and first <= s <= last + shifts.stop for s in candidates[best].seconds)
    others = (index for index in range(len(candidates)) if index != best)
    if count < max(_LEAST, known * _SHARE) or not all(_beats(candidates, matched, best, other) for other in others):
        return None
    return ZoneGuess(candidates[best].zone, candidates[best].name, f"{count} of {known} errors {what}")


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
        for name in sorted(available_timezones()):
            if name.startswith(region):
                zone = ZoneInfo(name)
                if len({zone.utcoffset(day) for day in days}) > 1:
                    yield name, zone


def _matched(
    candidates: Sequence[_Candidate], anchors: Iterable[datetime], shifts: range
) -> tuple[list[int], int, int]:
    """For each candidate, which errors coincide, as the bits of a number; and the seconds that the anchors span."""
    wanted: dict[int, list[tuple[int, int]]] = {}
    for which, candidate in enumerate(candidates):
        for error, second in enumerate(candidate.seconds):
            if second is not None:
                wanted.setdefault(second, []).append((which, error))
    matched = [0] * len(candidates)
    first, last = 1 << 62, 0
    for anchor in anchors:
        second = int(anchor.timestamp())
        first, last = min(first, second), max(last, second)
        for shift in shifts:
            for which, error in wanted.pop(second + shift, ()):
                matched[which] |= 1 << error
    return matched, first, last


def _beats(candidates: Sequence[_Candidate], matched: Sequence[int], best: int, other: int) -> bool:
    """Whether, of the errors whose moments differ, the best one explains enough, and the other one not half of them."""
    pairs = enumerate(zip(candidates[best].seconds, candidates[other].seconds, strict=True))
    differ = sum(1 << index for index, (here, there) in pairs if here != there)
    ours, theirs = (matched[best] & differ).bit_count(), (matched[other] & differ).bit_count()
    return ours >= _LEAST and theirs * 2 <= ours
