"""audit --config: the encoding that a file declares is the one it is read in; else it is refused by its name."""

import json
from pathlib import Path

import pytest

from tests.conftest import remediate

TEXT = (
    '<?xml version="1.0" encoding="{}"?>\n<configuration>\n<system.applicationHost>\n<applicationPools>\n'
    '<add name="Gr\u00fc\u00dfe \u20ac"\nstartMode="AlwaysRunning" />\n</applicationPools>\n</system.applicationHost>\n'
    "</configuration>\n"
)
BARE = TEXT.replace(' encoding="{}"', "").replace("\u20ac", "E")
# How the file is written, and what it declares, or None.
READ: dict[str, tuple[str, bytes, str | None]] = {
    "utf-8": ("utf-8", b"", "UTF-8"),
    "utf-8, marked": ("utf-8", b"\xef\xbb\xbf", "utf-8"),
    "utf-8, undeclared": ("utf-8", b"", None),
    "utf-16, marked": ("utf-16-le", b"\xff\xfe", "utf-16"),
    "utf-16, the other way round": ("utf-16-be", b"\xfe\xff", "UTF-16"),
    "utf-16, unmarked": ("utf-16-le", b"", "utf-16"),
    "utf-16, unmarked, the other way round": ("utf-16-be", b"", "utf-16"),
    "utf-16, undeclared": ("utf-16-le", b"\xff\xfe", None),
    "windows-1252": ("cp1252", b"", "Windows-1252"),
    "iso-8859-15": ("iso8859-15", b"", "ISO-8859-15"),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_names_and_lines_are_right_in_every_encoding(tmp_path: Path, newline: str) -> None:
    for number, (codec, mark, declared) in enumerate(READ.values()):
        text = TEXT.format(declared) if declared else TEXT.replace(' encoding="{}"', "")
        (tmp_path / f"{number}.config").write_bytes(mark + text.replace("\n", newline).encode(codec))
    done = remediate("audit", "--config", *sorted(tmp_path.iterdir()), "--format", "json", expect=2)
    findings = json.loads(done.stdout)["findings"]
    assert [finding["pool"] for finding in findings] == ["Gr\u00fc\u00dfe \u20ac"] * len(READ)
    assert all(finding["reasons"][0].startswith("AlwaysRunning (line 6) ") for finding in findings)


REFUSED: dict[str, tuple[bytes, str]] = {
    "not known": (TEXT.format("ebcdic-int").encode(), "line 1, column 31: the encoding 'ebcdic-int' is not known"),
    "on the second line": (
        TEXT.format("x").replace(" encoding", "\n  encoding").encode(), "line 2, column 13: the encoding 'x'",
    ),
    "not its own": (b"\xff\xfe" + TEXT.format("UTF-8").encode("utf-16-le"), "line 1, column 31: the file declares"),
    "declared, and not so": (TEXT.format("utf-16").encode(), "line 1, column 31: the file declares"),
    "marked otherwise": (b"\xef\xbb\xbf" + TEXT.format("iso-8859-1").encode(), "line 1, column 31: the file declares"),
    "four bytes for a letter": (BARE.encode("utf-32"), "line 1, column 1: the file is in utf-32"),
    "XML 1.1": (BARE.replace("1.0", "1.1").encode(), "line 1, column 16: XML 1.1"),
    "a byte that is not UTF-8": (BARE.encode("latin-1"), "line 5, column 14: the byte 0xFC is not utf-8"),
    "a byte that is not ASCII": (TEXT.format("us-ascii").encode(), "line 5, column 14: the byte 0xC3 is not us-ascii"),
    "such a byte behind wide letters": (
        BARE.replace("Gr", "\u540d\u524d").encode().replace("\u00fc".encode(), b"\xfc"),
        "line 5, column 14: the byte 0xFC is not utf-8",
    ),
    "such a byte with CR": (BARE.replace("\n", "\r").encode("latin-1"), "line 5, column 14: the byte 0xFC is not"),
    "a document type": (
        BARE.replace("<configuration>", "\n  <!DOCTYPE configuration [\n<!ENTITY e 'x'>]><configuration>", 1).encode(),
        "line 3, column 3: a document type declaration",
    ),
    "a broken tag with CR": (BARE.replace("</applicationPools>", "").replace("\n", "\r").encode(), "line 8, column 3:"),
}  # fmt: skip


def test_what_is_refused_is_refused_by_line_and_column(tmp_path: Path) -> None:
    for number, (data, _) in enumerate(REFUSED.values()):
        (tmp_path / f"{number:02}.config").write_bytes(data)
    done = remediate("audit", "--config", *sorted(tmp_path.iterdir()), "--format", "json", expect=3)
    shown = {name: host["detail"] for name, host in zip(REFUSED, json.loads(done.stdout)["hosts"], strict=True)}
    wrong = {name: shown[name] for name, (_, start) in REFUSED.items() if not shown[name].startswith(start)}
    assert wrong == {}
