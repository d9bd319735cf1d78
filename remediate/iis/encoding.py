"""The encoding of an XML file: its byte-order mark and its declaration must agree, and what it declares is honoured.

As .NET's XmlDocument has it, by which the inspection reads the file on a server (observed with .NET 10): a declaration
that contradicts the mark or the bytes is an error, and so is XML 1.1.
"""

import re

from remediate.iis.schema import ConfigError

# A UTF-32 mark begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
_UNMARKED = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
# Names as they stand in files, each the same to Python and to .NET.
_ONE_BYTE = frozenset(
    (
        "utf-8",
        "us-ascii",
        *(f"iso-8859-{n}" for n in (*range(1, 10), 13, 15)),
        *(f"windows-{n}" for n in range(1250, 1259)),
    )
)
_DECLARATION = re.compile(
    r"""<\?xml\s+version\s*=\s*["'](?P<version>[^"'>]*)["'](?:\s+encoding\s*=\s*["'](?P<encoding>[^"'>]*)["'])?"""
)
# So many bytes may a declaration have before it is taken for none.
_HEAD = 64 * 1024


def decoded(data: bytes) -> tuple[bytes, str, str]:
    """The byte-order mark, the encoding's name for Python, and the text.

    ConfigError with line and column for an encoding that is not known or not the file's, bytes that are not in it, and
    a version of XML other than 1.0.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    wide = encoding or next((name for start, name in _UNMARKED if data.startswith(start)), "")
    head = data[len(mark) :][:_HEAD].decode(wide if wide.startswith("utf-16") else "latin-1", "replace")
    declaration = _DECLARATION.match(head)
    declared = None if declaration is None else declaration["encoding"]
    if declaration is not None and declaration["version"] != "1.0":
        raise ConfigError(
            f"{place_after(head[: declaration.start('version')])}: XML {declaration['version']} is not read"
        )
    if declaration is not None and declared is not None:
        if why := _wrong(declared.lower(), wide):
            raise ConfigError(f"{place_after(head[: declaration.start('encoding')])}: {why}")
    elif wide == "utf-32":
        raise ConfigError("line 1, column 1: the file is in utf-32: save it as UTF-8")
    encoding = wide or (declared or "utf-8").lower()
    body = data[len(mark) :]
    try:
        return mark, encoding, body.decode(encoding)
    except UnicodeDecodeError as error:
        where = place_after(body[: error.start].decode(encoding))
        name = declared or encoding.removesuffix("-le").removesuffix("-be")
        raise ConfigError(f"{where}: the byte 0x{body[error.start]:02X} is not {name}") from error


def _wrong(declared: str, found: str) -> str | None:
    """Why the declared encoding is not taken; ``found`` is what the file's first bytes say, or nothing."""
    if found:
        own = found.removesuffix("-le").removesuffix("-be")
        if own != "utf-32" and declared == own:
            return None
        return f"the file declares the encoding {declared!r} and is in {own}: save it as UTF-8"
    if declared in _ONE_BYTE:
        return None
    if declared.startswith(("utf-16", "utf-32", "ucs-")):
        return f"the file declares the encoding {declared!r} and is not in it: save it as UTF-8"
    return f"the encoding {declared!r} is not known: save the file as UTF-8"


def place(line: int, column: int) -> str:
    return f"line {line}, column {column}"


def place_after(text: str) -> str:
    """The place just behind that text: lines end with CR, LF or both."""
    ends = list(re.finditer("\r\n|\n|\r", text))
    return place(len(ends) + 1, len(text) - (ends[-1].end() if ends else 0) + 1)
