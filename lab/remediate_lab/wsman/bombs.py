"""Answers that fill the memory of a client that reads them whole: the fault ``bomb:KIND``, see KINDS.

They end: the lab must not go on for a client that has gone, or takes it all.
"""

import asyncio
import zlib
from collections.abc import Iterator

from aiohttp import web

from remediate_lab.wsman import replies, soap
from remediate_lab.wsman.replies import CONTENT_TYPE

KINDS = ("gzip", "chunked", "line", "elements", "deep", "entities", "stdout")

_MEGABYTE = 1 << 20
_MOST = 512 * _MEGABYTE
_STDOUT = 64 * _MEGABYTE


async def explode(request: web.Request, kind: str) -> web.StreamResponse:
    """The answer to any request. ``stdout`` is one to Receive alone."""
    if kind in _DOCUMENTS:
        return web.Response(body=_DOCUMENTS[kind], headers={"Content-Type": CONTENT_TYPE})
    if kind == "line":
        await _endless_line(request)
    response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
    if kind == "gzip":
        response.headers["Content-Encoding"] = "gzip"
    response.enable_chunked_encoding()
    await response.prepare(request)
    for piece in _gzip() if kind == "gzip" else (b"x" * _MEGABYTE for _ in range(_MOST // _MEGABYTE)):
        await response.write(piece)
    return response


def stdout(envelope: soap.Envelope, command_id: str) -> bytes:
    """An answer to Receive that is one piece of output."""
    return replies.output(envelope.message_id, command_id, [("stdout", b"x" * _STDOUT)], None)


async def _endless_line(request: web.Request) -> None:
    """The size of a chunk stands in a line of its own. This one does not end. (aiohttp writes whole chunks only.)"""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        for _ in range(_MOST // _MEGABYTE):
            if transport.is_closing():
                break
            if transport.get_write_buffer_size() < _MEGABYTE:
                transport.write(b"x" * _MEGABYTE)
            await asyncio.sleep(0.005)
    raise ConnectionResetError("that was all")


def _gzip() -> Iterator[bytes]:
    """Half a megabyte, which unpacks to half a gigabyte."""
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(_MOST // _MEGABYTE):
        yield packer.compress(bytes(_MEGABYTE))
    yield packer.flush()


def _entities() -> bytes:
    """An entity that grows to 40 MB, behind words so long that Python's reader of XML lets it grow."""
    return b"<!--%s--><!DOCTYPE a [<!ENTITY e '%s'>]><a>%s</a>" % (b"x" * 400_000, b"x" * 45_000, b"&e;" * 1000)


_DOCUMENTS = {
    "elements": b"<a>" + b"<b/>" * 120_000 + b"</a>",
    "deep": b"<a>" * 160_000,
    "entities": _entities(),
}
