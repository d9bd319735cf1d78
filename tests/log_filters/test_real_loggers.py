"""Each filter in the real logger (ELMAH: in its assertions, see elmah.py), with exceptions that were really thrown.

A filter is right when just what must come out comes out; so a planted mistake is one that changes that.
"""

from typing import Any

import pytest

from tests.log_filters.cases import CASES, KEPT
from tests.log_filters.conftest import Ask
from tests.log_filters.elmah import dismisses
from tests.log_filters.test_printed import printed

pytestmark = pytest.mark.pwsh

# log4net's xml and cs are two halves of one filter; `.cs` here is the half with the mistake.
FILTERS = ["nlog.xml", "nlog.json", "serilog.cs", "serilog.json", "serilog.xml", "log4net.xml", "elmah.xml"]
_FRAME = "IIS7WorkerRequest.ExplicitFlush"
_SERILOG = [
    (" and Contains", " or Contains"),
    (" and not Contains(@x, '#1)')", ""),
    ("'0x80070032'", "'0x8007'"),
    (f"'{_FRAME}'", "'System.'"),
    (_FRAME, "ExplicitFlush"),
    ("Contains(@x, '0x80070032')", "@x like '%0x80070032%'"),  # no value, for an exception
    ("@x", "@m"),
    ("@x", "Concat(@m, ToString(@x))"),
    ("ByExcluding", "ByIncludingOnly"),
]
_NLOG = [
    ("and contains", "or contains"),
    ("'0x80070032'", "'0x8007'"),
    (f"'{_FRAME}'", "'System.'"),
    (_FRAME, "ExplicitFlush"),
    ("#1)", "#2)"),
    ("${exception:format=ToString}", "${message:withException=true}"),
    ("${exception:format=ToString}", "${exception:format=Message}"),
    ('"Ignore"', '"Log"'),
]
PLANTED = [
    *(("nlog.xml", *each) for each in [*_NLOG, (' defaultAction="Log"', "")]),
    *(("nlog.json", *each) for each in [*_NLOG, ('  "filterDefaultAction": "Log",\n', "")]),
    *((form, *each) for form in ("serilog.json", "serilog.xml") for each in _SERILOG),
    ("serilog.cs", *_SERILOG[0]),
    ("log4net.xml", "Remediate.StartUpFlushFilter", "log4net.Filter.DenyAllFilter"),
    (
        "log4net.xml",
        '<filter type="Remediate.StartUpFlushFilter" />',
        '<filter type="log4net.Filter.StringMatchFilter">'
        '<stringToMatch value="0x80070032" /><acceptOnMatch value="false" /></filter>',
    ),
    ("log4net.cs", '"0x80070032") && Has', '"0x80070032") || Has'),
    ("log4net.cs", '"0x80070032"', '"0x"'),
    ("log4net.cs", f'"{_FRAME}"', '"ExplicitFlush"'),
    ("log4net.cs", ' && !Has(text, "#1)")', ""),
    ("log4net.cs", " ?? loggingEvent.MessageObject as Exception", ""),
    ("log4net.cs", "exception.ToString()", "exception.Message"),
    ("log4net.cs", "exception.ToString()", "loggingEvent.RenderedMessage + exception"),
    ("log4net.cs", "FilterDecision.Deny", "FilterDecision.Accept"),
    ("elmah.xml", 'binding="Exception"', 'binding="BaseException"'),
    ("elmah.xml", "and>", "or>"),
    ("elmah.xml", "not>", "and>"),
    ("elmah.xml", r"IIS7WorkerRequest\.", ""),
    ("elmah.xml", "0x80070032", "0x8007"),
]


def come_out(ask: Ask, name: str, mistake: tuple[str, str] = ("", "")) -> list[str]:
    """The cases that are logged in spite of the filter called ``name``, with a mistake in it where one is given."""
    logger, form = name.split(".")
    text = printed(logger, form)[0]
    if mistake[0]:
        head = text.find("-->") + 1  # not in what is only told
        assert mistake[0] in text[head:]
        text = text[:head] + text[head:].replace(*mistake)
    if logger == "elmah":
        texts: dict[str, dict[str, Any] | None] = ask("none", "none", "")
        return [name for name, bindings in texts.items() if bindings is None or not dismisses(text, bindings)]
    if name == "serilog.cs":
        pasted = "using Serilog; public static class Paste { public static LoggerConfiguration Given("
        return list(ask(logger, form, "", f"{pasted}LoggerConfiguration given) {{ return given\n{text}; }} }}"))
    if name == "log4net.cs":
        return list(ask(logger, "xml", printed(logger, "xml")[0], text))
    return list(ask(logger, form, text, printed(logger, "cs")[0] if logger == "log4net" else ""))


@pytest.mark.parametrize("name", FILTERS)
def test_it_drops_this_error_alone(ask: Ask, name: str) -> None:
    assert {case.kept for case in CASES} == {True, False}
    assert come_out(ask, name) == KEPT


@pytest.mark.parametrize(("name", "old", "new"), PLANTED)
def test_a_planted_mistake_is_seen(ask: Ask, name: str, old: str, new: str) -> None:
    assert come_out(ask, name, (old, new)) != KEPT
