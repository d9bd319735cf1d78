"""A simulated server's own settings and the faults that it plays: ``Windows/lab.txt``, lines of ``key=value``.

Read at each command, so that a test can change them while the lab runs. The stand-in for
Microsoft.Web.Administration reads the same file.
"""

from dataclasses import dataclass
from pathlib import Path

FILE = "lab.txt"


@dataclass(frozen=True)
class Knobs:
    """All values of the file; a key may stand more than once."""

    values: tuple[tuple[str, str], ...] = ()

    def get(self, key: str, default: str = "") -> str:
        return next((value for name, value in self.values if name == key), default)

    def all(self, key: str) -> tuple[str, ...]:
        return tuple(value for name, value in self.values if name == key)

    def flag(self, key: str, default: bool) -> bool:
        return self.get(key, str(default)).lower() == "true"


def read_knobs(windows: Path) -> Knobs:
    """The server's settings; none where the file is not there."""
    try:
        lines = (windows / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return Knobs()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return Knobs(tuple((key.strip(), value.strip()) for key, _, value in pairs))


def write_knobs(windows: Path, **values: str) -> None:
    """Set these keys, keep the others."""
    kept = [(k, v) for k, v in read_knobs(windows).values if k not in values]
    lines = [f"{key}={value}\n" for key, value in [*kept, *values.items()]]
    (windows / FILE).write_text("".join(lines), encoding="utf-8")
