"""From texts to files: line ends, encodings, rotation. Names to bytes; `write` alone touches the disk."""

import codecs
import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from remediate_lab.logs import clef, elmah, log4net, nlog, plain, serilog
from remediate_lab.logs.entries import Entry, Layout

Encoding = Literal["utf-8", "utf-8-bom", "utf-16-le-bom", "utf-16-be-bom", "utf-16-le"]
_ENCODINGS: dict[Encoding, tuple[bytes, str]] = {
    "utf-8": (b"", "utf-8"),
    "utf-8-bom": (codecs.BOM_UTF8, "utf-8"),
    "utf-16-le-bom": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "utf-16-be-bom": (codecs.BOM_UTF16_BE, "utf-16-be"),
    "utf-16-le": (b"", "utf-16-le"),
}
# A text log's shape -> an entry's lines.
SHAPES: dict[str, Callable[[Entry, Layout], str]] = {
    "log4net": log4net.render,
    "nlog": nlog.render,
    "serilog": serilog.render,
    "clef": clef.render,
    "plain": plain.render,
}
# ELMAH's is a folder.
LOGS = (*SHAPES, "elmah")


class Form(Struct, frozen=True):
    """How a text is kept: its encoding and line ends; in how many ``parts`` it was rotated, the older ones gzipped."""

    encoding: Encoding = "utf-8"
    newline: str = "\r\n"
    parts: int = 1
    gzipped: bool = False


def encoded(text: str, form: Form) -> bytes:
    mark, name = _ENCODINGS[form.encoding]
    return mark + text.replace("\n", form.newline).encode(name)


def rotated(name: str, blocks: Sequence[str], form: Form) -> dict[str, bytes]:
    """``name``, ``name.1``, ``name.2`` and so on, the higher the older; a block is never split."""
    files = {}
    for part in range(form.parts):
        begin, end = (len(blocks) * number // form.parts for number in (part, part + 1))
        data = encoded("".join(blocks[begin:end]), form)
        age = form.parts - 1 - part
        if age and form.gzipped:
            files[f"{name}.{age}.gz"] = gzip.compress(data, mtime=0)
        else:
            files[f"{name}.{age}" if age else name] = data
    return files


def application_log(
    shape: str, name: str, records: Iterable[Entry], layout: Layout, form: Form | None = None
) -> dict[str, bytes]:
    """An application's log of that shape; ELMAH's folder is called ``name`` without its ending."""
    form = form or Form()
    if shape == "elmah":
        made = (elmah.render(entry, layout) for entry in records if entry.code is not None)
        return {f"{name.removesuffix('.log')}/{file}": encoded(text, form) for file, text in made}
    return rotated(name, [SHAPES[shape](entry, layout) for entry in records], form)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
