"""A server's answer, whatever it holds: what cannot be judged is a failure, and never an all-clear."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remediate.iis.inspection import parse_answer, parse_printed
from remediate.values.fleet import Failed, Inspection

GOOD: dict[str, Any] = {
    "startMode": {"value": "AlwaysRunning", "source": "pool"},
    "processModel.idleTimeout": {"value": "00:20:00", "source": "schema"},
    "processModel.idleTimeoutAction": {"value": "Terminate", "source": "schema"},
}


def parse(pool: dict[str, Any], defaults: dict[str, Any]) -> Inspection | Failed:
    answer = {
        "format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0",
        "defaults": defaults, "pools": [{"name": "Shop", "state": "Started", "attributes": pool, "applications": []}],
    }  # fmt: skip
    return parse_answer("web01", json.dumps(answer).encode())


def test_a_good_answer_and_one_of_an_older_iis() -> None:
    """Before IIS 8.5 there is no idleTimeoutAction."""
    old = {name: value for name, value in GOOD.items() if name != "processModel.idleTimeoutAction"}
    for attributes in (GOOD, old):
        assert isinstance(parse(attributes, attributes), Inspection)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("startMode", None), ("startMode", ""), ("startMode", "alwaysrunning"), ("startMode", "\x1b[31mX"),
        ("processModel.idleTimeout", None), ("processModel.idleTimeout", ""), ("processModel.idleTimeout", "20"),
        ("processModel.idleTimeoutAction", "Pause"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_a_failure(name: str, value: str | None) -> None:
    """Of a pool and of applicationPoolDefaults; one server's nonsense ends no audit of the others."""
    wrong = {key: told for key, told in GOOD.items() if key != name}
    if value is not None:
        wrong[name] = {"value": value, "source": "pool"}
    for pool, defaults, where in ((wrong, GOOD, "pool 'Shop'"), (GOOD, wrong, "applicationPoolDefaults")):
        failed = parse(pool, defaults)
        assert isinstance(failed, Failed)
        assert where in failed.detail and name in failed.detail
        assert failed.detail.isprintable()


WHOLE: dict[str, Any] = {
    "format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0",
    "windows_version": "10.0.17763", "powershell_version": "5.1", "clock": "2026-01-01T00:00:00Z", "defaults": GOOD,
    "shared_config": None, "error": None, "evidence": None, "time_zone": {"id": "UTC", "offsets": [0] * 13}, "pools": [
        {"name": "Shop", "state": "Started", "attributes": GOOD, "applications": [{"path": "Site/shop", "site": 1}]}
    ],
}  # fmt: skip
# What JSON can hold, and what Python writes as JSON that is none: halves of UTF-16's pairs, numbers that are endless.
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=50)
    | st.sampled_from(["x" * 100_000, "\ud800", "\udfff\ud800", 10**4000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)  # fmt: skip


@given(key=st.sampled_from(sorted(WHOLE)), value=ODD, cut=st.integers(0, 3), junk=st.binary(max_size=20))
@example(key="powershell_version", value="9" * 10_000 + ".1", cut=0, junk=b"")
@example(key="machine", value="\xff", cut=0, junk=b"\xff")
def test_any_answer_is_an_inspection_or_a_failure_in_words(key: str, value: object, cut: int, junk: bytes) -> None:
    """Never an exception; and the report can be saved, and shown in one short line."""
    text = json.dumps(WHOLE | {key: value}, ensure_ascii=cut % 2 == 0).encode(errors="surrogatepass")
    report = parse_printed("web01", text[: len(text) - cut // 2] + junk, junk, cut, {})
    assert msgspec.json.decode(msgspec.json.encode(report))
    if isinstance(report, Failed):
        assert report.detail.isprintable() and 0 < len(report.detail) < 1000


@pytest.mark.parametrize("code", [-(1 << 31) - 1, 1 << 32, 10**4000])
def test_an_exit_code_that_is_none(code: int) -> None:
    report = parse_printed("web01", b"", b"x", code, {})
    assert isinstance(report, Failed) and len(report.detail) < 100


@pytest.mark.parametrize(
    ("reported", "says"),
    [
        (None, None),
        ({"id": "UTC", "offsets": [0] * 13}, None),
        ({"id": "Tokyo Standard Time", "offsets": [540] * 13}, None),
        ({"id": "Asia/Tokyo", "offsets": [540] * 13}, None),
        ({"id": "Tokyo Standard Time", "offsets": [540] * 12 + [600]}, "(Asia/Tokyo) was at UTC+0900 on 2025-01-06"),
        ({"id": "", "offsets": [0] * 13}, "time zone '' is not known here"),
        ({"id": "\x1b[2J", "offsets": [0] * 13}, "is not known here"),
        ({"id": "../../etc/localtime", "offsets": [0] * 13}, "is not known here"),
        ({"id": "/etc/localtime", "offsets": [0] * 13}, "is not known here"),
    ],
)
def test_a_time_zone_that_cannot_be_used_is_a_warning(reported: object, says: str | None) -> None:
    """In one line that steers no terminal, and never a failure: the server is inspected all the same."""
    report = parse_answer("web01", json.dumps(WHOLE | {"time_zone": reported}).encode())
    assert isinstance(report, Inspection)
    assert (report.warning is None) == (says is None)
    if report.warning is not None:
        assert str(says) in report.warning and "give `remediate diagnose` --time-zone" in report.warning
        assert report.warning.isprintable()


@pytest.mark.parametrize(
    "reported",
    [
        {"id": "x" * 101, "offsets": [0] * 13}, {"id": 1, "offsets": [0] * 13}, {"id": "UTC"}, "UTC",
        {"id": "UTC", "offsets": [0] * 14}, {"id": "UTC", "offsets": []}, {"id": "UTC", "offsets": [901] * 13},
    ],
)  # fmt: skip
def test_a_time_zone_of_another_shape_is_no_answer_of_ours(reported: object) -> None:
    report = parse_answer("web01", json.dumps(WHOLE | {"time_zone": reported}).encode())
    assert isinstance(report, Failed) and "cannot be read" in report.detail
