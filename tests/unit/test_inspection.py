"""A server's answer, whatever it holds: what cannot be judged is a failure, and never an all-clear."""

import json
from typing import Any

import pytest

from remediate.iis.inspection import parse_answer
from remediate.model import Failed, Inspection

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
