"""Values to build tests from, in the shape of the lab's first server."""

from typing import Any

from remediate.values.fleet import Application, Inspection, Pool, Source, Value


def value(text: str, source: Source = "pool") -> Value:
    return Value(text, source)


def pool(
    name: str = "Shop",
    values: dict[str, str] | None = None,
    *,
    state: str = "Started",
    applications: int = 1,
    preload: str = "true",
) -> Pool:
    """A pool that has the fault, but for the values that are given."""
    attributes = {
        "startMode": "AlwaysRunning",
        "processModel.idleTimeout": "00:20:00",
        "processModel.idleTimeoutAction": "Terminate",
        "managedRuntimeVersion": "v4.0",
    } | (values or {})
    served = tuple(Application(f"Site/{n}", value(preload, "application")) for n in range(applications))
    return Pool(name, state, {attribute: value(text) for attribute, text in attributes.items()}, served)


def host(name: str = "web01", *pools: Pool, machine: str = "", **others: Any) -> Inspection:
    """A host of IIS 10 with those pools, but for what is named."""
    settings: dict[str, Any] = {"iis_version": "10.0", "powershell_version": "5.1.17763.1", "appinit_module": True}
    return Inspection(host=name, machine=machine or f"{name.upper()}.lab.example", pools=pools, **(settings | others))
