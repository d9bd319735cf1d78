"""Change one attribute of an XML file while every other byte stays."""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from remediate.iis.xmlfile import Document, Element, find_attribute, parse

_NEWLINE = re.compile(b"\r\n|\n|\r")


def to_bytes(document: Document) -> bytes:
    """The file, in its own encoding."""
    return document.bom + document.text.decode().encode(document.encoding, "xmlcharrefreplace")


def set_attribute(document: Document, element: Element, name: str, value: str) -> Document:
    """The document with that attribute of that element; its quotes stay where it was there already."""
    text = document.text
    match = find_attribute(text, element, name)
    if match is not None:
        group = 2 if match[2] is not None else 3
        start, end = match.span(group)
        quote = {'"': "&quot;"} if group == 2 else {"'": "&apos;"}
        return _with_text(document, text[:start] + escape(value, quote).encode() + text[end:])
    tag = text[element.start : element.end]
    at = element.start + len(tag[:-2].rstrip() if tag.endswith(b"/>") else tag[:-1].rstrip())
    return _with_text(document, text[:at] + f' {name}="{escape(value, {chr(34): "&quot;"})}"'.encode() + text[at:])


def delete_attribute(document: Document, element: Element, name: str) -> Document:
    """The document without that attribute, and without the space before it."""
    match = find_attribute(document.text, element, name)
    if match is None:
        return document
    return _with_text(document, document.text[: match.start()] + document.text[match.end() :])


def add_child(document: Document, element: Element, name: str) -> Document:
    """The document with an empty last child of that name, in the manner of the file: on a line of its own, one step
    deeper, or in the same line where the element shares its line with others."""
    text, tag, new = document.text, document.text[element.start : element.end], f"<{name} />".encode()
    indent, step = _indent(text, element), _step(document, element)
    newline = match[0] if (match := _NEWLINE.search(text)) else b"\n"
    inside = newline + (indent or b"") + step + new
    behind = newline + (indent or b"")
    if tag.endswith(b"/>"):
        body = new if indent is None else inside + behind
        opened = tag[:-2].rstrip() + b">" + body + f"</{element.name}>".encode()
        return _with_text(document, text[: element.start] + opened + text[element.end :])
    last = element.children[-1] if element.children else None
    at = len(text[: element.close].rstrip())
    if _NEWLINE.search(text, element.end, element.close):
        body = inside if last is None else newline + (_indent(text, last) or b"") + new
    elif last is not None:
        at, body = _end(text, last), new
    else:
        body = new if indent is None else inside + behind
    return _with_text(document, text[:at] + body + text[at:])


def _indent(text: bytes, element: Element) -> bytes | None:
    """The space before the tag, or None where something else stands before it on its line."""
    before = text[: element.start].rstrip(b" \t")
    return text[len(before) : element.start] if before.endswith((b"\n", b"\r")) or not before else None


def _step(document: Document, element: Element) -> bytes:
    """What one step of depth is: seen at the element's first child, at itself, or else anywhere in the file."""
    pairs = list(_pairs(document.root))
    own = [pair for pair in pairs if pair[0] is element][:1] + [pair for pair in pairs if pair[1] is element]
    for parent, child in own + pairs:
        outer, inner = _indent(document.text, parent) or b"", _indent(document.text, child) or b""
        if len(inner) > len(outer) and inner.startswith(outer):
            return inner[len(outer) :]
    return b"    "


def _pairs(element: Element) -> Iterator[tuple[Element, Element]]:
    """Each element with each of its children, in the order of the file."""
    for child in element.children:
        yield element, child
        yield from _pairs(child)


def _end(text: bytes, element: Element) -> int:
    """Where the element ends, behind its end tag."""
    empty = text[element.start : element.end].endswith(b"/>")
    return element.end if empty else text.index(b">", element.close) + 1


def _with_text(document: Document, text: bytes) -> Document:
    return Document(text, document.bom, document.encoding, parse(text))
