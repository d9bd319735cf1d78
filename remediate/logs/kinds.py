"""What a file holds, told by how it begins; its name says nothing. What is not known is text."""

import re
from typing import Literal

import msgspec

from remediate.errors import RemediateError
from remediate.json_words import NOT_JSON
from remediate.logs.elmah_csv import HEADER
from remediate.logs.event_text import is_event_text
from remediate.logs.evtx import MARK
from remediate.logs.given import OtherLog
from remediate.logs.site_log import refuse_other_log
from remediate.logs.timestamps import DATED
from remediate.logs.wrapped import wrapping

Kind = Literal[
    "text", "wrapped", "clef", "json", "json-objects", "elmah", "elmah-csv", "xml-log", "events", "events-json",
    "event-text", "w3c",
]  # fmt: skip

# How much of a file is looked at.
HEAD = 64 << 10
_EVENTS = re.compile(rb"(?:<\?xml[^>]*>\s*)?<Events[\s/>]")
_EVENT = re.compile(rb"<Event[\s>]")
# An entry of log4net's or log4j's layouts.
_XML_LOG = re.compile(rb"<(?:[A-Za-z][\w.-]{0,30}:)?event\s[^>]{0,2000}\blogger=")
_ERROR = re.compile(rb"<error[\s/>]")
_JSON_EVENT = re.compile(rb'"(?:Id|EventID|InstanceId|event_id)"\s*:\s*"?\d')
_JSON_EVENT_TOO = re.compile(
    rb'"(?:TimeCreated|TimeGenerated|ProviderName|LogName|RecordId|EventTime|SourceModuleType|provider_name|source_name)"\s*:'
)
# An array of objects, and an object that goes on in the next line.
_ARRAY = re.compile(rb"\[\s*\{")
_OBJECTS = re.compile(rb'(?:\[\s*)?\{\s*"')
# What is packed otherwise than once by gzip would pass for a log in which nothing is found.
_PACKED = {
    b"PK\x03\x04": "a zip archive", b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"BZh": "packed by bzip2",
    b"\xfd7zXZ\0": "packed by xz", b"\x28\xb5\x2f\xfd": "packed by zstd", b"\x1f\x8b\x08": "packed by gzip twice",
}  # fmt: skip
# A log has none of these, or a few; a program and random bytes have one in ten.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


def kind_of(head: bytes, name: str) -> Kind:
    """The kind of a file that begins so. RemediateError: an archive, or a binary event log that is no file.
    OtherLog: no text, or a log of IIS or beside it that holds nothing that is read here."""
    text = head.lstrip()
    if head.startswith(MARK):
        raise RemediateError(f"{name}: a binary event log, packed or out of a pipe; give the file itself")
    packed = next((what for mark, what in _PACKED.items() if head.startswith(mark)), None)
    if packed is not None:
        raise RemediateError(f"{name}: {packed}; unpack it first")
    # Before what is no text: one of those logs is binary, and has a name of its own.
    refuse_other_log(text, name)
    if _is_no_text(head):
        raise OtherLog(name, "is no text, and so no log", "; give a log")
    if text.startswith(b"#") and (b"#Fields:" in text or text.startswith(b"#Software: Microsoft Internet")):
        return "w3c"
    if text.startswith(HEADER):
        return "elmah-csv"
    if wrapping(text):
        return "wrapped"
    first = text[:1]
    found = _of_xml(text) if first == b"<" else _of_json(text) if first in (b"{", b"[") else None
    return found or _of_text(text)


def _is_no_text(head: bytes) -> bool:
    # A file that is made longer beforehand ends in zeros: they are no damage. Nothing but zeros is no log.
    text = head.rstrip(b"\0")
    return bool(head) and len(text.decode(errors="replace")) <= 20 * (len(text) - len(text.translate(None, _CONTROLS)))


def _of_xml(text: bytes) -> Kind | None:
    if _EVENTS.match(text):
        return "events"
    if _XML_LOG.search(text):
        return "xml-log"
    event, error = _EVENT.search(text), _ERROR.search(text)
    if event and (error is None or event.start() < error.start()):
        return "events"
    return "elmah" if error else None


def _of_json(text: bytes) -> Kind | None:
    if _JSON_EVENT.search(text) and _JSON_EVENT_TOO.search(text):
        return "events-json"
    lines = text.split(b"\n")
    if not _ARRAY.match(text) and any(_is_object(line) for line in lines[:10]):
        return "clef" if b'"@t"' in text else "json"
    # What a log of text may begin with is no log of objects.
    return "json-objects" if _OBJECTS.match(text) and not any(map(DATED.match, lines)) else None


def _of_text(text: bytes) -> Kind:
    # log4net writes a header of the user's before the first entry.
    return "xml-log" if _XML_LOG.search(text) else "event-text" if is_event_text(text) else "text"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line.strip().decode(errors="replace")), dict)
    except NOT_JSON:
        return False
