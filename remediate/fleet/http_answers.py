"""What an HTTP answer of a WinRM service may be: as long as a message, not packed, and no redirect.

requests would read an answer whole, however long, unpack it, and go where it sends. So every request of an inspection
goes through this adapter, those of a handshake too.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException, TooManyRedirects
from requests.sessions import Session

# pywinrm asks for messages of 150 KiB at most (MaxEnvelopeSize). Read as XML, one can take a hundred times its length.
MOST_BYTES = 512 * 1024
_PIECE = 64 * 1024


class PackedAnswer(RequestException):
    """The answer has a Content-Encoding, which was not asked for."""


class LongAnswer(RequestException):
    """The answer has more than MOST_BYTES."""


def guard(session: Session, url: str) -> None:
    """Let the session's requests pass here."""
    if not isinstance(session.get_adapter(url), _Guard):
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Guard())


def check_message(message: bytes) -> bytes:
    """The same message, or ValueError where it declares entities: a short one could stand for hundreds of megabytes.

    SOAP allows no document type. Broken XML is left to pywinrm, which reads the same.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    with suppress(expat.ExpatError):
        parser.Parse(message, True)
    return message


def _refuse(*_: Any) -> None:
    raise ValueError("a document type")


class _Guard(HTTPAdapter):
    def add_headers(self, request: PreparedRequest, **_: Any) -> None:
        """Ask for nothing that is packed; requests does by itself."""
        request.headers["Accept-Encoding"] = "identity"

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """Refuse it by its head; else have its body read up to the bound. A handshake may never read it."""
        answer: Response = super().build_response(req, resp)
        encoding = answer.headers.get("Content-Encoding", "identity")
        if 300 <= answer.status_code < 400:
            resp.close()
            raise TooManyRedirects(response=answer)
        if encoding.strip().lower() != "identity":
            resp.close()
            raise PackedAnswer(encoding, response=answer)
        # The one method by which requests reads a body.
        resp.stream = lambda *_, **__: _pieces(resp)
        return answer


def _pieces(raw: Any) -> Iterator[bytes]:
    length = 0
    while piece := raw.read(_PIECE, decode_content=False):
        length += len(piece)
        if length > MOST_BYTES:
            raw.close()
            raise LongAnswer(f"more than {MOST_BYTES} bytes")
        yield piece
