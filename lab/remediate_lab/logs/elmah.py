"""ELMAH's folder: a file for each error, and nothing for the rest. ``type`` and ``message`` are the innermost
exception's, ``detail`` is the whole; times are in UTC."""

import hashlib
from xml.sax.saxutils import quoteattr

from remediate_lab.logs.entries import Entry, Layout


def render(entry: Entry, layout: Layout) -> tuple[str, str]:
    """The file's name, and its text; only for an entry with an exception."""
    assert entry.code is not None
    error = layout.thrown(entry.code)
    digest = hashlib.sha256(f"{entry.host}/{entry.app.path}/{entry.time}/{entry.number}".encode()).hexdigest()
    identity = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    attributes = {
        "errorId": identity, "application": entry.domain.rsplit("-", 2)[0], "host": entry.host,
        "type": error.base_type, "message": error.base_message, "source": "System.Web",
        "detail": error.whole.replace("\n", "\r\n"), "time": f"{entry.time:%Y-%m-%dT%H:%M:%S.%f}0Z",
        "statusCode": "500",
    }  # fmt: skip
    variables = {
        "APPL_MD_PATH": entry.domain.rsplit("-", 2)[0], "HTTP_USER_AGENT": entry.agent, "REMOTE_ADDR": entry.client,
        "URL": entry.app.virtual_path.rstrip("/") + "/" + entry.page,
    }  # fmt: skip
    text = "<error\n" + "".join(f"  {name}={_quoted(value)}\n" for name, value in attributes.items()) + "  >\n"
    text += "  <serverVariables>\n"
    for name, value in variables.items():
        text += (
            f"    <item\n      name={_quoted(name)}>\n      <value\n        string={_quoted(value)} />\n    </item>\n"
        )
    return f"error-{entry.time:%Y-%m-%d%H%M%S}Z-{identity}.xml", text + "  </serverVariables>\n</error>"


def _quoted(value: str) -> str:
    return quoteattr(value, {"\r": "&#xD;", "\n": "&#xA;", '"': "&quot;"})
