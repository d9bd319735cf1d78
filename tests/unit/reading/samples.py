"""The logs of tests/cases/logs, and what they must be read as."""

import json
from pathlib import Path
from typing import Any

import msgspec

from remediate.logs import LogReading
from remediate.values.logs import LoggedException, Request, WorkerEvent

FOLDER = Path(__file__).parents[2] / "cases" / "logs"
CASES: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())


def sample(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def text(name: str) -> str:
    return sample(name).decode()


def occurrences(name: str) -> tuple[LoggedException, ...]:
    """Those that the case names, from a source of this name."""
    told = [{**item, "source": name} for item in CASES[name].get("occurrences", [])]
    return msgspec.convert(told, tuple[LoggedException, ...])


def events(name: str) -> tuple[WorkerEvent, ...]:
    return msgspec.convert(CASES[name].get("events", []), tuple[WorkerEvent, ...])


def requests(name: str) -> tuple[Request, ...]:
    return msgspec.convert(CASES[name].get("requests", []), tuple[Request, ...])


def told(reading: LogReading) -> tuple[Any, ...]:
    """A reading without its source."""
    return reading.occurrences, reading.events
