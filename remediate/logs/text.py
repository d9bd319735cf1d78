"""Logs of text: log4net, NLog, Serilog, or stack traces alone. See entries.py for what an entry is."""

from datetime import date, datetime
from functools import partial

from remediate.logs.entries import REACH, entries
from remediate.logs.origin import of_text
from remediate.logs.tally import Tally
from remediate.logs.timestamps import DATED, UNDATED, Stamp, read_stamp
from remediate.logs.window import Window


def read_text(window: Window, tally: Tally) -> None:
    """Clocks without a date count where no entry of the file's beginning has one; they are of the day in the file's
    name, until they go back: then the day is not known any more."""
    lines = window.fill(REACH)[:REACH].split(b"\n")
    stamps = [read_stamp(match, tally.day) for line in lines if (match := DATED.match(line))]
    for stamp in stamps:
        tally.dates.see(stamp)
    begins = DATED if stamps else UNDATED
    day, last = tally.day, datetime.min
    for entry in entries(window, begins):
        occurrence = tally.judge(entry.text)
        if occurrence is None:
            continue
        stamp = None
        if entry.begin is not None:
            stamp = read_stamp(entry.begin, day)
            if entry.begin.groupdict().get("alone_hour"):
                stamp, last, day = _in_order(stamp, last, day)
            elif stamp is None:
                tally.unparsed += 1
            tally.dates.see(stamp)
        tally.keep(occurrence, partial(of_text, entry.text), entry.line, stamp)
    for line in window.data[-REACH:].split(b"\n")[1:]:
        if match := DATED.match(line):
            tally.dates.see(read_stamp(match, tally.day))


def _in_order(stamp: Stamp | None, last: datetime, day: date | None) -> tuple[Stamp | None, datetime, date | None]:
    """A clock of a day, if it is not before the last one; and what the next one is compared with."""
    time = None if stamp is None or stamp.day_first is None else stamp.day_first.replace(tzinfo=None)
    return (None, last, None) if time is None or time < last else (stamp, time, day)
