"""What the inspection script prints, made in Python."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from remediate.lab.emulated.iis import Iis, Read
from remediate.lab.knobs import read_knobs


def machine_name(windows: Path) -> str:
    knobs = read_knobs(windows)
    domain = knobs.get("domain")
    return f"{knobs.get('computer')}.{domain}" if domain else knobs.get("computer")


def inspection(windows: Path) -> dict[str, Any]:
    """The answer of one server, ready for JSON."""
    knobs = read_knobs(windows)
    answer: dict[str, Any] = {
        "format": "remediate.inspection", "format_version": 1, "machine": machine_name(windows),
        "windows_version": knobs.get("windows_version", "10.0.17763"), "powershell_version": "5.1.17763.1",
        "language_mode": "FullLanguage", "clock": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "iis_version": None, "appinit_module": False, "shared_config": None, "defaults": {}, "pools": [],
    }  # fmt: skip
    if knobs.get("iis_version", "10.0") == "none":
        return answer
    iis = Iis(windows)
    stopped = {name.lower() for name in iis.knobs.all("stopped")}
    applications: dict[str, list[dict[str, Any]]] = {}
    for pool, path, preload in iis.applications():
        entry = {"path": path} | ({} if preload is None else {"preloadEnabled": _value(preload)})
        applications.setdefault(pool.lower(), []).append(entry)
    pools = []
    for element in iis.pools():
        name = element.attributes.get("name", "")
        attributes = {key: _value(read) for key in iis.schema if (read := iis.read(element, key)) is not None}
        state = "Stopped" if name.lower() in stopped else "Started"
        pools.append(
            {"name": name, "state": state, "attributes": attributes, "applications": applications.get(name.lower(), [])}
        )
    defaults = {}
    for key in iis.schema:
        read = iis.read(None, key)
        assert read is not None
        # The script asks the file alone here: there is no second witness to disagree with.
        defaults[key] = {"value": read.value, "source": "schema" if read.source == "schema" else "defaults"}
    return answer | {
        "iis_version": f"{iis.version[0]}.{iis.version[1]}", "shared_config": iis.shared,
        "appinit_module": "ApplicationInitializationModule" in iis.modules(), "defaults": defaults, "pools": pools,
    }  # fmt: skip


def _value(read: Read) -> dict[str, str]:
    return {"value": read.value, "source": read.source}
