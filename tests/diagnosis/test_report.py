"""A diagnosis in each format: names are hostile, widths are bounded, and what was saved is read again."""

import base64
import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError
from msgspec.structs import replace

from remediate.errors import RemediateError
from remediate.report.diagnosis import FORMS, DiagnosisForm, Screen, rendered
from remediate.report.files import read_any
from remediate.report.markup import markup
from remediate.report.timeline import ASCII, timeline_text, windows
from remediate.saved import encode
from remediate.values.diagnoses import Attribution, Diagnosis, Mark, Stream, Symptom
from remediate.values.logs import Source
from tests.conftest import remediate, run
from tests.diagnosis.values import BEGIN, STARTS_APART, at

REMEDIATE = Path(sys.prefix) / "bin" / "remediate"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}",
    "]]><svg onload='x'>",
    "a&amp;b &lt; 'c' \"d\"",
    "\x1b[2J\x1b]0;owned\x07",
    "line\nbreak\r\nanother",
    "\u202egnirts desrever",
    "javascript:alert(1)",
    "\x00\ud800 half",
)


def diagnosis(name: str = "Shop", marks: int = 40) -> Diagnosis:
    """With that text wherever a text from a log or a server can stand."""
    errors = tuple(Mark(at(n * STARTS_APART), "error") for n in range(marks))
    stops = tuple(Mark(at(n * STARTS_APART - 5), "idle-stop") for n in range(marks))
    stream = Stream(
        host=name, application=name, pool=name, code="0x80070032", count=marks, first=at(0), last=errors[-1].time,
        period_seconds=STARTS_APART, period_confidence=1.0, verdict="confirmed",
        attribution=Attribution(idle=marks), symptoms={"periodic": Symptom("seen", name)}, reasons=(name, "plain"),
        fixes=("on-demand",), marks=tuple(sorted((*errors, *stops), key=lambda mark: mark.time)),
    )  # fmt: skip
    source = Source(file=name, kind="text", lines=3, time_zone=name)
    return Diagnosis(created_at="2026-11-25T12:00:00Z", sources=(source,), streams=(stream,))


class Page(HTMLParser):
    """The elements and attributes that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_text_in_the_page(name: str) -> None:
    """The same elements and attributes as with a harmless name, and nothing that is loaded or run."""
    page, plain = (Page(rendered(diagnosis(text), "html").decode()) for text in (name, "Shop"))
    assert page.elements == plain.elements
    assert [key for key, _ in page.attributes] == [key for key, _ in plain.attributes]
    assert not {"script", "img", "link", "iframe", "object"} & {*page.elements}
    assert not [key for key, _ in page.attributes if key.startswith("on") or key in ("src", "style")]
    assert all(value and value.startswith("#") for key, value in page.attributes if key == "href")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", [form for form in FORMS if form != "json"])
def test_no_format_lets_a_name_steer_a_terminal(name: str, form: DiagnosisForm) -> None:
    text = rendered(diagnosis(name), form).decode()
    assert not [c for c in text if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize("name", HOSTILE)
def test_svg_and_json_stay_well_formed(name: str) -> None:
    ElementTree.fromstring(rendered(diagnosis(name), "svg"))
    assert json.loads(rendered(diagnosis(name), "json"))["streams"][0]["verdict"] == "confirmed"


def test_the_page_forbids_what_it_does_not_have_and_can_be_read_without_seeing() -> None:
    page = rendered(diagnosis(), "html").decode()
    assert "default-src 'none'; style-src 'sha256-" in page and "unsafe-inline" not in page
    assert 'role="img" aria-labelledby="t0 d0"' in page and '<title id="t0">Timeline of 0x80070032' in page
    assert '<desc id="d0">2026-11-09 03:59 to' in page and 'lang="en"' in page and "Legend" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "") and "https://" not in page


def test_the_policy_allows_the_pages_own_style_alone() -> None:
    """By its digest: a page whose style was not this one would be shown without any."""
    page = rendered(diagnosis(), "html").decode()
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page


def test_a_page_without_a_value_is_no_page() -> None:
    """What a template misses is an error, and no hole that looks like an empty name."""
    with pytest.raises(UndefinedError, match="'diagnosis' is undefined"):
        markup("diagnosis.html.j2", style_digest="", sections=())


@pytest.mark.parametrize("width", [60, 80, 100, 137, 200])
@pytest.mark.parametrize("marks", [1, 2, 12, 40, 2000])
def test_the_timeline_keeps_to_its_width(width: int, marks: int) -> None:
    (stream,) = diagnosis(marks=marks).streams
    lines = timeline_text(stream, width, ASCII)
    assert lines and max(map(len, lines)) <= width
    assert all(line.isascii() for line in lines)


def test_each_error_stands_under_its_idle_stop() -> None:
    """In the last window, twelve of each, in the same columns."""
    (stream,) = diagnosis(marks=500).streams
    stops, _, errors = timeline_text(stream, 100, ASCII)[6:9]
    assert stops.startswith("idle stops") and errors.startswith("errors")
    assert stops[12:] == errors[12:] and stops.count("|") == 12


def test_few_errors_need_one_window_and_no_time_needs_none() -> None:
    (stream,) = diagnosis(marks=5).streams
    assert len(windows(stream, 80)) == 1
    assert windows(replace(stream, marks=()), 80) == ()


def test_colour_is_for_terminals_and_ascii_for_others() -> None:
    assert b"\x1b[" in rendered(diagnosis(), "table", Screen(colour=True))
    plain = rendered(diagnosis("Ünï"), "table", Screen(utf8=False))
    assert plain.isascii() and b"\\xdcn\\xef" in plain


def test_what_was_saved_is_shown_again(tmp_path: Path) -> None:
    saved = tmp_path / "diagnosis.json"
    saved.write_bytes(encode(diagnosis()))
    assert read_any(saved) == diagnosis()
    assert remediate("show", saved, expect=0).stdout == rendered(diagnosis(), "table").decode()
    assert remediate("show", saved, "--format", "svg", expect=0).stdout == rendered(diagnosis(), "svg").decode()


@pytest.mark.parametrize(
    "change",
    [
        {"marks": (Mark(BEGIN, "error"), Mark(BEGIN.replace(tzinfo=None), "error"))},
        {"marks": (Mark(BEGIN + timedelta(1), "error"), Mark(BEGIN, "error"))},
        {"marks": (Mark(datetime(1, 1, 1, tzinfo=UTC), "error"),)},
        {"first": datetime(9999, 12, 31, tzinfo=UTC)},
        {"period_seconds": 1e300},
        {"period_seconds": -1.0},
    ],
)
def test_an_edited_file_is_refused_in_one_line(change: dict[str, object], tmp_path: Path) -> None:
    saved = tmp_path / "diagnosis.json"
    plain = diagnosis()
    saved.write_bytes(encode(replace(plain, streams=(replace(plain.streams[0], **change),))))
    with pytest.raises(RemediateError, match="was the file edited"):
        read_any(saved)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 64, "give a LOG"),
        (("nothing.log",), 1, "nothing.log: no such file"),
        (("app.log", "--time-zone", "Mars"), 64, "Mars: no time zone"),
        (("app.log", "--iis-log", "app.log"), 1, "app.log: is no IIS log"),
        (("app.log", "--audit", "app.log"), 1, "app.log: is not a remediate.audit"),
        (("--audit", "audit.json"), 64, "has no evidence"),
        (("--iis-log", "app.log"), 64, "give a LOG"),
    ],
)
def test_mistakes_are_said_in_one_line(arguments: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("2026-11-09 04:00:00,000 [1] INFO Shop - all is well\n")
    summary = dict.fromkeys(("hosts", "inspected", "unreachable", "failed", "skipped", "pools", "findings", "notes"), 0)
    empty = {"format": "remediate.audit", "format_version": 1, "started_at": "", "finished_at": "", "hosts": []}
    (tmp_path / "audit.json").write_text(json.dumps(empty | {"findings": [], "summary": summary}))
    done = run("sh", "-c", 'cd "$1" && shift && exec "$@"', "-", tmp_path, REMEDIATE, "diagnose", *arguments)
    assert done.returncode == code
    assert done.stdout == "" and says in done.stderr and done.stderr.count("\n") == 1


def test_show_has_pages_for_diagnoses_alone(tmp_path: Path) -> None:
    done = remediate("show", tmp_path / "none.json", "--format", "html")
    assert done.returncode == 1 and "Traceback" not in done.stderr
