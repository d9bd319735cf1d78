"""What is wrong with JSON, in our words: those of the parsers are for programmers, and may quote what they read."""

import re

import msgspec

# What reading a text as JSON may raise: also for bytes that are no UTF-8, and for what is nested too deep.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_PLACE = re.compile(r"`\$([^`]{0,200})`$")
_MISSING = re.compile(r"missing required field `([^`]{1,100})`")


def what_is_wrong(error: Exception) -> str:
    """``hosts[0].pool is missing``; ``is not valid JSON``. The error is one of NOT_JSON."""
    if isinstance(error, UnicodeDecodeError):
        return "holds bytes that are no UTF-8"
    if isinstance(error, UnicodeEncodeError):
        return "holds what is no text"
    if isinstance(error, RecursionError):
        return "is nested too deep"
    if not isinstance(error, msgspec.ValidationError):
        return "is not valid JSON"
    found, missing = _PLACE.search(str(error)), _MISSING.search(str(error))
    place = found[1].lstrip(".") if found else ""
    if missing is not None:
        return f"{place}{'.' if place else ''}{missing[1]} is missing"
    return f"{place} is not what stands there" if place else "is not what stands in such a file"
