"""What the inspection script prints, made in Python."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from remediate.iis.names import iis_key
from remediate.values.fleet import Value
from remediate_lab.emulated.events import evidence
from remediate_lab.emulated.iis import Iis, installed
from remediate_lab.knobs import read_knobs
from remediate_lab.time_zone import reported


def machine_name(windows: Path) -> str:
    knobs = read_knobs(windows)
    domain = knobs.get("domain")
    return f"{knobs.get('computer')}.{domain}" if domain else knobs.get("computer")


def inspection(windows: Path, evidence_days: int = 0) -> dict[str, Any]:
    """The answer of one server, ready for JSON."""
    answer = _settings(windows)
    return answer | {"evidence": evidence(windows, evidence_days)} if evidence_days else answer


def _settings(windows: Path) -> dict[str, Any]:
    knobs = read_knobs(windows)
    now = datetime.now(UTC)
    answer: dict[str, Any] = {
        "format": "remediate.inspection", "format_version": 1, "machine": machine_name(windows),
        "windows_version": knobs.get("windows_version", "10.0.17763"),
        "powershell_version": knobs.get("powershell_version", "5.1.17763.1"),
        "clock": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "time_zone": reported(knobs, now),
        "iis_version": None, "appinit_module": False, "shared_config": None, "defaults": {}, "pools": [],
    }  # fmt: skip
    if not installed(knobs):
        return answer
    iis = Iis(windows)
    stopped = {iis_key(name) for name in iis.knobs.all("stopped")}
    applications = iis.applications()
    pools = []
    for element in iis.config.pool_elements():
        name = element.attributes.get("name", "")
        attributes = {key: _value(read) for key in iis.config.schema if (read := iis.read(element, key)) is not None}
        state = "Stopped" if iis_key(name) in stopped else "Started"
        served = [
            {"path": a.path, "site": a.site}
            | ({} if a.preloadEnabled is None else {"preloadEnabled": _value(a.preloadEnabled)})
            for a in applications.get(iis_key(name), [])
        ]
        pools.append({"name": name, "state": state, "attributes": attributes, "applications": served})
    # The script asks the file alone for the source of a default: there is no second witness to disagree with.
    defaults = {key: _value(value) for key, value in iis.config.defaults().items()}
    version = iis.config.version
    return answer | {
        "iis_version": f"{version[0]}.{version[1]}", "shared_config": iis.shared,
        "appinit_module": iis.config.preloads, "defaults": defaults, "pools": pools,
    }  # fmt: skip


def _value(read: Value) -> dict[str, str]:
    return {"value": read.value, "source": read.source}
