"""A diagnosis in each format that there is."""

import json
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from remediate.report.diagnosis_text import WIDTH, diagnosis_text
from remediate.report.timeline import ASCII, BLOCKS
from remediate.saved import encode
from remediate.values.diagnoses import Diagnosis

DiagnosisForm = Literal["table", "json", "html", "svg"]
FORMS: tuple[DiagnosisForm, ...] = get_args(DiagnosisForm)


class Screen(Struct, frozen=True):
    """What a text is written on: its columns, and whether it takes UTF-8 and colour."""

    width: int = WIDTH
    utf8: bool = True
    colour: bool = False


PIPE = Screen()


def rendered(diagnosis: Diagnosis, form: DiagnosisForm, screen: Screen = PIPE) -> bytes:
    if form == "json":
        return _json(diagnosis)
    # Loaded where they are used: Jinja2 takes longer to load than a text takes to print.
    if form == "html":
        from remediate.report.diagnosis_html import diagnosis_html

        return diagnosis_html(diagnosis).encode()
    if form == "svg":
        from remediate.report.timeline_svg import timelines_svg

        return timelines_svg(diagnosis.streams).encode()
    text = diagnosis_text(diagnosis, screen.width, BLOCKS if screen.utf8 else ASCII, colour=screen.colour)
    return text.encode() if screen.utf8 else text.encode("ascii", "backslashreplace")


def _json(diagnosis: Diagnosis) -> bytes:
    """What is no text, as a file's name or a broken escape in a log may be, has question marks."""
    try:
        return encode(diagnosis)
    except UnicodeEncodeError:
        plain = json.dumps(msgspec.to_builtins(diagnosis), ensure_ascii=False).encode(errors="replace")
        return msgspec.json.format(plain, indent=2) + b"\n"
