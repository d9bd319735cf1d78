"""The HRESULTs that IIS7WorkerRequest.RaiseCommunicationError is seen with, and what usually causes each.

The causes are what people report; none of them is proven by the code alone.
"""

from msgspec import Struct


class Code(Struct, frozen=True):
    """``win32`` is the error's number inside the HRESULT; ``cause`` is the usual one."""

    hresult: str
    name: str
    win32: int
    cause: str


# The one of this fault; the others are its relatives.
FAULT = "0x80070032"

_GONE = "seen where the client had gone"

CODES = {
    code.hresult: code
    for code in (
        Code(FAULT, "ERROR_NOT_SUPPORTED", 50, "a flush on a request that the server made of itself at a start"),
        Code("0x800704CD", "ERROR_CONNECTION_INVALID", 1229, "the client went away during a flush"),
        Code("0x80070057", "ERROR_INVALID_PARAMETER", 87, "the client went away, often at a second flush"),
        Code("0x800703E3", "ERROR_OPERATION_ABORTED", 995, "an upload or a download was aborted"),
        Code("0x80070040", "ERROR_NETNAME_DELETED", 64, "the client reset the connection"),
        Code("0x80070016", "ERROR_BAD_COMMAND", 22, _GONE),
        Code("0x80070006", "ERROR_INVALID_HANDLE", 6, _GONE),
        Code("0x80070001", "ERROR_INVALID_FUNCTION", 1, _GONE),
        Code("0x80072746", "WSAECONNRESET", 10054, _GONE),
    )
}
