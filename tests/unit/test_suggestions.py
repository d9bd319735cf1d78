"""A word that is not known is answered with the one that was probably meant."""

import re

import pytest

from tests.conftest import remediate


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("adit", "audit"),
        ("rolback", "rollback"),
        ("plan --fix idletimeout --out x", "idle-timeout"),
        ("plan --fix idle --out x", "idle-timeout"),
        ("plan --fix on-demand --scope default --out x", "defaults"),
        ("log-filter log4", "log4net"),
        ("log-filter nlog --format xlm", "xml"),
        ("show x --format htm", "html"),
        ("audit --format jsn", "json"),
        ("audit --config x --rules RM01", "RM001"),
        ("audit --evidance", "--evidence"),
        ("diagnose --format jsno x", "json"),
        ("explain rm01", "RM001"),
        ("completion bsh", "bash"),
        ("lab stauts", "status"),
        ("lab up --engine emulate", "emulated"),
        ("demo --engine pwhs", "pwsh"),
    ],
)
def test_what_was_meant_is_named(line: str, meant: str) -> None:
    done = remediate(*line.split(), expect=64)
    assert re.search(f"[Dd]id you mean '?{meant}'?", done.stderr) and done.stderr.count("\n") == 1


def test_where_nothing_is_near_nothing_is_suggested() -> None:
    for line in ("zzz", "explain zzz", "audit --format zzz"):
        assert "did you mean" not in remediate(*line.split(), expect=64).stderr


@pytest.mark.parametrize(("command", "name"), [("explain", "RULE"), ("log-filter", "LOGGER"), ("show", "PATH")])
def test_an_argument_is_named_in_capitals(command: str, name: str) -> None:
    assert remediate(command, "--help", expect=0).stdout.startswith(f"Usage: remediate {command} [OPTIONS] {name}\n")
