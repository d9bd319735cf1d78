"""`remediate log-filter`: what is printed, and where the explanation goes. No logger is needed here."""

import json
import os
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import remediate
from tests.log_filters.cases import CASES
from tests.log_filters.elmah import dismisses

# By logger: the formats it has, the usual one first.
FORMATS = {
    "nlog": ("xml", "json"),
    "serilog": ("cs", "json", "xml"),
    "log4net": ("xml", "cs"),
    "elmah": ("xml",),
}
# What its document's outermost element or member is.
OUTERMOST = {
    "nlog.xml": "filters",
    "nlog.json": "filterDefaultAction",
    "serilog.json": "Serilog",
    "serilog.xml": "appSettings",
    "log4net.xml": "filter",
    "elmah.xml": "errorFilter",
}
ALL = [(logger, form) for logger, forms in FORMATS.items() for form in forms]


@cache
def printed(logger: str, form: str) -> tuple[str, str]:
    """Standard output and standard error."""
    done = remediate("log-filter", logger, "--format", form, expect=0)
    return done.stdout, done.stderr


@pytest.mark.parametrize(("logger", "form"), ALL)
def test_what_it_hides_is_told_beside_the_filter(logger: str, form: str, tmp_path: Path) -> None:
    """In a comment at its head, or on standard error where the format has none. --out writes the same bytes."""
    text, said = printed(logger, form)
    comment, told = {"xml": ("<!--\n", text), "cs": ("// ", text), "json": ("{\n", said)}[form]
    assert text.startswith(comment)
    for word in ("0x80070032", "IIS7WorkerRequest.ExplicitFlush", "cannot tell whose request", "is hidden too"):
        assert word in told
    assert (said == "") is (form != "json")
    out = tmp_path / "filter"
    done = remediate("log-filter", logger, "--format", form, "--out", out, expect=0)
    assert (done.stdout, done.stderr) == ("", said)
    assert out.read_bytes() == text.encode()


@pytest.mark.parametrize(("logger", "form"), [each for each in ALL if each[1] != "cs"])
def test_it_is_well_formed(logger: str, form: str) -> None:
    """Also with its comment. That the C# compiles is seen with the real loggers."""
    text, _ = printed(logger, form)
    outermost = next(iter(json.loads(text))) if form == "json" else ElementTree.fromstring(text).tag
    assert outermost == OUTERMOST[f"{logger}.{form}"]


def test_each_logger_has_a_usual_format() -> None:
    for logger, (usual, *_) in FORMATS.items():
        assert remediate("log-filter", logger.upper(), expect=0).stdout == printed(logger, usual)[0]


def test_what_a_logger_does_not_have_is_usage(tmp_path: Path) -> None:
    """One line that says what there is; an --out that cannot be written is one line too."""
    forms = {form for _, form in ALL}
    lacking = [("log-filter", logger, "--format", form) for logger in FORMATS for form in forms - {*FORMATS[logger]}]
    wrong = [("log-filter",), ("log-filter", "nlogg"), ("log-filter", "nlog", "--format", "yaml")]
    for arguments in [*lacking, *wrong]:
        done = remediate(*arguments, "--out", tmp_path / "filter", expect=64)
        (line,) = done.stderr.splitlines()
        assert done.stdout == ""
        assert line.startswith("remediate: ")
    assert not (tmp_path / "filter").exists()
    assert "xml or json" in remediate("log-filter", "nlog", "--format", "cs", expect=64).stderr
    nowhere = remediate("log-filter", "nlog", "--out", tmp_path / "no" / "where", expect=1)
    assert len(nowhere.stderr.splitlines()) == 1


def test_the_rule_that_needs_it_names_it() -> None:
    assert "remediate log-filter" in remediate("explain", "RM002", expect=0).stdout


def test_elmah_on_written_texts() -> None:
    """The cases that are written down as texts need no PowerShell to be thrown in."""
    text, _ = printed("elmah", "xml")
    written = [case for case in CASES if case.exception and "text" in case.exception]
    assert {case.kept for case in written} == {True, False}
    for case in written:
        assert case.exception is not None
        bindings = dict.fromkeys(("Exception", "BaseException"), case.exception["text"].replace("\n", os.linesep))
        assert dismisses(text, bindings) is not case.kept, case.name
