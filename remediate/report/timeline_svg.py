"""The timeline as SVG: where each mark and label stands. The markup is in templates/. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from remediate.report.diagnosis_text import title
from remediate.report.markup import markup
from remediate.report.text import count
from remediate.report.timeline import Lane, LaneKind, Window, lanes, stretch, ticks, windows
from remediate.values.diagnoses import Stream

WIDTH = 1000
_LEFT, _RIGHT = 90, 20
_LANE = 26
# A window's title, and below the lanes the ticks' labels.
_ABOVE, _BELOW = 20, 34
_HEADING = 24
_COLUMNS = 400
# Readable on white and on black, and told apart by shape too: a stop is hollow, a start is high, an error is full.
_COLOURS: dict[LaneKind, str] = {"error": "#d1453b", "stop": "#b7791f", "start": "#2b7bb9"}
_GREY = "#808080"
_NAMES: dict[LaneKind, str] = {"stop": "an idle stop", "start": "a recycle or start", "error": "an error"}


@dataclass(frozen=True)
class Label:
    """A text, and the point where it begins (``start``), ends (``end``) or has its middle."""

    x: float
    y: int
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class Path:
    """The attribute ``d`` of a path, and how it is painted."""

    d: str
    stroke: str
    fill: str = "none"
    width: float = 1.5
    opacity: float = 1


@dataclass(frozen=True)
class Drawing:
    """A picture of that size, in pixels; ``title`` and ``description`` are for those who do not see it."""

    width: int
    height: int
    title: str
    description: str = ""
    paths: tuple[Path, ...] = ()
    labels: tuple[Label, ...] = ()
    grey: str = _GREY


@dataclass(frozen=True)
class _Placed:
    """The drawing of the stream of that number, with its heading above ``y``."""

    number: int
    heading: str
    drawing: Drawing
    y: int


def timelines_svg(streams: Sequence[Stream]) -> str:
    """One file with the timelines of all streams, one below the other, each under its title."""
    placed: list[_Placed] = []
    top = 0
    for number, stream in enumerate(streams):
        drawing = drawn(stream)
        if drawing is not None:
            placed.append(_Placed(number, f"{title(stream)}: {stream.verdict}", drawing, top + _HEADING))
            top += _HEADING + drawing.height
    return markup("timelines.svg.j2", page=Drawing(WIDTH, top + 1, ""), timelines=placed)


def drawn(stream: Stream) -> Drawing | None:
    """The stream's timeline; None where no time is known."""
    found = windows(stream, _COLUMNS)
    if not found:
        return None
    marks = ", ".join(f"{count(len(lane.times), 'mark')}: {lane.label}" for lane in lanes(stream))
    height = _ABOVE + _LANE * len(lanes(stream)) + _BELOW
    shapes = [shape for row, window in enumerate(found) for shape in _window(stream, window, row * height, height)]
    return Drawing(
        WIDTH, height * len(found), f"Timeline of {title(stream)}", f"{stretch(found[0])}. {marks}.",
        tuple(shape for shape in shapes if isinstance(shape, Path)),
        tuple(shape for shape in shapes if isinstance(shape, Label)),
    )  # fmt: skip


def _x(place: float) -> float:
    return round(_LEFT + place * (WIDTH - _LEFT - _RIGHT), 1)


def _window(stream: Stream, window: Window, top: int, height: int) -> Iterator[Path | Label]:
    yield Label(_LEFT, top + 13, f"{window.title}: {stretch(window)}")
    bottom = top + height - _BELOW
    for time, label in ticks(window, 12):
        x = _x(window.place(time))
        yield Path(f"M{x} {top + _ABOVE}V{bottom + 4}", _GREY, width=1, opacity=0.35)
        yield Label(x, bottom + 17, label, "middle")
    for row, lane in enumerate(lanes(stream)):
        y = top + _ABOVE + row * _LANE
        yield Label(_LEFT - 8, y + _LANE // 2 + 4, lane.label, "end")
        yield _marks(lane, window, y)


def _marks(lane: Lane, window: Window, y: int) -> Path:
    """All marks of a lane as one path."""
    return _path(lane.kind, sorted({_x(window.place(time)) for time in lane.within(window.begin, window.end)}), y)


def _path(kind: LaneKind, places: Sequence[float], y: int) -> Path:
    middle, colour = y + _LANE // 2, _COLOURS[kind]
    if kind == "error":
        return Path("".join(f"M{x} {middle - 8}v16" for x in places), colour)
    if kind == "start":
        return Path("".join(f"M{x} {middle - 7}l5 12h-10z" for x in places), "none", colour)
    return Path("".join(f"M{x - 3:.1f} {middle}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0" for x in places), colour)


def legend() -> Drawing:
    """The three marks, with what they are."""
    at = {kind: 12 + number * 140 for number, kind in enumerate(_NAMES)}
    return Drawing(
        420, _LANE, "Legend", paths=tuple(_path(kind, [x], 0) for kind, x in at.items()),
        labels=tuple(Label(x + 12, 17, _NAMES[kind]) for kind, x in at.items()),
    )  # fmt: skip
