"""A diagnosis as one page that stands alone: no script, nothing loaded, and a policy that would forbid both."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from remediate.diagnose.reasons import moment
from remediate.report.diagnosis_text import (
    STATES,
    attributed,
    fix,
    next_step,
    rhythm,
    source_line,
    sums,
    title,
    what_to_log,
)
from remediate.report.markup import markup
from remediate.report.timeline_svg import Drawing, drawn, legend
from remediate.values.diagnoses import Diagnosis, Stream


@dataclass(frozen=True)
class _Section:
    """A stream, and what the page says of it. ``facts`` are names and texts; an empty text is left out."""

    stream: Stream
    title: str
    drawing: Drawing | None
    facts: tuple[tuple[str, str], ...]


def diagnosis_html(diagnosis: Diagnosis) -> str:
    digest = sha256(markup("diagnosis.css").encode()).digest()
    return markup(
        "diagnosis.html.j2", diagnosis=diagnosis, sections=[_section(stream) for stream in diagnosis.streams],
        sums=sums(diagnosis), sources=[source_line(source) for source in diagnosis.sources], states=STATES,
        what_to_log=what_to_log(diagnosis), key=legend(), style_digest=b64encode(digest).decode(),
    )  # fmt: skip


def _section(stream: Stream) -> _Section:
    return _Section(stream, title(stream), drawn(stream), (
        ("errors", f"{stream.count}: {attributed(stream)}"),
        ("from, to", " to ".join(moment(time) for time in (stream.first, stream.last) if time is not None)),
        ("period", rhythm(stream)),
        ("fix", fix(stream)),
        ("next", next_step(stream)),
    ))  # fmt: skip
