# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be shown of a text that leaves: all of it but a host's own secrets, and the account in an address.

A server that was given a password can send it back, in an error for instance. This is the one place that takes it out:
the action plugin uses it for what a run records and prints, and the package remediate for what an audit does.
"""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

HIDDEN = "(hidden)"
# A shorter one would be found in any text.
_LEAST = 6
# Of a text that was cut off ("…"), so much of a secret at its end is taken out too.
_LEAST_BEGINNING = 4
_SECRET = re.compile(r"(pass|passw(or)?d|passphrase|secret|token)$|(^|_)private_key$", re.IGNORECASE)
# People write a slash in a password too, which a URL does not allow; and a path has one slash of two.
_ACCOUNT = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+://?)(\S*)@")


def secrets_of(options):
    """Names and values of a connection's options or variables -> each text that must not be shown, longest first."""
    texts = {str(name): str(value) for name, value in options.items() if isinstance(value, str)}
    users = {value for name, value in texts.items() if name.endswith("user")}
    secrets = {value for name, value in texts.items() if _SECRET.search(name)}
    for account in (found[2] for value in texts.values() for found in _ACCOUNT.finditer(value)):
        users.add(account.partition(":")[0])
        secrets.add(account.partition(":")[2])
    spelled = {text for secret in secrets if len(secret) >= _LEAST for text in _spellings(secret, users)}
    return tuple(sorted(spelled, key=lambda text: (-len(text), text)))


def _spellings(secret, users):
    """As it is, and as it stands in a URL, in JSON, in XML, in one line, and in a header of Basic."""
    yield secret
    for text in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield text
        yield re.sub("%..", lambda found: found[0].lower(), text)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield " ".join("".join(c if c.isprintable() else " " for c in secret).split())
    for text in (secret, *(f"{user}:{secret}" for user in users)):
        for encoding in ("utf-8", "utf-16-le"):
            yield base64.b64encode(text.encode(encoding, "surrogatepass")).decode().rstrip("=")


def without(value, secrets):
    """The same value without them: of a mapping or a list, each text in it, keys too."""
    if isinstance(value, str):
        return _without(value, secrets)
    if isinstance(value, dict):
        return {without(key, secrets): without(one, secrets) for key, one in value.items()}
    return [without(one, secrets) for one in value] if isinstance(value, (list, tuple)) else value


def _without(text, secrets):
    shown = without_account(text)
    for secret in secrets:
        shown = shown.replace(secret, HIDDEN)
        if "…" in shown:
            for length in range(len(secret) - 1, _LEAST_BEGINNING - 1, -1):
                shown = shown.replace(f"{secret[:length]}…", f"{HIDDEN}…")
    # Ansible's own kinds of text, those that are no template for instance, stay what they are.
    return text if shown == text else shown


def without_account(text):
    """The text with each ``scheme://user:password@`` as ``scheme://(hidden)@``."""
    return _ACCOUNT.sub(rf"\1{HIDDEN}@", text)
