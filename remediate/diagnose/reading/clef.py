"""Logs of JSON, one object a line: CLEF (`@t @m @x`), and what other loggers write like it.

The time is the first of `@t`, `Timestamp`, `time`, `date` and their like; the exception may stand in any text of the
object, and its HResult in any number.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from remediate.diagnose.reading.entries import entries
from remediate.diagnose.reading.exceptions import judge
from remediate.diagnose.reading.origin import of_properties, placed
from remediate.diagnose.reading.tally import Tally
from remediate.diagnose.reading.timestamps import DATED, read_stamp
from remediate.diagnose.reading.window import Window

_TIMES = ("@t", "@timestamp", "timestamp", "time", "datetime", "date", "longdate", "timegenerated", "ts")


def read_clef(window: Window, tally: Tally) -> None:
    for entry in entries(window, None):
        if tally.judge(entry.text) is None:
            continue
        try:
            value = msgspec.json.decode(entry.text)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            tally.unparsed += 1
            continue
        leaves = list(_leaves(value))
        text = "\n".join(leaf for _, leaf in leaves)
        occurrence = judge(text)
        if occurrence is None:
            continue
        properties = {name: leaf for name, leaf in reversed(leaves) if name}
        folded = {name.casefold(): leaf for name, leaf in properties.items()}
        match = next((found for name in _TIMES if (found := DATED.match(folded.get(name, "").encode()))), None)
        stamp = None if match is None else read_stamp(match)
        tally.unparsed += stamp is None
        tally.dates.see(stamp)
        tally.keep(placed(occurrence, of_properties(properties, text)), entry.line, stamp)


def _leaves(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Texts and numbers in the order of the file, each with the name it has; those of an outer object come first
    where a name is there twice."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        name, here = stack.pop()
        if isinstance(here, dict):
            stack.extend(reversed([(str(key), item) for key, item in here.items()]))
        elif isinstance(here, list):
            stack.extend(("", item) for item in reversed(here))
        elif isinstance(here, str | int | float) and not isinstance(here, bool):
            yield name, str(here)
