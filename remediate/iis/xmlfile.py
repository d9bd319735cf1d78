"""An XML file read with the places of everything in it, so that a line can be named and an attribute be changed.

expat reads it. Only elements and attributes are kept; comments, texts and the rest stay in the bytes.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from xml.parsers import expat

from remediate.iis.schema import ConfigError

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass
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
    """A file's text as UTF-8, with what is needed to write it back as it was."""

    text: bytes
    bom: bytes
    encoding: str
    root: Element

    def to_bytes(self) -> bytes:
        return self.bom + self.text.decode().encode(self.encoding)

    def with_text(self, text: bytes) -> "Document":
        return Document(text, self.bom, self.encoding, _parse(text))

    def line(self, element: Element, attribute: str) -> int | None:
        """The line, from 1, on which the attribute stands; None where it does not."""
        match = find_attribute(self.text, element, attribute)
        return None if match is None else bisect_left(self._line_ends, match.start(1)) + 1

    @cached_property
    def _line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer(b"\n", self.text)]


def read(data: bytes) -> Document:
    """Parse a file; ConfigError with line and column for broken XML, and for a DTD, which no IIS file has."""
    bom, encoding = next(((bom, enc) for bom, enc in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding).encode()
    except UnicodeError as error:
        raise ConfigError(f"not {encoding}: {error}") from error
    return Document(text, bom, encoding, _parse(text))


def find_attribute(text: bytes, element: Element, name: str) -> re.Match[bytes] | None:
    """Where the attribute stands; the pattern may be simple because expat has accepted the tag already."""
    position = element.start + 1 + len(element.name.encode())
    while match := ATTRIBUTE.match(text, position):
        if match[1].decode() == name:
            return match
        position = match.end()
    return None


def _parse(text: bytes) -> Element:
    parser = expat.ParserCreate(encoding="utf-8")
    top = Element("", {}, 0)
    stack = [top]

    def begin(name: str, attributes: dict[str, str]) -> None:
        start = parser.CurrentByteIndex
        element = Element(name, attributes, start, _tag_end(text, start))
        stack[-1].children.append(element)
        stack.append(element)

    def finish(_name: str) -> None:
        stack.pop().close = parser.CurrentByteIndex

    def doctype(*_: Any) -> None:
        raise ConfigError("a document type declaration is not accepted")

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise ConfigError(f"line {error.lineno}, column {error.offset + 1}: {what}") from error
    return top.children[0]


def _tag_end(text: bytes, start: int) -> int:
    position = start + 1
    while text[position : position + 1] not in (b">", b"/") and not text[position : position + 1].isspace():
        position += 1
    while match := ATTRIBUTE.match(text, position):
        position = match.end()
    return text.index(b">", position) + 1
