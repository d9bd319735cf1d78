"""Event logs for hypothesis to generate: of the kinds that matter, of kinds that do not, and broken ones."""

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from remediate_lab.knobs import write_knobs
from remediate_lab.names import NASTY
from tests.eventlog import ASPNET, ago, event, unhandled, worker, write_log

# By hours, and never on the border of a day: the two engines ask at two moments.
_TIMES = st.integers(0, 24 * 12).map(lambda hours: ago(hours=hours, minutes=30))
_IDS = st.sampled_from([5002, 5010, 5057, 5074, 5079, 5081, 5117, 5139, 5186, 5195, 6005, 12, 13, 1309])
_PIECES = st.sampled_from(
    [
        "0x80070032", "0X800704cd", "0x80004005", "80070032", "0x800703E3 0x80070057", "日本語", "\u00a0", " ",
        "\n   at A.RaiseCommunicationError(Int32 r)", "\n   bei B.ExplicitFlush()", "ExplicitFlush", "XExplicitFlush()",
        "\n à C.ReadEntityCoreSync(Byte[] b)", "explicitflush()", "\n at Microsoft.AspNet.SignalR.Hubs.X()",
        "\n at Microsoft.AspNet.SignalR.Transports.Y()", "\n at System.Web.HttpWriter.WriteFile(", "PushStreamContent",
    ]
)  # fmt: skip
_DOMAINS = st.sampled_from(
    [
        "/LM/W3SVC/1/ROOT-3-132613921170228973", "/LM/W3SVC/1/ROOT/shop-1-133812345678901234", "578ec-12-1297", "",
        "/LM/W3SVC/1/ROOT/shop-1-2-3-4", "/LM/W3SVC/1/ROOT", "/LM/W3SVC/1/ROOT/", "/LM/W3SVC/x/ROOT-1-2",
        "/LM/W3SVC/1/ROOTS-1-2", "/lm/w3svc/7/root/a/b-1-2", "/LM/W3SVC/1/ROOT/\u00fcn\u00ef-1-2",
    ]
)  # fmt: skip
_ADDRESSES = st.sampled_from(["127.0.0.1", "::1", "10.0.0.7", "", " ::1 ", "127.0.0.1.example", "127.1", "fe80::1"])


@dataclass(frozen=True)
class EventLogs:
    """The two files, what is wrong with them, and how many days are asked for."""

    days: int
    system: tuple[str, ...]
    application: tuple[str, ...]
    faults: tuple[str, ...]

    def place(self, windows: Path) -> None:
        write_log(windows, "System", self.system)
        write_log(windows, "Application", self.application)
        write_knobs(windows, event_log=self.faults)


@st.composite
def _system(draw: st.DrawFn) -> str:
    pool = draw(st.sampled_from([*NASTY, None, ""]))
    provider = draw(st.sampled_from(["Microsoft-Windows-WAS", "EventLog", "Microsoft-Windows-Kernel-General", "W3SVC"]))
    if draw(st.booleans()):
        data = [(None, text) for text in draw(st.lists(st.sampled_from(["4528", "007", *NASTY]), max_size=3))]
        return event(draw(_TIMES), provider, draw(_IDS), "System", data)
    return worker(draw(_TIMES), draw(_IDS), pool).replace("Microsoft-Windows-WAS", provider)


@st.composite
def _application(draw: st.DrawFn) -> str:
    provider = draw(st.sampled_from([ASPNET, "ASP.NET 2.0.50727.0", "W3SVC-WP"]))
    exception, stack = ("".join(draw(st.lists(_PIECES, max_size=5))) for _ in range(2))
    if draw(st.integers(0, 9)) == 0:
        texts = draw(st.lists(st.sampled_from(["3005", "0x80070032", ""]), max_size=32))
        return event(draw(_TIMES), provider, 1309, "Application", [(None, text) for text in texts])
    return unhandled(
        draw(_TIMES), draw(_DOMAINS), exception, draw(_ADDRESSES), user=draw(st.sampled_from(["", "CORP\\x"])),
        stack=stack, provider=provider,
    )  # fmt: skip


@st.composite
def event_logs(draw: st.DrawFn) -> EventLogs:
    logs = ("System", "Application")
    broken = ["denied", "missing", "disabled", "cleared:2", "corrupt:0", "garbled:0", "garbled:1"]
    kinds = st.sampled_from(["", "", "", "", *broken])
    faults = tuple(f"{log}:{kind}" for log in logs if (kind := draw(kinds)))
    system, application = draw(st.lists(_system(), max_size=8)), draw(st.lists(_application(), max_size=4))
    return EventLogs(draw(st.sampled_from([1, 7, 90])), tuple(system), tuple(application), faults)
