"""An independent reading of a simulated server's files, for tests to compare the product with.

It shares no code with the product: ElementTree, a table of schema defaults from IIS.md, and the rules' conditions as
they stand in DESIGN's words.
"""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Found = set[tuple[str, str, str]]  # host, rule, pool
DEFAULTS = {"startMode": "ondemand", "idleTimeout": "00:20:00", "idleTimeoutAction": "terminate"}
FLAT_KEYS = ("name", "path", "id", "value", "protocol")


def config_of(windows: Path) -> Path:
    """The file that the server reads: its own, or that of its shared configuration."""
    folder = windows / "System32/inetsrv/config"
    redirection = ElementTree.parse(folder / "redirection.config").find(".//configurationRedirection")
    if redirection is not None and redirection.get("enabled", "false").lower() == "true":
        folder = Path(redirection.attrib["path"])
    return folder / "applicationHost.config"


def findings(name: str, windows: Path) -> Found:
    """Which rule holds for which pool of one server, RM004 for its defaults."""
    version = re.search(r"^iis_version=(.*)$", (windows / "lab.txt").read_text(encoding="utf-8"), re.M)
    assert version
    if version[1] == "none":
        return set()
    pools = ElementTree.parse(config_of(windows)).find("system.applicationHost/applicationPools")
    assert pools is not None
    defaults = pools.find("applicationPoolDefaults")
    suspends = float(version[1]) >= 8.5
    found = {
        (name, rule, pool.attrib["name"]) for pool in pools.findall("add") if (rule := _rule(pool, defaults, suspends))
    }
    if defaults is not None and _rule(defaults, None, suspends) == "RM001":
        found.add((name, "RM004", "applicationPoolDefaults"))
    return found


def _rule(pool: ElementTree.Element, defaults: ElementTree.Element | None, suspends: bool) -> str | None:
    if _value(pool, defaults, "startMode") != "alwaysrunning":
        return None
    if _value(pool, defaults, "idleTimeout").strip("0:.") == "":
        return "RM002"
    return "RM002" if suspends and _value(pool, defaults, "idleTimeoutAction") == "suspend" else "RM001"


def _value(pool: ElementTree.Element, defaults: ElementTree.Element | None, attribute: str) -> str:
    for element in (pool, defaults):
        holder = element if element is None or attribute == "startMode" else element.find("processModel")
        if holder is not None and attribute in holder.attrib:
            return holder.attrib[attribute].lower()
    return DEFAULTS[attribute]


def flat(data: bytes) -> dict[tuple[str, ...], str]:
    """Every attribute of a file by its path; elements are told by their name, path or the like."""
    values: dict[tuple[str, ...], str] = {}

    def walk(element: ElementTree.Element, path: tuple[str, ...]) -> None:
        key = next((element.attrib[name] for name in FLAT_KEYS if name in element.attrib), "")
        path = (*path, f"{element.tag}[{key}]" if key else element.tag)
        for name, text in element.attrib.items():
            values[(*path, name)] = text
        for child in element:
            walk(child, path)

    walk(ElementTree.fromstring(data), ())
    return values


def difference(before: bytes, after: bytes) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """(pool, attribute) -> (old, new) of what stands in two files; asserts that nothing else differs."""
    old, new = flat(before), flat(after)
    pools = ("configuration", "system.applicationHost", "applicationPools")
    changed: dict[tuple[str, str], Any] = {}
    for key in old.keys() | new.keys():
        if old.get(key) == new.get(key):
            continue
        assert key[:3] == pools and key[3].startswith("add["), key
        changed[key[3][4:-1], ".".join(key[4:])] = (old.get(key), new.get(key))
    return changed
