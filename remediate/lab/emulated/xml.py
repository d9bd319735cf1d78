"""An XML file whose attributes can be changed while every other byte stays.

expat reads it; the places of attributes inside a start tag, which expat does not tell, are found by a pattern that
may be simple because expat has already accepted the tag.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from remediate.lab.emulated.schema import ConfigError

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass
class Element:
    """An element, and the bytes of the UTF-8 text that its start tag covers."""

    name: str
    attributes: dict[str, str]
    start: int
    end: int = 0
    parent: "Element | None" = None
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


def read(data: bytes) -> Document:
    """Parse a file; ConfigError with line and column for broken XML, and for a DTD, which no IIS file has."""
    bom, encoding = next(((bom, enc) for bom, enc in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"not {encoding} at byte {error.start}") from error
    return Document(text, bom, encoding, _parse(text))


def _parse(text: bytes) -> Element:
    parser = expat.ParserCreate(encoding="utf-8")
    top = Element("", {}, 0)
    stack = [top]

    def begin(name: str, attributes: dict[str, str]) -> None:
        start = parser.CurrentByteIndex
        element = Element(name, attributes, start, _tag_end(text, start), stack[-1])
        stack[-1].children.append(element)
        stack.append(element)

    def finish(_name: str) -> None:
        stack.pop()

    def doctype(*_: Any) -> None:
        raise ConfigError("a document type declaration is not accepted")

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ConfigError(f"Line number: {error.lineno}, column {error.offset + 1}: not well-formed XML") from error
    return top.children[0]


def _tag_end(text: bytes, start: int) -> int:
    position = start + 1
    while text[position : position + 1] not in (b">", b"/") and not text[position : position + 1].isspace():
        position += 1
    while match := _ATTRIBUTE.match(text, position):
        position = match.end()
    return text.index(b">", position) + 1


def set_attribute(document: Document, element: Element, name: str, value: str) -> Document:
    """The document with that attribute of that element; its quotes stay where it was there already."""
    text = document.text
    match = _find(text, element, name)
    if match is not None:
        group = 2 if match[2] is not None else 3
        start, end = match.span(group)
        quote = {'"': "&quot;"} if group == 2 else {"'": "&apos;"}
        return document.with_text(text[:start] + escape(value, quote).encode() + text[end:])
    tag = text[element.start : element.end]
    at = element.start + len(tag[:-2].rstrip() if tag.endswith(b"/>") else tag[:-1].rstrip())
    return document.with_text(text[:at] + f' {name}="{escape(value, {chr(34): "&quot;"})}"'.encode() + text[at:])


def delete_attribute(document: Document, element: Element, name: str) -> Document:
    """The document without that attribute, and without the space before it."""
    match = _find(document.text, element, name)
    return (
        document if match is None else document.with_text(document.text[: match.start()] + document.text[match.end() :])
    )


def add_child(document: Document, element: Element, name: str) -> Document:
    """The document with an empty first child of that name, indented as its neighbours are."""
    text = document.text
    newline = b"\r\n" if b"\r\n" in text else b"\n"
    line = text.rfind(b"\n", 0, element.start) + 1
    indent = text[line : element.start] if text[line : element.start].isspace() or line == element.start else b""
    inside = newline + indent + b"    " + f"<{name} />".encode()
    tag = text[element.start : element.end]
    if not tag.endswith(b"/>"):
        return document.with_text(text[: element.end] + inside + text[element.end :])
    opened = tag[:-2].rstrip() + b">" + inside + newline + indent + f"</{element.name}>".encode()
    return document.with_text(text[: element.start] + opened + text[element.end :])


def _find(text: bytes, element: Element, name: str) -> re.Match[bytes] | None:
    position = element.start + 1 + len(element.name.encode())
    while match := _ATTRIBUTE.match(text, position):
        if match[1].decode() == name:
            return match
        position = match.end()
    return None
