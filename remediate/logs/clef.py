"""Logs of JSON: CLEF (`@t @m @x`) and what other loggers write like it, one object a line; arrays of such objects, and
objects around them, as searches answer.

The time is the first of `@t`, `Timestamp`, `time`, `date` and their like, as a text or as a number since 1970; the
exception may stand in any text of the object, and its HResult in any number.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from remediate.json_words import NOT_JSON
from remediate.logs.entries import entries
from remediate.logs.exceptions import judge
from remediate.logs.objects import objects
from remediate.logs.origin import of_properties
from remediate.logs.tally import Tally
from remediate.logs.timestamps import DATED, number_time, read_stamp
from remediate.logs.window import Window
from remediate.values.logs import LoggedException

_TIMES = ("@t", "@timestamp", "timestamp", "time", "datetime", "date", "longdate", "timegenerated", "ts")


def read_clef(window: Window, tally: Tally) -> None:
    for entry in entries(window, None):
        if tally.judge(entry.text) is None:
            continue
        try:
            value = msgspec.json.decode(entry.text)
        except NOT_JSON:
            value = None
        if isinstance(value, dict):
            for record in _records(value):
                _keep(record, entry.line, tally, judge)
        else:
            tally.unparsed += 1


def read_json_objects(window: Window, tally: Tally) -> None:
    """The same of an array, and of objects of several lines."""
    for line, value in objects(window, tally):
        for record in _records(value):
            _keep(record, line, tally, tally.judge)


def _keep(value: dict[str, Any], line: int, tally: Tally, judge: Callable[[str], LoggedException | None]) -> None:
    leaves = list(_leaves(value))
    text = "\n".join(leaf for _, leaf in leaves)
    occurrence = judge(text)
    if occurrence is None:
        return
    properties = {name: leaf for name, leaf in reversed(leaves) if name}
    folded = {name.casefold(): leaf for name, leaf in properties.items()}
    time, stamp = None, None
    for written in (folded[name] for name in _TIMES if name in folded):
        time = number_time(written)
        match = DATED.match(written.encode(errors="replace"))
        stamp = None if match is None else read_stamp(match)
        if time is not None or stamp is not None:
            break
    tally.unparsed += time is None and stamp is None
    tally.dates.see(stamp)
    tally.keep(replace(occurrence, time=time), partial(of_properties, properties, text), line, stamp)


def _records(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries in an object: those in its lists that have a time, where it has none itself; else the object."""
    if _has_time(value):
        return [value]
    found: list[dict[str, Any]] = []
    stack: list[tuple[Any, bool]] = [(value, False)]
    while stack:
        here, in_list = stack.pop()
        if isinstance(here, list):
            stack.extend((item, True) for item in reversed(here))
        elif isinstance(here, dict):
            if in_list and any(_has_time(inner) for inner in (here, *here.values()) if isinstance(inner, dict)):
                found.append(here)
            else:
                stack.extend((item, False) for item in reversed(here.values()))
    return found or [value]


def _has_time(value: dict[str, Any]) -> bool:
    return any(name.casefold() in _TIMES for name in value)


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
