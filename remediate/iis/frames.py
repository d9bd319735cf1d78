"""What the frames of a stack prove: whether it is whole, and whose response was being written. Pure, and texts alone.

`RaiseCommunicationError` is thrown by `ExplicitFlush`, which any write of an unbuffered response calls: so both frames
stand in the stack of a start-up request and of a client's download alike, and what stands below them differs.

A start-up request of Application Initialization asks for a page, by its URL and host name alone (the attributes of
`<applicationInitialization><add>`), and the application's ordinary pipeline runs it. It can produce every frame that
such a page has, the article's `StreamToStreamCopy`, `HttpMessageHandlerAdapter` and `Microsoft.Owin.*` among them:
these say nothing. `STREAMS` lists what speaks for a client, with the source of each.
The regular expressions keep to what Python and .NET read alike; the collection's IisEvents.psm1 has the same.
"""

import re

from msgspec import Struct

from remediate.values.logs import StackState, Streaming


class Stream(Struct, frozen=True, kw_only=True):
    """``frames``: a pattern, and ``names`` the same for readers. ``what`` was written. ``by_start_up``: whether a
    start-up request can produce them, by the ``source``; ``only``: it cannot, whatever page it asks for."""

    frames: str
    names: str
    what: str
    by_start_up: str
    source: str
    only: bool = False


# The first that stands in a stack counts.
STREAMS: dict[Streaming, Stream] = {
    "signalr-transport": Stream(
        frames=r"Microsoft\.AspNet\.SignalR\.Transports\.", names="`Microsoft.AspNet.SignalR.Transports.*`",
        what="a SignalR connection", only=True,
        by_start_up="no: it needs a token that the server made for one user and refuses of another",
        source="SignalR's source, `PersistentConnection.ProcessRequest` and `TryGetConnectionId`",
    ),
    "web-socket": Stream(
        frames=r"(System|Microsoft)\.Web\.WebSockets\.",
        names="`System.Web.WebSockets.*`, `Microsoft.Web.WebSockets.*`",
        what="a WebSocket connection", only=True,
        by_start_up="no: it needs the header `Upgrade`", source="RFC 6455",
    ),
    "signalr": Stream(
        frames=r"Microsoft\.AspNet\.SignalR\.", names="other `Microsoft.AspNet.SignalR.*`",
        what="an answer of SignalR",
        by_start_up="only if `/negotiate`, `/ping` or `/hubs` is its page: these are answered to any GET",
        source="SignalR's source, `PersistentConnection.ProcessRequest`",
    ),
    "push-stream": Stream(
        frames=r"System\.Net\.Http\.PushStreamContent\b", names="`System.Net.Http.PushStreamContent`",
        what="a streamed response (PushStreamContent)",
        by_start_up="only if its page streams, as server-sent events do", source="ASP.NET Web API's source",
    ),
    "file": Stream(
        frames=r"System\.Web\.(HttpResponse|HttpResponseWrapper|HttpWriter)\.(TransmitFile|WriteFile)\("
        r"|System\.Web\.Mvc\.File(Stream|Path|Content)?Result\.",
        names="`HttpResponse.TransmitFile`, `WriteFile`; `System.Web.Mvc.File*Result`",
        what="a file's download",
        by_start_up="only if its page is a file", source=".NET Framework's and MVC's source",
    ),
}  # fmt: skip
_STREAMS = tuple((name, re.compile(stream.frames)) for name, stream in STREAMS.items())

RAISED, FLUSHED = "RaiseCommunicationError", "ExplicitFlush"
# As frames: a message may have the names.
RAISED_FRAME, FLUSHED_FRAME = re.compile(rf"\b{RAISED}\("), re.compile(rf"\b{FLUSHED}\(")
ENTITY_READ_FRAME = re.compile(r"\bReadEntityCoreSync\(")
# `System.Web.HttpResponse.Flush(`, in whatever language the word before it is, and however the text is escaped.
# Tried at the beginning of a name alone, and bounded: the time that it takes grows with the text, and no faster.
_NAME = r"(?<![\w.])[^\W\d]\w{0,99}\.[^\W\d]\w{0,99}\.[\w<>`$+.&;]{1,400}"
_FRAME = re.compile(rf"{_NAME}\(")
# A last frame without its parenthesis, or what loggers put where they cut; looked for in so much of a text's end.
_CUT = re.compile(rf"(?:\s\S{{1,12}}[ \t]{_NAME}|\.\.\.|\u2026|truncated\W{{0,9}})\Z", re.IGNORECASE)
_END = 600


def streaming(text: str) -> Streaming | None:
    """Whose response a stack was writing, where its frames say so."""
    return next((name for name, pattern in _STREAMS if pattern.search(text)), None)


def stack_state(text: str) -> StackState:
    """Whether the stack of an exception of the family stands in a text, as far as its first frames go.

    It is cut where RaiseCommunicationError stands in it and no frame of its caller; or, without that one, where the
    text breaks off.
    """
    raised = text.find(RAISED)
    if raised < 0:
        if _CUT.search(text[-_END:].rstrip()):
            return "cut"
        return "whole" if _FRAME.search(text) else "none"
    # The rest of RaiseCommunicationError's own frame is no name that begins there.
    followed = FLUSHED in text or any(RAISED not in frame[0] for frame in _FRAME.finditer(text, raised))
    return "whole" if followed else "cut"
