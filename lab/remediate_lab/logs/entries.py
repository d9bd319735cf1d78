"""What an application's logger is told: the errors of a history, among the lines of an ordinary day."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from remediate_lab.chance import Chance
from remediate_lab.clock.history import Error, History
from remediate_lab.clock.world import App, Span
from remediate_lab.logs.stack import Thrown, thrown

_CHATTER = (
    "Cache refreshed: {n} items",
    "Order {n} saved",
    "Mail queue is empty, {n} sent so far",
    "GET /api/items took {n} ms",
)
_LOGGERS = ("Contoso.Web.Startup", "Contoso.Orders.Service", "Contoso.Web.Filters.Timing")


class Entry(Struct, frozen=True, kw_only=True):
    """One record. ``code`` is the exception's, None where nothing was thrown; ``number`` counts them in their log."""

    time: datetime
    level: Literal["Info", "Error"]
    logger: str
    message: str
    host: str
    app: App
    code: str | None = None
    page: str = ""
    client: str = ""
    agent: str = ""
    thread: int = 7
    number: int = 0

    @property
    def domain(self) -> str:
        """The application's AppDomain as ASP.NET names it; the number behind it is its start, which the lab keeps."""
        return f"/LM/W3SVC/{self.app.site}/ROOT{self.app.virtual_path.rstrip('/')}-1-134082048000000000"


class Layout(Struct, frozen=True):
    """How a log is set up: its zone, the language of its exceptions, and whether it tells host and application.

    ``numbered``: an HRESULT stands behind the type of an exception.
    """

    zone: tzinfo = UTC
    language: str = "en"
    told: bool = True
    numbered: bool = True

    def local(self, entry: Entry) -> datetime:
        return entry.time.astimezone(self.zone)

    def thrown(self, code: str) -> Thrown:
        return thrown(code, self.language, self.numbered)


def entries(
    history: History, host: str, apps: Sequence[App], span: Span, seed: object, every: int = 900
) -> list[Entry]:
    """The records of these applications, in one log, in order; an ordinary line about each ``every`` seconds."""
    chance = Chance(seed, host, "log", *(app.path for app in apps))
    by_path = {app.path: app for app in apps}
    found = [
        _error(error, host, by_path[error.application]) for error in history.errors if error.application in by_path
    ]
    said = sorted([*found, *_chatter(host, apps, span, chance, every)], key=lambda entry: entry.time)
    return [replace(entry, number=number, thread=5 + chance.below(40)) for number, entry in enumerate(said, 1)]


def _error(error: Error, host: str, app: App) -> Entry:
    return Entry(
        time=error.time, level="Error", logger="Contoso.Web.ErrorLog", message="Unhandled exception", host=host,
        app=app, code=error.code, page=error.page, client=error.client, agent=error.agent,
    )  # fmt: skip


def _chatter(host: str, apps: Sequence[App], span: Span, chance: Chance, every: int) -> Iterable[Entry]:
    time = span.begin
    while apps and (time := time + timedelta(milliseconds=1 + chance.below(2000 * every))) < span.end:
        message = chance.pick(_CHATTER).format(n=chance.below(5000))
        yield Entry(
            time=time, level="Info", logger=chance.pick(_LOGGERS), message=message, host=host, app=chance.pick(apps)
        )
