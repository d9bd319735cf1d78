"""Exports of Windows events that hold too little, known by how they begin, and the two commands that hold enough.

A text, a table or a CSV has the time in the server's own zone and language, and the data as parts of sentences.
"""

import re

HELP = (
    "; export with: wevtutil qe System /f:xml /e:Events > System.xml, or: "
    "Get-WinEvent -LogName System | ForEach-Object ToXml | Set-Content System.xml -Encoding UTF8"
)
NO_EVENTS = "no Windows events"
_LEVEL, _TIME = rb"[^,\t\r\n]{1,40}", rb"[^,\t\r\n]{0,20}\d[^,\t\r\n]{0,20}:\d\d[^,\t\r\n]{0,10}"
# The header of Event Viewer is translated; its columns are five, and the fourth is the id.
_VIEWER = rb"[^\r\n]+\r?\n%b%b%b%b[^,\t\r\n]{1,200}%b\d{1,5}%b"
_OTHERS = (
    (re.compile(rb"<Objs\s"), "PowerShell's Export-Clixml"),
    (re.compile(rb'#TYPE System\.Diag|"[A-Za-z]+"[,;\t]("[A-Za-z]+"[,;\t]?){2,}\r?\n'), "PowerShell's Export-Csv"),
    (re.compile(rb"Event\[\d+\]:?\s"), "wevtutil's text (/f:text)"),
    (re.compile(_VIEWER % (_LEVEL, b",", _TIME, b",", b",", b",")), "Event Viewer's CSV"),
    (re.compile(_VIEWER % (_LEVEL, b"\t", _TIME, b"\t", b"\t", b"\t")), "Event Viewer's text"),
    (re.compile(rb"(?:ProviderName|TimeCreated|Message|Index|EventID)\s*:\s|(?:Index|TimeCreated)\s+\w+\s+\w+"),
     "PowerShell's screen output"),
    (re.compile(rb"\x30\0\0\0LfLe"), "an event log of Windows Server 2003 (.evt)"),
)  # fmt: skip


def other_export(head: bytes) -> str:
    """What a file is that begins so, and holds no events that can be read."""
    text = head.lstrip()
    # An XML declaration may come first.
    text = re.sub(rb"\A<\?xml[^>]*>\s*", b"", text)
    return next((what for pattern, what in _OTHERS if pattern.match(text)), NO_EVENTS)
