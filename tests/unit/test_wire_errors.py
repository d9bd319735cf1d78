"""What pywinrm raises where no server of the lab can make it do so: Kerberos, and what nobody has thought of."""

import struct

import pytest
import requests
import urllib3
from winrm.exceptions import InvalidCredentialsError, WinRMError

from remediate.fleet.way import Way
from remediate.fleet.wire_errors import explain


def way(transport: str = "kerberos") -> Way:
    return Way("http://web01.corp.example:5985/wsman", transport, "ops@CORP.EXAMPLE")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (-1765328243, "kinit first"),
        (-1765328352, "has expired"),
        (-1765328377, "principal HTTP/"),
        (-1765328228, "no domain controller"),
        (-1765328347, "clocks"),
        (-1765328351, "clocks"),
        (-1765328000, "not accepted"),
    ],
)
def test_kerberos_by_its_number(code: int, said: str) -> None:
    """MIT's texts are translated and differ; the shape is that of pywinrm's exception."""
    text = f"authGSSClientStep failed: (('Unspecified GSS failure', 851968), ('Kein Ticket', {code}))"
    words = explain(way(), requests.exceptions.RequestException(text))
    assert words.startswith("Kerberos with web01.corp.example:5985: ") and said in words


def test_kerberos_refused_names_what_else_it_may_be() -> None:
    words = explain(way(), InvalidCredentialsError("the specified credentials were rejected by the server"))
    assert "ops@CORP.EXAMPLE was refused" in words and "clocks" in words and "HTTP/ principal" in words


def test_basic_cannot_carry_every_password() -> None:
    """The words hold nothing of it."""
    error = UnicodeEncodeError("latin-1", "canary-€", 7, 8, "ordinal not in range(256)")
    words = explain(way("basic"), error)
    assert "cannot be sent with Basic" in words and "canary" not in words


@pytest.mark.parametrize(
    "error",
    [
        Exception("<object at 0x7f0000000000> canary"), struct.error("canary"), KeyError("canary"),
        RuntimeError("canary"), OSError(77, "canary"), urllib3.exceptions.HTTPError("canary"),
        urllib3.exceptions.LocationParseError("canary"), WinRMError("canary"),
        requests.exceptions.RequestException("canary"), requests.exceptions.InvalidHeader("canary"),
        StopIteration(), AssertionError("canary"), RecursionError("canary"), MemoryError(),
    ],
)  # fmt: skip
def test_every_exception_has_a_sentence(error: Exception) -> None:
    """Without its class, and without its text, which may hold anything."""
    words = explain(way(), error)
    assert "http://web01.corp.example:5985/wsman" in words
    assert "canary" not in words and type(error).__name__ not in words


def test_a_ring_of_causes_ends() -> None:
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    assert "does not speak WS-Management" in explain(way(), first)
