"""What a WS-Management fault's number means, and what to do about it.

A server's own text is in its own language; the number is not. Names and numbers are those of Microsoft's wsmerror.h
(0x8033....) and winerror.h (the others); which quota stands behind a number is by the quotas' documentation ("Quotas
for Remote Shells", "Installation and Configuration for Windows Remote Management") and by Microsoft's own clients,
which name the same numbers.
"""

from dataclasses import dataclass
from xml.etree import ElementTree

from remediate.iis.inspection import one_line

_HRESULT_OF_WIN32 = 0x8007
_MOST_WORDS = 160


@dataclass(frozen=True)
class _Meaning:
    what: str
    advice: str


_SHELLS = _Meaning(
    "this account has too many shells open there (MaxShellsPerUser)",
    "wait until the idle ones are ended, or raise that quota",
)
_USERS = _Meaning(
    "too many accounts have shells open there (MaxConcurrentUsers)",
    "wait until the idle ones are ended, or raise that quota",
)
_OPERATIONS = _Meaning(
    "this account has too many operations running there (MaxConcurrentOperationsPerUser)",
    "wait, or raise that quota",
)
_MEMORY = _Meaning(
    "memory ran out in the shell or on the server",
    "raise MaxMemoryPerShellMB (1024 is what Windows comes with), or see what fills the server's memory",
)
_LOAD = _Meaning("too many requests at once for the quotas there", "try again, with fewer --forks")
_GONE = _Meaning("the shell or its command is gone", "was the WinRM service restarted meanwhile? Try again")

_MEANINGS: dict[int, _Meaning] = {
    # winerror.h
    5: _Meaning(
        "access is denied",
        "the account must be an administrator of the server; a local account other than Administrator also needs "
        "LocalAccountTokenFilterPolicy=1 there",
    ),
    8: _MEMORY,
    14: _MEMORY,
    109: _GONE,
    170: _Meaning("the server is busy", "try again later, or with fewer --forks"),
    995: _Meaning("the server broke the command off", "was the WinRM service stopped meanwhile? Try again"),
    1450: _MEMORY,
    1455: _MEMORY,
    1816: _Meaning(
        "a quota is used up there", "see MaxProcessesPerShell and MaxMemoryPerShellMB (winrm get winrm/config/winrs)"
    ),
    # wsmerror.h
    0x80338000: _Meaning("the server does not serve command shells", "is that the WinRM service of a Windows?"),
    0x8033803F: _Meaning("a quota is used up", "wait, or raise the quota that the server names"),
    0x8033805B: _GONE,
    0x803381A5: _SHELLS,
    0x803381A6: _OPERATIONS,
    0x803381A7: _LOAD,
    0x803381A8: _LOAD,
    0x803381AB: _USERS,
    0x803381AC: _Meaning("remote shells are not allowed there (AllowRemoteShellAccess)", "allow them"),
    0x803381E4: _SHELLS,
    0x803381E5: _USERS,
    0x803381E6: _Meaning("too many shells are open there (the plugin's MaxShells)", "wait, or raise that quota"),
    0x803381E7: _Meaning(
        "too many operations run there (the plugin's MaxConcurrentOperations)", "wait, or raise that quota"
    ),
    0x803381E8: _OPERATIONS,
    0x803381E9: _Meaning("too many commands run in the shell (MaxConcurrentCommandsPerShell)", "raise that quota"),
}


def fault_words(code: int | None, subcode: str | None, reason: str, response: str) -> str:
    """One line: the number with its meaning, what to do, and the server's own words.

    ``code`` is a WSManFault's or MSFT_WmiError's, None where there is none; ``response`` the whole answer, as XML.
    """
    said = _said(response) or reason
    words = f'the server reports: "{one_line(said, _MOST_WORDS)}"'
    if code is None:
        return f"WS-Management fault {one_line(subcode or 'without a number', 60)}: {words}"
    number = code & 0xFFFFFFFF
    meaning = _MEANINGS.get(number & 0xFFFF if number >> 16 == _HRESULT_OF_WIN32 else number)
    shown = str(number) if number < 0x10000 else f"0x{number:08X} ({number})"
    rest = f"{meaning.what}; {meaning.advice}; {words}" if meaning else words
    return f"WS-Management fault {shown}: {rest}"


def _said(response: str) -> str:
    """The message that says what happened here; the reason is a general sentence."""
    try:
        root = ElementTree.fromstring(response)  # noqa: S314  # pywinrm has parsed the same; expat bounds entities
    except (ElementTree.ParseError, ValueError):
        return ""
    found = (element for element in root.iter() if element.tag.rpartition("}")[2] == "Message")
    return next((text for element in found if (text := " ".join(element.itertext()).strip())), "")
