"""The timeline of a stream: its errors, and the idle stops and recycles of its pool, on one axis.

Lanes and windows are the same for a terminal and for a page. The first window is the whole time; where a column of it
holds several errors, a second one is the last of it, wide enough that each error stands under what came before it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from remediate.values.diagnoses import Stream

LaneKind = Literal["error", "stop", "start"]

_LANES: tuple[tuple[LaneKind, str, frozenset[str]], ...] = (
    ("stop", "idle stops", frozenset({"idle-stop", "shortened"})),
    ("start", "recycles", frozenset({"recycle", "boot", "failure"})),
    ("error", "errors", frozenset({"error"})),
)
# So many of the last errors are in the second window.
_LAST = 12
# Distances of ticks, in seconds, of which the smallest is taken that fits.
_STEPS = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 604800, 2592000, 31536000)
_MINUTE = timedelta(minutes=1)

# One glyph for each height, the first for nothing; and last the one for a lane that has one in a column at most.
BLOCKS, ASCII = " ▁▂▃▄▅▆▇█│", " .:-=+*%#|"
_COLOURS: dict[LaneKind, str] = {"error": "31", "stop": "33", "start": "36"}


class Lane(Struct, frozen=True):
    """Its times are sorted."""

    kind: LaneKind
    label: str
    times: tuple[datetime, ...]

    def within(self, begin: datetime, end: datetime) -> Sequence[datetime]:
        return self.times[bisect_left(self.times, begin) : bisect_right(self.times, end)]


class Window(Struct, frozen=True):
    """A part of the axis, both ends included."""

    title: str
    begin: datetime
    end: datetime

    def place(self, time: datetime) -> float:
        """Where a time lies, from 0 to 1."""
        return (time - self.begin) / (self.end - self.begin)


def lanes(stream: Stream) -> tuple[Lane, ...]:
    """Causes above errors. With no event at all the errors alone: an empty lane would say that nothing happened."""
    errors_alone = all(mark.kind == "error" for mark in stream.marks)
    return tuple(
        Lane(kind, label, tuple(mark.time for mark in stream.marks if mark.kind in kinds))
        for kind, label, kinds in _LANES
        if kind == "error" or not errors_alone
    )


def windows(stream: Stream, columns: int) -> tuple[Window, ...]:
    """None where no time is known; the second where errors would share the columns of the first."""
    if not stream.marks:
        return ()
    begin, end = stream.marks[0].time, stream.marks[-1].time
    whole = Window("all" if not stream.marks_left_out else "the latest", begin, max(end, begin + _MINUTE))
    errors = next(lane for lane in lanes(stream) if lane.kind == "error").times
    if len(errors) <= _LAST or len({int(whole.place(time) * columns) for time in errors}) > 0.8 * len(errors):
        return (whole,)
    # Some air on both sides; the events shortly before the first belong to it.
    last = max(errors[-1], errors[-_LAST] + _MINUTE)
    air = (last - errors[-_LAST]) / 40 + _MINUTE
    return whole, Window("the last of it", max(errors[-_LAST] - air, whole.begin), min(last + air, whole.end))


def ticks(window: Window, most: int) -> list[tuple[datetime, str]]:
    """Round times inside the window, at most so many, with their labels."""
    span = (window.end - window.begin).total_seconds()
    step = next((step for step in _STEPS if span / step <= most), None)
    if step is None:
        return []
    origin = datetime(window.begin.year, 1, 1, tzinfo=window.begin.tzinfo)
    first = -(-(window.begin - origin) // timedelta(seconds=step))
    found = []
    time = origin + timedelta(seconds=first * step)
    while time <= window.end:
        midnight = not (time.hour or time.minute or time.second)
        found.append((time, time.strftime("%m-%d" if midnight else "%H:%M" if step >= 60 else "%H:%M:%S")))
        time += timedelta(seconds=step)
    return found


def stretch(window: Window) -> str:
    """From when to when, and in which zone."""
    zone = "UTC" if window.begin.tzinfo is not None else "the log's own time"
    begin, end = (time.strftime("%Y-%m-%d %H:%M") for time in (window.begin, window.end))
    return f"{begin} to {end}, {zone}"


def timeline_text(stream: Stream, width: int, glyphs: str = BLOCKS, *, colour: bool = False) -> list[str]:
    """Lines of at most ``width`` columns; ``glyphs`` are for how many fall into a column."""
    head = max(len(label) for _, label, _ in _LANES) + 2
    columns = max(20, width - head)
    lines: list[str] = []
    for window in windows(stream, columns):
        lines.append(f"{window.title}: {stretch(window)}"[:width])
        for lane in lanes(stream):
            drawn = _drawn(lane, window, columns, glyphs)
            lines.append(f"{lane.label:<{head}}" + (f"\x1b[{_COLOURS[lane.kind]}m{drawn}\x1b[0m" if colour else drawn))
        lines.append(" " * head + _axis(window, columns))
    return [line.rstrip() for line in lines]


def _drawn(lane: Lane, window: Window, columns: int, glyphs: str) -> str:
    counts = [0] * columns
    for time in lane.within(window.begin, window.end):
        counts[min(columns - 1, int(window.place(time) * columns))] += 1
    most = max(counts)
    if most <= 1:
        return "".join(glyphs[-1 if n else 0] for n in counts)
    full = len(glyphs) - 2
    return "".join(glyphs[0 if not n else max(1, round(n * full / most))] for n in counts)


def _axis(window: Window, columns: int) -> str:
    """``|04:00   |08:00``: the bar stands at the time."""
    line = [" "] * columns
    end = 0
    for time, label in ticks(window, columns // 10):
        at = min(columns - 1, int(window.place(time) * columns))
        if at >= end and at + 1 + len(label) <= columns:
            line[at : at + 1 + len(label)] = f"|{label}"
            end = at + 2 + len(label)
    return "".join(line)
