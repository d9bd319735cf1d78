"""A simulated server's applicationHost.config with IIS's meaning: effective values, their sources, and commits."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from remediate.lab.emulated import xml
from remediate.lab.emulated.schema import PRELOAD, Attribute, ConfigError, Version, pool_attributes
from remediate.lab.knobs import Knobs, read_knobs

CONFIG = Path("System32/inetsrv/config")


class Conflict(Exception):
    """The file was changed on disk, or is in use."""


@dataclass(frozen=True)
class Read:
    """An effective value and its source."""

    value: str
    source: str


def config_path(windows: Path) -> tuple[Path, str | None]:
    """The file that IIS reads, and the folder of a shared configuration or None."""
    redirection = windows / CONFIG / "redirection.config"
    if redirection.exists():
        root = xml.read(redirection.read_bytes()).root
        section = root.child("configurationRedirection")
        if section is not None and section.attributes.get("enabled", "false").lower() == "true":
            shared = section.attributes.get("path", "")
            return Path(shared) / "applicationHost.config", shared
    return windows / CONFIG / "applicationHost.config", None


class Iis:
    """One picture of the file, and the changes that are to be committed."""

    def __init__(self, windows: Path) -> None:
        self.windows = windows
        self.knobs: Knobs = read_knobs(windows)
        major, _, minor = self.knobs.get("iis_version", "10.0").partition(".")
        self.version: Version = (int(major), int(minor))
        self.path, self.shared = config_path(windows)
        self.before = self.path.read_bytes()
        self.document = xml.read(self.before)
        self.schema = pool_attributes(self.version)

    def _section(self, name: str) -> xml.Element | None:
        host = self.document.root.child("system.applicationHost")
        return None if host is None else host.child(name)

    def pools(self) -> list[xml.Element]:
        section = self._section("applicationPools")
        return [] if section is None else section.all("add")

    def pool(self, name: str) -> xml.Element | None:
        return next((p for p in self.pools() if p.attributes.get("name", "").lower() == name.lower()), None)

    def defaults(self) -> xml.Element | None:
        section = self._section("applicationPools")
        return None if section is None else section.child("applicationPoolDefaults")

    def read(self, pool: xml.Element | None, name: str) -> Read | None:
        """A pool's attribute, or with None that of the defaults; None where this IIS does not know it."""
        schema = self.schema.get(name)
        if schema is None:
            return None
        own, shared = _raw(pool, name), _raw(self.defaults(), name)
        return _resolve(schema, [("pool", own), ("defaults", shared)], self.knobs)

    def stands(self, pool: xml.Element, name: str) -> bool:
        """Whether the attribute stands in the file, at that pool."""
        return _raw(pool, name) is not None

    def applications(self) -> Iterator[tuple[str, str, Read | None]]:
        """Pool, path (site and virtual path), preloadEnabled."""
        sites = self._section("sites")
        if sites is None:
            return
        everywhere = sites.child("applicationDefaults")
        for site in sites.all("site"):
            here = site.child("applicationDefaults")
            for application in site.all("application"):
                levels = (application, here, everywhere)
                pool = next((v for level in levels if (v := _raw(level, "applicationPool")) is not None), "")
                preload = None
                if PRELOAD.since <= self.version:
                    pairs = [
                        (n, _raw(x, "preloadEnabled"))
                        for n, x in zip(("application", "site", "defaults"), levels, strict=True)
                    ]
                    preload = _resolve(PRELOAD, pairs, self.knobs)
                yield pool, site.attributes.get("name", "") + application.attributes.get("path", ""), preload

    def modules(self) -> set[str]:
        server = self.document.root.child("system.webServer")
        section = None if server is None else server.child("globalModules")
        return set() if section is None else {e.attributes.get("name", "") for e in section.all("add")}

    def set(self, pool_name: str, name: str, value: str | None) -> None:
        """Set the attribute in the picture, or with None clear it."""
        if (
            value is not None
            and value == self.schema[name].text(self.schema[name].default)
            and not self.knobs.flag("keep_schema_default", True)
        ):
            value = None
        *folders, last = name.split(".")
        for folder in folders:
            element = self._at(pool_name, folders[: folders.index(folder)])
            if element.child(folder) is None:
                if value is None:
                    return
                self.document = xml.add_child(self.document, element, folder)
        element = self._at(pool_name, folders)
        edit = (
            xml.delete_attribute(self.document, element, last)
            if value is None
            else xml.set_attribute(self.document, element, last, value)
        )
        self.document = edit

    def _at(self, pool_name: str, folders: list[str]) -> xml.Element:
        element = self.pool(pool_name)
        for folder in folders:
            element = None if element is None else element.child(folder)
        if element is None:
            raise ConfigError(f"{pool_name}: no such element")
        return element

    def commit(self) -> None:
        """Write the picture; Conflict where the file is no longer the one that was read, or a fault is played."""
        _play_fault(self.windows, self.knobs)
        if self.path.read_bytes() != self.before:
            raise Conflict("Cannot commit configuration changes because the file has changed on disk")
        building = self.path.with_name(self.path.name + ".new")
        building.write_bytes(self.document.to_bytes())
        building.chmod(self.path.stat().st_mode)
        building.replace(self.path)


def _raw(element: xml.Element | None, name: str) -> str | None:
    *folders, last = name.split(".")
    for folder in folders:
        element = None if element is None else element.child(folder)
    return None if element is None else element.attributes.get(last)


def _resolve(schema: Attribute, levels: list[tuple[str, str | None]], knobs: Knobs) -> Read:
    for place, (source, raw) in enumerate(levels):
        if raw is not None:
            # What the API says of a value from the defaults is not known; the lab can play either answer.
            doubtful = place > 0 and not knobs.flag("inherited_from_defaults", True)
            return Read(schema.text(raw), "unknown" if doubtful else source)
    return Read(schema.text(schema.default), "schema")


def _play_fault(windows: Path, knobs: Knobs) -> None:
    kind, _, times = knobs.get("fail_commit").partition(":")
    if kind == "denied":
        raise PermissionError("Access is denied.")
    if kind not in ("changed", "in_use"):
        return
    counter = windows / "failed-commits.txt"
    so_far = int(counter.read_text(encoding="ascii")) if counter.exists() else 0
    if so_far < int(times or 1):
        counter.write_text(str(so_far + 1), encoding="ascii")
        raise Conflict("the fault that this server plays")
