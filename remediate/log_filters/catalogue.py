"""Which filters there are, where each goes, and what it hides. Each filter is a file beside this one.

All state one rule over an exception's full text, which names the inner ones too: it holds the code and the frame below,
and is no AggregateException of several, where another trouble would be hidden with it ("#1)" is its second part). Texts
of Windows and .NET are translated; the code, the frame and that number are not.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

HIDES = """\
It drops what is logged with an exception whose text has 0x80070032 and IIS7WorkerRequest.ExplicitFlush, at every
level, however that exception is wrapped. It cannot tell whose request it was: the same failure while a client waits
is hidden too. Kept is all else: other codes, this code without that frame, an AggregateException of several, and
text about the error that is logged without the exception itself.
"""


class LogFilter(Struct, frozen=True):
    """One filter in one format: ``xml``, ``json`` or ``cs``. ``where`` tells where to put it, and what it needs."""

    logger: str
    format: str
    where: str

    @property
    def explanation(self) -> str:
        """Where it goes and what it hides; lines that end in a newline."""
        return f"{self.where}\n{HIDES}"

    @property
    def text(self) -> str:
        """Ready to paste: the filter, below its explanation where the format has comments."""
        filter_itself = Path(__file__).with_name(f"{self.logger}.{self.format}").read_text(encoding="utf-8")
        return _COMMENT[self.format](self.explanation) + filter_itself


_COMMENT: dict[str, Callable[[str], str]] = {
    "xml": lambda text: f"<!--\n{text}-->\n",
    "json": lambda _text: "",
    "cs": lambda text: "".join(f"// {line}".rstrip() + "\n" for line in text.splitlines()),
}

# A logger's first format is the one that is printed where none is asked for.
FILTERS = (
    LogFilter(
        "nlog", "xml", """\
NLog 5 or later, nlog.config: inside each <logger> of <rules>, or its <when> first in the <filters> that are there.
Leave defaultAction="Log": without it the rule drops everything else.
""",
    ),
    LogFilter(
        "nlog", "json", """\
NLog 5 or later, appsettings.json: both members go into each rule of NLog:rules.
Leave "filterDefaultAction": "Log": without it the rule drops everything else.
""",
    ),
    LogFilter(
        "serilog", "cs", """\
Serilog with the package Serilog.Expressions: a call in the chain of new LoggerConfiguration(), before CreateLogger().
""",
    ),
    LogFilter(
        "serilog", "json", """\
Serilog with the packages Serilog.Expressions and Serilog.Settings.Configuration, appsettings.json: add the entries to
the lists "Using" and "Filter" of the section "Serilog".
""",
    ),
    LogFilter(
        "serilog", "xml", """\
Serilog with the packages Serilog.Expressions and Serilog.Settings.AppSettings, web.config: both lines go into
<appSettings>.
""",
    ),
    LogFilter(
        "log4net", "xml", """\
log4net, log4net.config or web.config: first inside each <appender>. It needs the class that the same command prints
in the format cs, compiled into the application; where log4net finds no such type, write its assembly too:
type="Remediate.StartUpFlushFilter, YourAssembly". (A StringMatchFilter does not see the exception.)
""",
    ),
    LogFilter(
        "log4net", "cs", """\
log4net: add this file to the application's project. The format xml has the line that puts the filter to use.
""",
    ),
    LogFilter(
        "elmah", "xml", """\
ELMAH, web.config: inside <elmah>. A <test> has one assertion: where there is one, put both into an <or>.
The section group elmah in <configSections> needs
  <section name="errorFilter" requirePermission="false" type="Elmah.ErrorFilterSectionHandler, Elmah" />
and the modules in <system.webServer>, behind ErrorLog and the other modules of ELMAH, need
  <add name="ErrorFilter" type="Elmah.ErrorFilterModule, Elmah" preCondition="managedHandler" />
What the application hands to ErrorLog.Log by itself is not filtered.
""",
    ),
)  # fmt: skip

LOGGERS = tuple(dict.fromkeys(each.logger for each in FILTERS))
FORMATS = tuple(_COMMENT)


def filters_of(logger: str) -> dict[str, LogFilter]:
    """A logger's filters by their format, the first of which is the usual one."""
    return {each.format: each for each in FILTERS if each.logger == logger}
