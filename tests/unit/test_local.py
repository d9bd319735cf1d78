"""Which client is the server itself; tests/powershell/test_same_rules.py holds that the scripts say the same."""

import time
from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given

from remediate.iis.local import is_local
from tests.addresses import PLAIN


@given(PLAIN)
def test_every_spelling_of_an_address_is_known(text: str) -> None:
    """As Python's own parser reads it: loopback, or loopback in the clothes of IPv6; what it refuses is nobody's."""
    try:
        address = ip_address(text)
    except ValueError:
        assert is_local(text) is False
        return
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert is_local(text) is (mapped or address).is_loopback


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, None), ("", None), (" ", None), ("-", None), (" -\r\n", None),
        ("localhost", True), ("LocalHost:8080", True), (" 127.0.0.1 ", True), ("127.0.0.1:80", True),
        ("[::1]:443", True), ("::1%3", True), ("[::1%3]:443", True), ("::FFFF:7F00:1", True), ("127.8.9.10", True),
        ("::1:80", False), ("127.0.0.1, 203.0.113.7", False), ("127.0.0.1.example", False), ("localhost.a", False),
        ("127.1", False), ("2130706433", False), ("localho\u017ft", False), ("--", False), ("::1%", False),
    ],
)  # fmt: skip
def test_ports_zones_and_what_is_no_address(text: str | None, said: bool | None) -> None:
    """Nothing that was given is None; what cannot be read is not the server, since that would confirm."""
    assert is_local(text) is said


@pytest.mark.parametrize("part", [" ", "0", "0:", ":", "0000:", "%", "- "])
def test_a_long_text_takes_no_longer_than_it_is(part: str) -> None:
    """An address comes from whoever writes into a log."""
    began = time.process_time()
    assert is_local(part * 300_000 + "x") is False
    assert time.process_time() - began < 2
