"""Events 1309 of ASP.NET as Event Viewer shows them, and as people paste them: their text, in any language.

    Event code: 3005
    Event message: An unhandled exception has occurred.
    Event time: 11/25/2026 2:00:01 PM
    Event time (UTC): 11/25/2026 1:00:01 PM
    ...

An event begins with the line of its code, which a line with `(UTC)` follows soon; whatever comes before it in the line
is the export's. Its time is the one in UTC.
"""

import re
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from remediate.logs.entries import entries
from remediate.logs.origin import Origin, address_in, of_text
from remediate.logs.tally import Tally
from remediate.logs.timestamps import DATED, Stamp, read_stamp
from remediate.logs.window import Window

# The codes of errors are 3001 to 3012. A process may have such a number too, but no UTC follows it.
_CODE = (
    rb"""(?:[^\r\n]{0,300}["\t])?[^\r\n:]{2,40}:[ \xa0]?30[01]\d\b"""
    rb"(?=(?:[^\n]{0,300}\n){1,4}?[^\n]{0,80}\(UTC\)|[^\n]{0,500}\(UTC\))"
)
_BEGINS = re.compile(_CODE)
_ANYWHERE = re.compile(rb"^" + _CODE, re.M)
_UTC = re.compile(rb"\(UTC\)[^\r\n\d]{0,20}")


def is_event_text(head: bytes) -> bool:
    return _ANYWHERE.search(head) is not None


def read_event_text(window: Window, tally: Tally) -> None:
    for entry in entries(window, _BEGINS):
        occurrence = tally.judge(entry.text)
        if occurrence is None:
            continue
        stamp = _stamp(entry.text.encode(errors="replace"))
        tally.unparsed += stamp is None
        tally.dates.see(stamp)
        tally.keep(occurrence, partial(_origin, entry.text), entry.line, stamp)


def _origin(text: str) -> Origin:
    origin = of_text(text)
    return replace(origin, address=origin.address or address_in(text))


def _stamp(text: bytes) -> Stamp | None:
    label = _UTC.search(text)
    match = None if label is None else DATED.match(text, label.end())
    stamp = None if match is None else read_stamp(match)
    return None if stamp is None else Stamp(_utc(stamp.day_first), _utc(stamp.month_first))


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)
