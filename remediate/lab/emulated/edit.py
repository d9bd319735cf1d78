"""Change one attribute of an XML file while every other byte stays."""

from xml.sax.saxutils import escape

from remediate.iis.xmlfile import Document, Element, find_attribute


def set_attribute(document: Document, element: Element, name: str, value: str) -> Document:
    """The document with that attribute of that element; its quotes stay where it was there already."""
    text = document.text
    match = find_attribute(text, element, name)
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
    match = find_attribute(document.text, element, name)
    if match is None:
        return document
    return document.with_text(document.text[: match.start()] + document.text[match.end() :])


def add_child(document: Document, element: Element, name: str) -> Document:
    """The document with an empty last child of that name, indented as its neighbours are."""
    text = document.text
    newline = b"\r\n" if b"\r\n" in text else b"\n"
    line = text.rfind(b"\n", 0, element.start) + 1
    indent = text[line : element.start] if text[line : element.start].isspace() or line == element.start else b""
    inside = newline + indent + b"    " + f"<{name} />".encode()
    tag = text[element.start : element.end]
    if not tag.endswith(b"/>"):
        at = len(text[: element.close].rstrip())
        return document.with_text(text[:at] + inside + text[at:])
    opened = tag[:-2].rstrip() + b">" + inside + newline + indent + f"</{element.name}>".encode()
    return document.with_text(text[: element.start] + opened + text[element.end :])


def holds_nothing(document: Document, element: Element) -> bool:
    """Whether it has no attribute, no element, and no comment that would be lost with it."""
    inside = document.text[element.end : max(element.end, element.close)]
    return not element.attributes and not element.children and not inside.strip()


def remove(document: Document, element: Element) -> Document:
    """The document without the element: with its line where it stands alone on it."""
    text = document.text
    empty = text[element.start : element.end].endswith(b"/>")
    end = element.end if empty else text.index(b">", element.close) + 1
    before, rest = text[: element.start].rstrip(b" \t"), text[end:].lstrip(b" \t")
    if not before.endswith(b"\n"):
        return document.with_text(before + text[end:])
    if not rest.startswith((b"\r", b"\n", b"</")):
        return document.with_text(text[: element.start] + text[end:])
    return document.with_text(before.removesuffix(b"\n").removesuffix(b"\r") + text[end:])
