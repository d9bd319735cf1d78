"""An applicationHost.config with IIS's meaning: effective values, and where each came from. Pure: bytes in, values out.

Inheritance is per attribute: pool, applicationPoolDefaults, schema; for applications: application, the site's
applicationDefaults, those of all sites, schema.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from remediate.iis import sections, xmlfile
from remediate.iis.names import iis_key
from remediate.iis.schema import PRELOAD, Attribute, ConfigError, Version, pool_attributes
from remediate.iis.xmlfile import Element
from remediate.values.fleet import Application, Pool, Source, Value

APPINIT = "ApplicationInitializationModule"
_ENABLED = Attribute("bool", "false")
_SITE_ID = re.compile("[0-9]{1,10}")


class Config:
    """One configuration file, read for one version of IIS. ConfigError for what IIS would not read."""

    def __init__(self, data: bytes, version: Version) -> None:
        self.version = version
        self.schema = pool_attributes(version)
        self.document = xmlfile.read(data)
        found = sections.find(self.document)
        self.pool_section, self.site_section, self._modules = map(
            found.get, (sections.POOLS, sections.SITES, sections.MODULES)
        )

    @property
    def has_pools(self) -> bool:
        """Whether it has a section of application pools, as every applicationHost.config does."""
        return self.pool_section is not None

    def pool_elements(self) -> list[Element]:
        return sections.items(self.pool_section, "add")

    @cached_property
    def _defaults(self) -> Element | None:
        return None if self.pool_section is None else self.pool_section.child("applicationPoolDefaults")

    def value(self, pool: Element | None, name: str) -> Value:
        """A pool's attribute, or with None that of applicationPoolDefaults."""
        own = None if pool is None else self._at(self.schema[name], name, "pool", pool)
        return self._inherited[name] if own is None else own

    @cached_property
    def _inherited(self) -> dict[str, Value]:
        """What a pool has that says nothing itself: one value for all, of a hundred thousand pools too."""
        return {name: self._resolve(at, name, [("defaults", self._defaults)]) for name, at in self.schema.items()}

    def defaults(self) -> dict[str, Value]:
        return dict(self._inherited)

    def pools(self) -> Iterator[Pool]:
        """All pools. Their state is not in the file."""
        served: dict[str, list[Application]] = {}
        for pool, application in self.applications():
            served.setdefault(iis_key(pool), []).append(application)
        for element in self.pool_elements():
            name = element.attributes.get("name", "")
            attributes = {key: self.value(element, key) for key in self.schema}
            yield Pool(name, "Unknown", attributes, tuple(served.get(iis_key(name), ())))

    def applications(self) -> Iterator[tuple[str, Application]]:
        """The pool's name, and the application."""
        defaults = None if self.site_section is None else self.site_section.child("applicationDefaults")
        for site in sections.items(self.site_section, "site"):
            for element in sections.items(site, "application", "path"):
                levels: list[tuple[Source, Element | None]] = [
                    ("application", element),
                    ("site", site.child("applicationDefaults")),
                    ("defaults", defaults),
                ]
                pool = next((raw for _, at in levels if (raw := _raw(at, "applicationPool")) is not None), "")
                preload = None
                if PRELOAD.since <= self.version:
                    preload = self._resolve(PRELOAD, "preloadEnabled", levels)
                path = site.attributes.get("name", "") + element.attributes.get("path", "")
                number = site.attributes.get("id", "")
                yield pool, Application(path, preload, int(number) if _SITE_ID.fullmatch(number) else None)

    @property
    def preloads(self) -> bool:
        """Whether the Application Initialization module is among the global modules."""
        return any(
            iis_key(element.attributes["name"]) == iis_key(APPINIT) for element in sections.items(self._modules, "add")
        )

    def _resolve(self, schema: Attribute, name: str, levels: Sequence[tuple[Source, Element | None]]) -> Value:
        found = (self._at(schema, name, source, element) for source, element in levels)
        value = next((value for value in found if value is not None), None)
        return Value(schema.text(schema.default), "schema") if value is None else value

    def _at(self, schema: Attribute, name: str, source: Source, element: Element | None) -> Value | None:
        """The attribute's value that stands in the element or below it; None where none does."""
        at, last = holder(element, name), name.rpartition(".")[2]
        raw = _raw(at, last)
        if at is None or raw is None:
            return None
        line = self.document.line(at, last)
        try:
            return Value(schema.read(raw), source, line)
        except (ConfigError, ValueError) as error:
            raise ConfigError(f"line {line}: {name}: {error}") from error


def holder(element: Element | None, name: str) -> Element | None:
    """The element in which the attribute of that dotted name would stand; None where it is not there."""
    for folder in name.split(".")[:-1]:
        element = None if element is None else element.child(folder)
    return element


def _raw(element: Element | None, name: str) -> str | None:
    return None if element is None else element.attributes.get(name)


def redirection(data: bytes) -> str | None:
    """What a redirection.config says: the folder of the file that IIS reads instead, or None.

    ConfigError with the line for what IIS would not read.
    """
    document = xmlfile.read(data)
    section = sections.find(document).get("configurationRedirection")
    if section is None:
        return None
    try:
        enabled = _ENABLED.read(section.attributes.get("enabled", "false"))
    except ConfigError as error:
        raise ConfigError(f"line {document.line(section, 'enabled')}: enabled: {error}") from error
    return section.attributes.get("path", "") if enabled == "true" else None
