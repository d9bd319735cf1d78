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

from remediate.evidence import StackState, Streaming


class Stream(Struct, frozen=True):
    """``frames``: a pattern. ``only``: no start-up request produces them; else only one whose page streams."""

    frames: str
    what: str
    only: bool = False


# The first that stands in a stack counts.
STREAMS: dict[Streaming, Stream] = {
    # PersistentConnection.ProcessRequest reaches a transport by a connection token alone, which the server made for one
    # user and refuses of another (TryGetConnectionId). SignalR 2's published source.
    "signalr-transport": Stream(r"Microsoft\.AspNet\.SignalR\.Transports\.", "a SignalR connection", only=True),
    # A handshake has the header Upgrade (RFC 6455), which a start-up request has not.
    "web-socket": Stream(r"(System|Microsoft)\.Web\.WebSockets\.", "a WebSocket connection", only=True),
    # /negotiate, /ping and /hubs are answered to any GET. SignalR 2's published source, and the article's link.
    "signalr": Stream(r"Microsoft\.AspNet\.SignalR\.", "an answer of SignalR"),
    # A long-lived response, as of server-sent events. ASP.NET Web API's published source.
    "push-stream": Stream(r"System\.Net\.Http\.PushStreamContent\b", "a streamed response (PushStreamContent)"),
    # HttpResponse.TransmitFile and WriteFile, through HttpWriter; MVC's FileResult. Their published sources.
    "file": Stream(
        r"System\.Web\.(HttpResponse|HttpResponseWrapper|HttpWriter)\.(TransmitFile|WriteFile)\("
        r"|System\.Web\.Mvc\.File(Stream|Path|Content)?Result\.",
        "a file's download",
    ),
}
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
