"""What ELMAH's "Download Log" gives: CSV, one error a row, without stacks. Its times are UTC.

Source: ELMAH's ErrorLogDownloadHandler. The columns are those of its header; versions differ in the last ones.
"""

import csv
from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from remediate.logs.origin import of_properties
from remediate.logs.tally import Tally
from remediate.logs.timestamps import number_time
from remediate.logs.window import Window

HEADER = b"Application,Host,Time,Unix Time,"


def read_elmah_csv(window: Window, tally: Tally) -> None:
    rows = csv.reader(_decoded(window))
    names: list[str] | None = None
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error:
            tally.unparsed += 1
            continue
        if row is None:
            return
        if names is None:
            names = row
            continue
        fields = dict(zip(names, row, strict=False))
        text = f"{fields.get('Type', '')}\n{fields.get('Message', '')}"
        occurrence = tally.judge(text)
        if occurrence is not None:
            time = number_time(fields.get("Unix Time", ""))
            tally.unparsed += time is None
            named = {"machinename": fields.get("Host", ""), "application": fields.get("Application", "")}
            tally.keep(replace(occurrence, time=time), partial(of_properties, named, text), line)


def _decoded(window: Window) -> Iterator[str]:
    return (f"{line.decode(errors='replace')}\n" for line in window.each_line())
