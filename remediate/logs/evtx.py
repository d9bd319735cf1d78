"""Binary event logs (.evtx), by the library that the extra `evtx` brings: out comes the XML of each event."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remediate.logs.damaged import Damaged
from remediate.logs.given import OtherLog

MARK = b"ElfFile\0"
# So many records may be broken; a file that has more is no event log.
_MOST_BROKEN = 1000


def event_xml(path: Path) -> Iterator[bytes]:
    """The events, one after the other. Damaged, at the end: some are broken. OtherLog: the extra is not installed."""
    try:
        from evtx import PyEvtxParser
    except ImportError:
        raise OtherLog(
            str(path),
            "a binary event log, which needs the extra `evtx`",
            ": pip install '.[evtx]' in a checkout, or export it with: "
            "wevtutil qe FILE.evtx /lf:true /f:xml /e:Events > FILE.xml",
        ) from None
    broken = 0
    # A log without events is one of events, too.
    yield b"<Events>"
    try:
        records = PyEvtxParser(str(path), number_of_threads=1).records()
    except (RuntimeError, OSError):
        raise Damaged("it is damaged: none of its records can be read") from None
    while broken < _MOST_BROKEN:
        try:
            record: Any = next(records)
            yield record["data"].encode(errors="replace")
        except StopIteration:
            break
        except (RuntimeError, OSError):
            broken += 1
    if broken:
        raise Damaged(f"{broken} of its records {'is' if broken == 1 else 'are'} broken")
