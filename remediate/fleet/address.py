"""Whether a host's address can be connected to at all: a name, an IPv4 or an IPv6 address, and nothing else."""

import re
from ipaddress import AddressValueError, IPv6Address

# Of a name: letters and digits of any language, and what DNS and NetBIOS names have beside them.
_NAME = re.compile(r"[\w.-]+")
_LONGEST_LABEL, _LONGEST_NAME = 63, 253


def wrong_address(address: str) -> str | None:
    """What is wrong with it, in words; None where it can be used. Nothing is looked up."""
    if not address.strip():
        return "it is empty"
    if "://" in address:
        return "it must be a name or an address, not a URL: scheme, port and path have variables of their own"
    if any(c.isspace() or not c.isprintable() for c in address):
        return "it must be a name or an address, without white space or control characters"
    if ":" in address or "[" in address or "]" in address:
        return _wrong_colons(address)
    if "/" in address or "\\" in address:
        return "it must be a name or an address, without a path"
    if not _NAME.fullmatch(address):
        odd = next(c for c in address if not _NAME.fullmatch(c))
        return f"it must be a name or an address, and {odd!r} is in neither"
    labels = address.removesuffix(".").split(".")
    # Names beyond ASCII travel in Punycode, which is never shorter.
    if len(address) > _LONGEST_NAME or any(not 0 < len(label) <= _LONGEST_LABEL for label in labels):
        return "it is no name: between two dots stand 1 to 63 characters, in all at most 253"
    return None


def _wrong_colons(address: str) -> str | None:
    inner = address[1:-1] if address[:1] == "[" and address[-1:] == "]" else address
    bare, _, zone = inner.partition("%")
    if re.fullmatch(r"[^:\[\]]+:[0-9]*", address) or re.fullmatch(r"\[.*\]:[0-9]*", address):
        return "it must be a name or an address, without a port: that is ansible_port"
    try:
        IPv6Address(bare)
    except (AddressValueError, ValueError):
        return "it is no IPv6 address, and a name has no colon"
    if zone or "%" in inner:
        return "an IPv6 address with a zone (%) cannot be used with WinRM: give a name or another address"
    return None
