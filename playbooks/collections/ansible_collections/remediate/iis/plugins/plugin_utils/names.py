# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""How names of application pools compare, and how a pattern names them."""

from __future__ import annotations

import re


def iis_key(name):
    """The form in which names compare without case: by .NET's OrdinalIgnoreCase, which the scripts use.

    Each character by itself stands for its simple upper case: ``Straße`` and ``STRASSE`` are two names. That IIS
    compares without case is in its schema; how it does so outside ASCII is not known. The form is in lower case.
    """
    return name.lower() if name.isascii() else "".join(map(_folded, name))


def _folded(char):
    upper = _upper(char)
    lower = upper.lower()
    return lower if len(lower) == 1 and _upper(lower) == upper else upper


def _upper(char):
    # .NET leaves these two as they are, which Unicode maps into ASCII; and .NET Framework all beyond 16 bits.
    if char in "\u0131\u017f" or char > "\uffff":
        return char
    upper = char.upper()
    if len(upper) > 1:
        # The full mapping. The simple one, if there is any, is then that of the title case.
        upper = char.title()
    return upper if len(upper) == 1 else char


def matches(glob, name):
    """Whether the glob is the whole name, without case. ``*`` is any text, ``?`` one character; nothing else counts."""
    parts = ({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in iis_key(glob))
    return re.fullmatch("".join(parts), iis_key(name), re.DOTALL) is not None
