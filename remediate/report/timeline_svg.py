"""The timeline as SVG: no script, no style, nothing loaded; every text escaped. Pure."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from remediate.report.diagnosis_text import title
from remediate.report.text import count, printable
from remediate.report.timeline import Lane, LaneKind, Window, lanes, stretch, ticks, windows
from remediate.values.diagnoses import Stream

WIDTH = 1000
_LEFT, _RIGHT = 90, 20
_LANE = 26
# A window's title, and below the lanes the ticks' labels.
_ABOVE, _BELOW = 20, 34
_COLUMNS = 400
# Readable on white and on black, and told apart by shape too: a stop is hollow, a start is high, an error is full.
_COLOURS: dict[LaneKind, str] = {"error": "#d1453b", "stop": "#b7791f", "start": "#2b7bb9"}
_GREY = "#808080"
_FONT = f'font-family="sans-serif" font-size="12" fill="{_GREY}"'


def text(value: str) -> str:
    """A text for markup: control characters spelled out, then escaped."""
    return escape(printable(value), {'"': "&quot;", "'": "&#39;"})


def timelines_svg(streams: Sequence[Stream]) -> str:
    """One file with the timelines of all streams, one below the other, each under its title."""
    parts = []
    top = 0
    for number, stream in enumerate(streams):
        drawn = timeline_svg(stream, number, top + 24)
        if drawn:
            parts.append(
                f'<text x="8" y="{top + 16}" font-weight="bold">{text(title(stream))}: {stream.verdict}</text>'
            )
            parts.append(drawn)
            top += 24 + _height(stream)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 1}" width="{WIDTH}" height="{top + 1}" '
        f"{_FONT}>"
    )
    return "\n".join((head, *parts, "</svg>\n"))


def timeline_svg(stream: Stream, number: int, y: int = 0) -> str:
    """An ``svg`` element; ``number`` tells its ids from those of others. Empty where no time is known."""
    found = windows(stream, _COLUMNS)
    if not found:
        return ""
    height = _height(stream)
    told = ", ".join(f"{count(len(lane.times), 'mark')}: {lane.label}" for lane in lanes(stream))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'y="{y}" role="img" aria-labelledby="t{number} d{number}" {_FONT}>',
        f'<title id="t{number}">{text(f"Timeline of {title(stream)}")}</title>',
        f'<desc id="d{number}">{text(f"{stretch(found[0])}. {told}.")}</desc>',
    ]
    top = 0
    for window in found:
        parts += _window(stream, window, top)
        top += _window_height(stream)
    return "\n".join((*parts, "</svg>\n"))


def _height(stream: Stream) -> int:
    return _window_height(stream) * len(windows(stream, _COLUMNS))


def _window_height(stream: Stream) -> int:
    return _ABOVE + _LANE * len(lanes(stream)) + _BELOW


def _x(place: float) -> float:
    return round(_LEFT + place * (WIDTH - _LEFT - _RIGHT), 1)


def _window(stream: Stream, window: Window, top: int) -> list[str]:
    parts = [f'<text x="{_LEFT}" y="{top + 13}">{text(f"{window.title}: {stretch(window)}")}</text>']
    bottom = top + _window_height(stream) - _BELOW
    for time, label in ticks(window, 12):
        x = _x(window.place(time))
        parts.append(f'<path d="M{x} {top + _ABOVE}V{bottom + 4}" stroke="{_GREY}" stroke-opacity=".35"/>')
        parts.append(f'<text x="{x}" y="{bottom + 17}" text-anchor="middle">{text(label)}</text>')
    for row, lane in enumerate(lanes(stream)):
        y = top + _ABOVE + row * _LANE
        parts.append(f'<text x="{_LEFT - 8}" y="{y + _LANE // 2 + 4}" text-anchor="end">{text(lane.label)}</text>')
        parts.append(_marks(lane, window, y))
    return parts


def _marks(lane: Lane, window: Window, y: int) -> str:
    """All marks of a lane as one path."""
    places = sorted({_x(window.place(time)) for time in lane.within(window.begin, window.end)})
    return f'<path d="{_shape(lane.kind, places, y)}" {_paint(lane.kind)}/>'


def _shape(kind: LaneKind, places: Sequence[float], y: int) -> str:
    middle = y + _LANE // 2
    if kind == "error":
        return "".join(f"M{x} {middle - 8}v16" for x in places)
    if kind == "start":
        return "".join(f"M{x} {middle - 7}l5 12h-10z" for x in places)
    return "".join(f"M{x - 3:.1f} {middle}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0" for x in places)


def _paint(kind: LaneKind) -> str:
    colour = _COLOURS[kind]
    return f'fill="{colour}"' if kind == "start" else f'fill="none" stroke="{colour}" stroke-width="1.5"'


def legend_svg() -> str:
    """The three marks, with what they are."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 {_LANE}" width="420" height="{_LANE}" role="img" '
        f'aria-label="Legend" {_FONT}>'
    ]
    words: dict[LaneKind, str] = {"stop": "an idle stop", "start": "a recycle or start", "error": "an error"}
    for at, (kind, word) in enumerate(words.items()):
        x = 12 + at * 140
        parts.append(f'<path d="{_shape(kind, [x], 0)}" {_paint(kind)}/><text x="{x + 12}" y="17">{text(word)}</text>')
    return "".join((*parts, "</svg>\n"))
