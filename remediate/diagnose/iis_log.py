"""Errors against the lines of IIS's own log: was a request answered at that time, and when was the last one before?

IIS logs a request when it has answered it, to the second, in UTC; and never its own start-up request. So an error of
that request has no line at its time, while an error that a client caused has one. On a busy server some line stands at
any time: how often is counted beside it, at moments a little away from the errors.

That there is no line means something only where the log would have it: in a log of the pool's own site, and on a day
(in UTC, as IIS begins its files) of which it has any line. The file of a day may be missing among those given.

The log may be long: requests are seen once, one by one, and nothing is kept of them but a few numbers for each error.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from remediate.diagnose.thresholds import ASIDE, LINE_AFTER, LINE_BEFORE
from remediate.iis.names import iis_key
from remediate.values.logs import Request

_MICROSECOND = timedelta(microseconds=1)


def _microseconds(seconds: float) -> int:
    return timedelta(seconds=seconds) // _MICROSECOND


_BEFORE, _AFTER = _microseconds(LINE_BEFORE), _microseconds(LINE_AFTER)
_ASIDE = tuple(tuple(map(_microseconds, group)) for group in ASIDE)


class LineCheck(Struct, frozen=True, kw_only=True):
    """Of one stream's errors, sorted: ``at`` is whether a line stands at each, None where the log does not reach.

    ``last`` is the last request before each that only this pool can have answered. ``chance`` is how often a line
    stands at other moments, of those by chance and those by the minute the larger.
    """

    at: tuple[bool | None, ...]
    last: tuple[datetime | None, ...]
    chance: float

    def only(self, chosen: Sequence[int]) -> "LineCheck":
        """The same for the errors of those places."""
        return LineCheck(
            at=tuple(self.at[n] for n in chosen), last=tuple(self.last[n] for n in chosen), chance=self.chance
        )

    @property
    def checked(self) -> int:
        return sum(found is not None for found in self.at)

    @property
    def matched(self) -> int:
        return sum(found is True for found in self.at)


class LineWatch:
    """Takes in requests, in any order, for one stream's errors; times are in UTC."""

    def __init__(self, times: Sequence[datetime], host: str | None, pool: str | None) -> None:
        self.host, self._pool = host, None if pool is None else iis_key(pool)
        self._times = tuple(sorted(times))
        self._origin = self._times[0]
        self._moments = [self._offset(time) for time in self._times]
        self._at = [False] * len(self._times)
        self._last: list[int | None] = [None] * len(self._times)
        # The moments aside, and whether a line stands at them.
        self._aside = [sorted(moment + away for moment in self._moments for away in group) for group in _ASIDE]
        self._busy = [[False] * len(moments) for moments in self._aside]
        self._reach: tuple[int, int] | None = None
        self._days: set[date] = set()
        self._days_of_file: set[date] = set()
        self._torn: set[date] = set()

    def _offset(self, time: datetime) -> int:
        """In microseconds, as all that is compared here: sums of seconds with fractions are not exact."""
        return (time - self._origin) // _MICROSECOND

    def take(self, request: Request, pools: frozenset[str], logged: frozenset[str] | None = None) -> None:
        """A line of this server's log; ``pools`` may have answered it, and where that is empty any may.

        ``logged``: the pools of the site whose log it is, None where the site is not known.
        """
        if self._pool is not None and logged is not None and self._pool not in logged:
            return
        moment = self._offset(request.time)
        low, high = self._reach or (moment, moment)
        self._reach = (min(low, moment), max(high, moment))
        self._days_of_file.add(request.time.date())
        if request.preload or (self._pool is not None and pools and self._pool not in pools):
            return
        _mark(self._moments, self._at, moment)
        for moments, busy in zip(self._aside, self._busy, strict=True):
            _mark(moments, busy, moment)
        if self._pool is not None and len(pools) > 1:
            return
        # The first error that comes after it; what stands there counts for those after that one too.
        after = bisect_right(self._moments, moment + _BEFORE)
        if after < len(self._last):
            held = self._last[after]
            self._last[after] = moment if held is None else max(held, moment)

    def end_file(self, *, whole: bool) -> None:
        """No more lines of that file. The days of one that could not be read whole show nothing: lines are missing."""
        if not whole:
            self._torn |= self._days_of_file
        self._days |= self._days_of_file
        self._days_of_file.clear()

    def result(self) -> LineCheck:
        """What was found in the lines so far."""
        if self._reach is None:
            nothing = (None,) * len(self._times)
            return LineCheck(at=nothing, last=nothing, chance=0.0)
        low, high = self._reach
        days = (self._days | self._days_of_file) - self._torn
        at = tuple(
            found
            if (found and time.date() not in self._torn)
            or (time.date() in days and low - _BEFORE <= moment <= high + _AFTER)
            else None
            for found, moment, time in zip(self._at, self._moments, self._times, strict=True)
        )
        last: list[datetime | None] = []
        latest: int | None = None
        for own in self._last:
            latest = own if latest is None or (own is not None and own > latest) else latest
            last.append(None if latest is None else self._origin + latest * _MICROSECOND)
        chance = max(
            _share([hit for hit, moment in zip(busy, moments, strict=True) if low <= moment <= high])
            for busy, moments in zip(self._busy, self._aside, strict=True)
        )
        return LineCheck(at=at, last=tuple(last), chance=chance)


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def _mark(moments: Sequence[int], marks: list[bool], moment: int) -> None:
    """Set the mark of each moment at which the line of that one stands."""
    for index in range(bisect_left(moments, moment - _AFTER), bisect_right(moments, moment + _BEFORE)):
        marks[index] = True


class Line(Struct, frozen=True):
    """A request with its server, the pools that may have answered it, and those of its site; see LineWatch.take."""

    request: Request
    host: str | None
    pools: frozenset[str]
    logged: frozenset[str] | None


def watch(lines: Iterable[Line], watches: Sequence[LineWatch]) -> None:
    """Hand each request to the watches of its server."""
    for line in lines:
        for one in watches:
            if one.host == line.host or line.host is None or one.host is None:
                one.take(line.request, line.pools, line.logged)
