"""One kind of element after the other out of a stream of XML, each parsed by itself.

So a file may have a root or none, be one of many put together, be broken in places, or end in the middle; only the
element that is broken is lost. No element can hold another of its own kind.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

from msgspec import Struct

from remediate.logs.exceptions import find_code
from remediate.logs.tally import Tally
from remediate.logs.window import Window

# No error and no event is as long as that.
LONGEST = 1 << 20


class Node(Struct, frozen=True):
    """An element without its children: the name without a prefix, its attributes, and the text in it."""

    name: str
    attributes: dict[str, str]
    text: str


class Fragment(Struct, frozen=True):
    """``text`` is None for an element that does not end."""

    line: int
    text: bytes | None


# The prefix of a name, with its colon.
_PREFIX = rb"(?:[A-Za-z][\w.-]{0,30}:)?"
_LONGEST_PREFIX = 32


def fragments(window: Window, name: str, *, prefixed: bool = False) -> Iterator[Fragment]:
    """The elements of this name, as they stand; ``prefixed``: their names may have a prefix."""
    called = (_PREFIX if prefixed else b"") + name.encode()
    begin = re.compile(rb"<(%b)(?=[\s/>])" % called)
    tag = re.compile(rb"""<%b(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>""" % called)
    margin = len(name) + _LONGEST_PREFIX + 4
    at = 0
    while True:
        match = begin.search(window.data, at)
        if match is None:
            if window.ended:
                return
            gone = max(at, len(window.data) - margin)
            window.drop(gone)
            at = 0
            window.more()
            continue
        start, close = match.start(), b"</%b>" % match[1]
        # Blocks are asked for until the element ends, the next one begins, or it is too long.
        size = start
        while True:
            size = min(max(size * 2 - start, start + (64 << 10)), start + LONGEST)
            data = window.fill(size)
            following = begin.search(data, match.end(), start + LONGEST)
            limit = following.start() if following else min(len(data), start + LONGEST)
            end = data.find(close, start, limit)
            if end >= 0 or following or size >= start + LONGEST or window.ended:
                break
        whole = tag.match(data, start, limit)
        if whole is not None and whole[0].endswith(b"/>"):
            end, at = start, whole.end()
        else:
            at = limit if end < 0 else end + len(close)
        yield Fragment(window.line(start), None if end < 0 else data[start:at])
        if at > LONGEST:
            window.drop(at)
            at = 0


def parse(text: bytes) -> tuple[Node, ...] | None:
    """The elements in the order in which they begin; None where this is no XML."""
    parser = expat.ParserCreate(encoding="utf-8")
    nodes: list[tuple[str, dict[str, str], list[str]]] = []
    open_ones: list[int] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        open_ones.append(len(nodes))
        nodes.append((name.rpartition(":")[2], attributes, []))

    def finish(_name: str) -> None:
        open_ones.pop()

    def characters(data: str) -> None:
        nodes[open_ones[-1]][2].append(data)

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(text.decode(errors="replace").encode(), True)
    except expat.ExpatError:
        return None
    return tuple(Node(name, attributes, "".join(texts)) for name, attributes, texts in nodes)


def elements_with_code(
    window: Window, tally: Tally, name: str, *, prefixed: bool = False
) -> Iterator[tuple[int, tuple[Node, ...]]]:
    """The line and the nodes of each element of this name that names a code; one that cannot be read is counted."""
    for fragment in fragments(window, name, prefixed=prefixed):
        text = fragment.text
        if text is None:
            tally.unparsed += 1
        elif find_code(text, 0) >= 0:
            nodes = parse(text)
            if nodes is None:
                tally.unparsed += 1
            else:
                yield fragment.line, nodes
