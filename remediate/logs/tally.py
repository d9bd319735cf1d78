"""What a file has told so far, bounded: of each code, and of each kind of event, only so many are kept."""

from collections import Counter
from collections.abc import Callable
from datetime import date

from msgspec.structs import replace

from remediate.logs.exceptions import judge, names_the_fault
from remediate.logs.origin import Origin, placed
from remediate.logs.timestamps import DayOrder, Stamp
from remediate.values.logs import LoggedException, WorkerEvent

# Of one code, or of one kind of event, in one file.
KEPT = 100_000


class Tally:
    """``left_out``: what was found beyond the bound. ``unparsed``: what mattered and could not be understood.
    ``code_only``: entries that name the fault's code, and no exception.

    ``day``: the date in the file's name.
    """

    def __init__(self, source: str = "", day: date | None = None, kept: int = KEPT) -> None:
        self.source = source
        self.day = day
        self._kept = kept
        self.dates = DayOrder(day)
        self.unparsed = 0
        self.left_out = 0
        self.code_only = 0
        self._seen: Counter[str] = Counter()
        self._occurrences: list[tuple[LoggedException, Stamp | None]] = []
        self._events: list[WorkerEvent] = []
        self._names: dict[str, str] = {}

    def judge(self, text: str) -> LoggedException | None:
        """The occurrence that an entry tells of; what names the fault's code and no exception is counted."""
        occurrence = judge(text)
        self.code_only += occurrence is None and names_the_fault(text)
        return occurrence

    def keep(
        self, occurrence: LoggedException, origin: Callable[[], Origin], line: int, stamp: Stamp | None = None
    ) -> None:
        """An occurrence; where it comes from is asked only of those that are kept, since that takes the longest.

        With a stamp, its time is settled when all dates of the file have been seen.
        """
        if self._has_room(occurrence.code):
            found = placed(occurrence, origin())
            found = replace(
                found, source=self.source, line=line, host=self._once(found.host),
                application=self._once(found.application), pool=self._once(found.pool),
            )  # fmt: skip
            self._occurrences.append((found, stamp))

    def keep_event(self, event: WorkerEvent) -> None:
        if self._has_room(event.kind):
            self._events.append(replace(event, host=self._once(event.host), pool=self._once(event.pool)))

    def events(self) -> tuple[WorkerEvent, ...]:
        return tuple(self._events)

    def occurrences(self) -> tuple[LoggedException, ...]:
        return tuple(
            occurrence if stamp is None else replace(occurrence, time=self.dates.settle(stamp))
            for occurrence, stamp in self._occurrences
        )

    def _has_room(self, what: str) -> bool:
        self._seen[what] += 1
        room = self._seen[what] <= self._kept
        self.left_out += not room
        return room

    def _once(self, name: str | None) -> str | None:
        """The same text for the same name: a hundred thousand times one name is one name in memory."""
        return None if name is None else self._names.setdefault(name, name)
