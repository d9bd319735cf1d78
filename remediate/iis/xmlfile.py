"""An XML file read with the places of everything in it, so that a line can be named and an attribute be changed.

expat reads it, since it gives the place of each tag; what encoding the file is in is settled before. Only elements and
attributes are kept; comments, texts and the rest stay in the bytes.
"""

import re
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from xml.parsers import expat

from remediate.iis.encoding import decoded, place, place_after
from remediate.iis.schema import ConfigError

_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*+\s*/?>""")
ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(slots=True)
class Element:
    """An element; ``start`` and ``end`` are the bytes of the UTF-8 text that its start tag covers, ``close`` is where
    its end tag begins (of an empty element: where it begins itself)."""

    name: str
    attributes: dict[str, str]
    start: int
    end: int = 0
    close: int = 0
    children: list["Element"] = field(default_factory=list)

    def child(self, name: str) -> "Element | None":
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list["Element"]:
        return [child for child in self.children if child.name == name]


@dataclass(frozen=True)
class Document:
    """A file's text as UTF-8, and what it was on the disk: its byte order mark, or none, and its encoding."""

    text: bytes
    bom: bytes
    encoding: str
    root: Element

    def line(self, element: Element, attribute: str | None = None) -> int:
        """The line, from 1, on which the attribute stands; of an element alone, or without that attribute, its own."""
        match = None if attribute is None else find_attribute(self.text, element, attribute)
        return bisect_left(self._line_ends, element.start if match is None else match.start(1)) + 1

    @cached_property
    def _line_ends(self) -> "array[int]":
        return array("L", (match.start() for match in re.finditer(b"\r\n|\n|\r", self.text)))


def read(data: bytes) -> Document:
    """Parse a file; ConfigError with line and column for broken XML, an encoding that is not its own, and a DTD."""
    bom, encoding, text = decoded(data)
    utf8 = text.encode()
    return Document(utf8, bom, encoding, parse(utf8))


def find_attribute(text: bytes, element: Element, name: str) -> re.Match[bytes] | None:
    """Where the attribute stands; the pattern may be simple because expat has accepted the tag already."""
    position = element.start + 1 + len(element.name.encode())
    while match := ATTRIBUTE.match(text, position):
        if match[1].decode() == name:
            return match
        position = match.end()
    return None


def parse(text: bytes) -> Element:
    """The root element of a text in UTF-8; ConfigError as for ``read``."""
    parser = expat.ParserCreate(encoding="utf-8")
    top = Element("", {}, 0)
    stack = [top]

    def begin(name: str, attributes: dict[str, str]) -> None:
        start = parser.CurrentByteIndex
        tag = _TAG.match(text, start)
        assert tag is not None  # expat has read it
        element = Element(name, attributes, start, tag.end())
        stack[-1].children.append(element)
        stack.append(element)

    def finish(_name: str) -> None:
        stack.pop().close = parser.CurrentByteIndex

    def doctype(*_: Any) -> None:
        before = text[: text.rindex(b"<!DOCTYPE", 0, parser.CurrentByteIndex)]
        raise ConfigError(f"{place_after(before.decode())}: a document type declaration is not accepted")

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ConfigError(f"{place(error.lineno, error.offset + 1)}: {expat.ErrorString(error.code)}") from error
    return top.children[0]
