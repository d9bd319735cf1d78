"""What tells the W3C log of a web site from the other logs that IIS, HTTP.sys and its services write.

Such a log does not hold the site's requests. Taken for the site's, it would confirm the fault falsely. So only what can
be nothing else counts.

Sources: Microsoft's "Error logging in HTTP APIs" (s-siteid, s-reason, s-queuename), the reference of
`ftpServer/logFile` (Session and FullPath are logged by default), and "IIS Log File Formats" (NCSA, IIS, centralized
binary).
"""

import re
from collections.abc import Sequence
from pathlib import Path

from remediate.logs.given import OtherLog

_HTTP_SYS, _FTP, _SMTP, _NNTP = (
    "HTTP.sys's error log", "the FTP service's log", "the SMTP service's log", "the NNTP service's log",
)  # fmt: skip
# IIS 4 to 10, and IIS Express.
_IIS = "Microsoft Internet Information Serv"
_NAMES = {"Microsoft HTTP API": _HTTP_SYS}
# Fields that only others log.
_FIELDS = {
    "s-siteid": _HTTP_SYS, "s-reason": _HTTP_SYS, "s-queuename": _HTTP_SYS,
    "x-session": _FTP, "x-fullpath": _FTP,
}  # fmt: skip
_NEEDED = ("time", "cs-uri-stem")
# The folder of a service's site, and its name in s-sitename.
_SERVICE = re.compile(r"(?:(MS)?FTPSVC|(SMTPSVC)|(NNTPSVC))\d+", re.I)
# What a client says to these services; IIS 6 has the session's number before it. None is a method of HTTP.
_VERBS = {
    _FTP: "ControlChannelOpened ControlChannelClosed DataChannelOpened DataChannelClosed USER PASS ACCT CWD CDUP QUIT "
    "PORT PASV EPRT EPSV TYPE STOR RETR APPE RNFR RNTO ABOR DELE RMD MKD PWD LIST NLST SIZE MDTM FEAT OPTS AUTH PBSZ "
    "PROT SYST NOOP closed created sent",
    _SMTP: "EHLO HELO MAIL RCPT DATA BDAT RSET VRFY OutboundConnectionCommand OutboundConnectionResponse",
}  # fmt: skip
_OF_VERB = {verb: what for what, verbs in _VERBS.items() for verb in verbs.split()}
_SESSION = re.compile(r"^\[\d+\]")
# So many lines are looked at for their methods.
_LOOKED_AT = 20
_NCSA = re.compile(rb'\S+ \S+ [^\r\n\[]{1,200} \[\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "')
_NATIVE = re.compile(
    rb"[^,\r\n]{1,60}, [^,\r\n]{0,200}, \d\d?/\d\d?/\d{2,4}, \d\d?:\d\d:\d\d, (?:W3SVC|FTPSVC|MSFTPSVC|SMTPSVC)\d*,"
)
_BINARY = ".ibl"
_HELP = ", not the W3C log of a web site; give those, of the folders W3SVCn"


def refuse_other_log(text: bytes, name: str) -> None:
    """OtherLog: a file of this name that begins so is a log of IIS or beside it, and no web site's in W3C format."""
    what = _other(text, name)
    if what is not None:
        raise OtherLog(name, what, _HELP)


def other_w3c(software: str, fields: Sequence[str]) -> str | None:
    """What a W3C log with this `#Software:` and these `#Fields:` is, where it is no web site's; None: it may be one."""
    maker = software.strip()
    if maker and not maker.startswith(_IIS):
        return next((what for name, what in _NAMES.items() if maker.startswith(name)), f"a W3C log of {maker[:60]}")
    foreign = next((what for field, what in _FIELDS.items() if field in fields), None)
    missing = next((field for field in _NEEDED if field not in fields), None)
    if foreign is None and missing is not None:
        return f"a W3C log without the field {missing}"
    return foreign


def _other(text: bytes, name: str) -> str | None:
    if name.lower().endswith(_BINARY):
        return "a central binary log"
    if _NCSA.match(text):
        return "a log in NCSA format"
    if _NATIVE.match(text):
        return "a log in IIS's native format"
    return _of_w3c(text.decode(errors="replace"), name) if text.startswith(b"#") and b"#Fields:" in text else None


def _of_w3c(text: str, name: str) -> str | None:
    """By the head of the file, its folder, its s-sitename, and what its first lines ask for."""
    lines = text.splitlines()
    layouts = [(place, line.split()[1:]) for place, line in enumerate(lines) if line.startswith("#Fields:")]
    if not layouts:
        return None
    start, fields = layouts[0]
    software = next((line.partition(":")[2] for line in lines[:start] if line.startswith("#Software:")), "")
    what = _service(Path(name).parent.name) or other_w3c(software, fields)
    if what is not None:
        return what
    first = [line.split(" ") for line in lines[start + 1 : start + 1 + _LOOKED_AT]]
    entries = [values for values in first if len(values) == len(fields)]
    if not entries:
        return None
    if "s-sitename" in fields and (what := _service(entries[0][fields.index("s-sitename")])):
        return what
    asked = [_SESSION.sub("", values[fields.index("cs-method")]) for values in entries] if "cs-method" in fields else []
    whose = {_OF_VERB.get(method) for method in asked if method != "-"}
    return whose.pop() if len(whose) == 1 else None


def _service(name: str) -> str | None:
    match = _SERVICE.fullmatch(name)
    return None if match is None else _SMTP if match[2] else _NNTP if match[3] else _FTP
