"""What applications log (tests/cases/log_filters), as values."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

_FILE = Path(__file__).parents[1] / "cases" / "log_filters" / "cases.json"


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is logged, and whether it must come out. ``exception`` is what Thrown.cs reads."""

    name: str
    kept: bool
    level: str = "Error"
    message: str | None = None
    exception: dict[str, Any] | None = None


CASES = msgspec.json.decode(_FILE.read_bytes(), type=list[Case])
KEPT = [case.name for case in CASES if case.kept]
