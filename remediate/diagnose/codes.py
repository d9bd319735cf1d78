"""The relatives: codes that come with the same message."""

_CAUSES = {
    "0x800704CD": "the client went away during a flush",
    "0x80070057": "the client went away, often a second flush",
    "0x800703E3": "an aborted upload or download",
    "0x80070040": "the client reset the connection",
}


def usual_cause(code: str) -> str:
    return _CAUSES.get(code, "seen with clients that went away")
