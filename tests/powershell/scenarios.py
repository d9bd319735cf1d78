"""What the scripts must do on a server, one function for each promise.

Each takes a bench and asserts; it does not know whether the scripts on it are the shipped ones, or a copy with a
mistake put in. So an assertion that guards the shipped scripts is the very one that a planted mistake must break.
"""

from collections.abc import Callable
from typing import Any

from tests.powershell.bench import CONFIG, Bench

Scenario = Callable[[Bench], None]

SHOP = "Contoso Shop"
IDLE = "processModel.idleTimeout"


def change(**others: Any) -> dict[str, Any]:
    return {"pool": SHOP, "attribute": IDLE, "expect": "00:20:00", "set": "00:00:00"} | others


def only(result: Any) -> Any:
    """The single change of a result."""
    (single,) = result["changes"]
    return single


def written(result: Any) -> list[bool]:
    return [c["written"] and c["verified"] for c in result["changes"]]


def refused(bench: Bench, *changes: dict[str, Any], said: str, **arguments: Any) -> Any:
    """The module fails with that text, and the file is what it was."""
    before = bench.config.read_bytes()
    result = bench.settings(*changes, **arguments)
    assert result.get("failed"), result
    assert said in result["msg"], result["msg"]
    assert bench.config.read_bytes() == before
    return result


def not_written(bench: Bench, said: str, stale: bool, **options: Any) -> None:
    """Refused, and each change is told with the word that it was not written."""
    result = refused(bench, change(), said=said, **options)
    assert (result["stale"], result["changed"]) == (stale, False)
    assert [(c["pool"], c["written"]) for c in result["changes"]] == [(SHOP, False)]


def pool(inspection: Any, name: str) -> Any:
    (found,) = [p for p in inspection["pools"] if p["name"] == name]
    return found


def share(bench: Bench, enabled: bool = True) -> str:
    """Put the configuration on a share, as IIS's shared configuration does."""
    folder = bench.windows / "Share"
    folder.mkdir()
    (folder / "applicationHost.config").write_bytes(bench.config.read_bytes())
    (bench.windows / CONFIG / "redirection.config").write_text(
        f'<configuration><configurationRedirection enabled="{str(enabled).lower()}" path="{folder}" /></configuration>'
    )
    return str(folder)
