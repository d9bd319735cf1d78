"""The sections that we read: where they stand in a file, and which names may stand in them.

IIS reads a section whole or not at all: one name that its schema does not have makes all of it unreadable. So a name
that is not quite a known one, or what stands in another file, is an error here, never "no pools". Names that resemble
no known one pass: a newer IIS, or a product that extends the schema, may know them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from remediate.iis.attributes import legal_name
from remediate.iis.names import iis_key
from remediate.iis.schema import ConfigError
from remediate.iis.xmlfile import Document, Element

POOLS, SITES, MODULES = (
    "system.applicationHost/applicationPools", "system.applicationHost/sites", "system.webServer/globalModules",
)  # fmt: skip
# What ASP.NET's configuration has for a section that is not in the file in plain words.
_ELSEWHERE = {"configSource": "stands in another file", "configProtectionProvider": "is encrypted"}
_EVERYWHERE = (None, "", ".")


@dataclass(frozen=True)
class Shape:
    """An element: its attributes and child elements by name.

    ``item`` is the child of which there may be many, ``keys`` are what tells these apart. ``pools`` are attributes that
    hold a pool's name. ``refused``: attributes that IIS knows of similar elements and not of this one. ``closed``: no
    product extends it, so an unknown element is an error.
    """

    attributes: tuple[str, ...] = ()
    children: dict[str, "Shape"] = field(default_factory=dict)
    item: str | None = None
    required: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    closed: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# What stands in it is not read.
_OPAQUE = Shape()
_SCHEDULE = Shape(children={"add": Shape(("value",), required=("value",), keys=("value",))}, item="add")
_POOL = {
    "processModel": Shape(_words(
        "identityType userName password loadUserProfile setProfileEnvironment logonType manualGroupMembership "
        "idleTimeout idleTimeoutAction maxProcesses shutdownTimeLimit startupTimeLimit pingingEnabled pingInterval "
        "pingResponseTime logEventOnProcessModel"
    )),
    "recycling": Shape(
        _words("disallowOverlappingRotation disallowRotationOnConfigChange logEventOnRecycle"),
        {"periodicRestart": Shape(_words("memory privateMemory requests time"), {"schedule": _SCHEDULE})},
    ),
    "failure": _OPAQUE, "cpu": _OPAQUE, "environmentVariables": _OPAQUE,
}  # fmt: skip
_OF_POOL = _words(
    "name queueLength autoStart enable32BitAppOnWin64 managedRuntimeVersion managedRuntimeLoader "
    "enableConfigurationOverride managedPipelineMode CLRConfigFile passAnonymousToken startMode"
)
_OF_APPLICATION = _words(
    "path applicationPool enabledProtocols serviceAutoStartEnabled serviceAutoStartProvider preloadEnabled"
)
_APPLICATION = Shape(
    _OF_APPLICATION, {"virtualDirectory": _OPAQUE, "virtualDirectoryDefaults": _OPAQUE}, required=("path",),
    keys=("path",), pools=("applicationPool",),
)  # fmt: skip
_IN_SITE = dict.fromkeys(_words("bindings limits logFile traceFailedRequestsLogging ftpServer hsts"), _OPAQUE)
_OF_SITE = _words("name id serverAutoStart")
_SITE = Shape(
    _OF_SITE,
    _IN_SITE | {
        "application": _APPLICATION, "virtualDirectoryDefaults": _OPAQUE,
        "applicationDefaults": Shape(_OF_APPLICATION, _APPLICATION.children, pools=("applicationPool",)),
    },
    item="application", required=("name", "id"), keys=("name", "id"),
)  # fmt: skip
SHAPES: dict[str, Shape] = {
    POOLS: Shape(
        children={
            "add": Shape(_OF_POOL, _POOL, required=("name",), keys=("name",), pools=("name",)),
            "applicationPoolDefaults": Shape(_OF_POOL, _POOL, pools=("name",)),
        },
        item="add", closed=True,
    ),
    SITES: Shape(
        children={
            "site": _SITE,
            "siteDefaults": Shape(_OF_SITE, _IN_SITE),
            # Its schema is narrower than that of a site's applicationDefaults.
            "applicationDefaults": Shape(
                _words("path applicationPool enabledProtocols"), pools=("applicationPool",),
                refused=_words("preloadEnabled serviceAutoStartEnabled serviceAutoStartProvider"),
            ),
            "virtualDirectoryDefaults": _OPAQUE,
        },
        item="site",
    ),
    MODULES: Shape(
        children={"add": Shape(_words("name image preCondition"), required=_words("name image"), keys=("name",))},
        item="add",
    ),
    "configurationRedirection": Shape(_words("enabled path userName password enableUncPolling pollingPeriod")),
}  # fmt: skip


def find(document: Document) -> dict[str, Element]:
    """The sections of SHAPES that the file has, by their path; ConfigError with the line for what is wrong in them.

    A section may stand in a ``<location>`` for the whole server too, and in a group that comes twice.
    """
    root = document.root
    if root.name != "configuration":
        what = f"the root element is {root.name!r}, not 'configuration': check that it is an applicationHost.config"
        raise ConfigError(f"line {document.line(root)}: {what}")
    _check_names(document, root, ("configuration",), ())
    found: dict[str, Element] = {}
    for path in SHAPES:
        for element in sorted(_at(document, path.split("/")), key=lambda one: one.start):
            if path in found:
                raise _second(document, element, found[path])
            found[path] = element
    for path, element in found.items():
        for attribute, why in _ELSEWHERE.items():
            if attribute in element.attributes:
                line = document.line(element, attribute)
                text = f"{attribute}={element.attributes[attribute]!r}"
                raise ConfigError(f"line {line}: the section {element.name} {why} ({text}), which is not read")
        _check(document, element, SHAPES[path])
    return found


def _second(document: Document, element: Element, first: Element) -> ConfigError:
    where, before = document.line(element), document.line(first)
    return ConfigError(f"line {where}: there is a second {element.name}; the first one is on line {before}")


def items(section: Element | None, tag: str, key: str = "name") -> list[Element]:
    """The items of a collection that count: those after a ``clear``, and not taken away by a ``remove``."""
    kept: dict[int, Element] = {}
    by_key: dict[str, list[int]] = {}
    for number, child in enumerate([] if section is None else section.children):
        name = iis_key(child.attributes.get(key, ""))
        if child.name == "clear":
            kept.clear()
        elif child.name == "remove":
            for gone in by_key.pop(name, ()):
                kept.pop(gone, None)
        elif child.name == tag:
            kept[number] = child
            by_key.setdefault(name, []).append(number)
    return list(kept.values())


def _at(document: Document, path: list[str]) -> Iterator[Element]:
    """The elements of that path, outside locations and in them."""
    root, host = document.root, path[0] == "system.applicationHost"
    for scope in (root, *root.all("location")):
        _check_names(document, scope, ("location", *path[:1]), ("path",))
        for top in scope.all(path[0]):
            if len(path) > 1:
                _check_names(document, top, path[1:], ())
            for element in top.all(path[1]) if len(path) > 1 else [top]:
                if scope is root or scope.attributes.get("path") in _EVERYWHERE:
                    yield element
                elif host:
                    where = f"<location path={scope.attributes['path']!r}>"
                    line = document.line(element)
                    raise ConfigError(f"line {line}: {element.name} stands in {where}: it is of the whole server alone")


def _check(document: Document, element: Element, shape: Shape) -> None:
    """The element and all below it that the shape knows."""
    directives = ("clear", "remove") if shape.item else ()
    _check_names(document, element, (*shape.children, *directives), shape.attributes, shape.closed)
    _check_attributes(document, element, shape)
    seen: dict[tuple[str, str], Element] = {}
    alone: dict[str, Element] = {}
    for child in element.children:
        if child.name == "clear" and shape.item:
            seen.clear()
        inner = shape.children.get(child.name)
        if inner is None:
            continue
        if inner is not _OPAQUE:
            _check(document, child, inner)
        if child.name == shape.item:
            _check_keys(document, child, inner, seen)
        elif inner is not _OPAQUE and alone.setdefault(child.name, child) is not child:
            raise _second(document, child, alone[child.name])


def _check_keys(document: Document, item: Element, shape: Shape, seen: dict[tuple[str, str], Element]) -> None:
    for key in shape.keys:
        value = item.attributes[key]
        first = seen.setdefault((key, iis_key(value)), item)
        if first is not item:
            line = document.line(item, key)
            raise ConfigError(f"line {line}: {key} {value!r} is there already, on line {document.line(first, key)}")


def _check_attributes(document: Document, element: Element, shape: Shape) -> None:
    for name in shape.required:
        if name not in element.attributes:
            raise ConfigError(f"line {document.line(element)}: <{element.name}> has no {name}")
    for name in shape.refused:
        if name in element.attributes:
            raise ConfigError(f"line {document.line(element, name)}: <{element.name}> cannot have {name} here")
    for name in shape.pools:
        value = element.attributes.get(name)
        if value is not None and not legal_name(value):
            raise ConfigError(f"line {document.line(element, name)}: {value!r} cannot be an application pool's name")


def _check_names(
    document: Document, element: Element, children: tuple[str, ...] | list[str], attributes: tuple[str, ...],
    closed: bool = False,
) -> None:  # fmt: skip
    """Attributes and child elements against the known names: none differs from one by case alone, or has a prefix."""
    for name, value in element.attributes.items():
        if why := _wrong_attribute(name, value, attributes):
            raise ConfigError(f"line {document.line(element, name)}: {why}")
    for child in element.children:
        if why := _wrong_element(child.name, element.name, children, closed):
            raise ConfigError(f"line {document.line(child)}: {why}")


def _wrong_attribute(name: str, value: str, known: tuple[str, ...]) -> str | None:
    if name == "xmlns":
        return f"xmlns={value!r}: elements of a namespace are not read"
    if ":" in name and not name.startswith(("xml:", "xmlns:")):
        return f"the attribute {name!r} is no attribute of a configuration"
    right = _other_case(name, known)
    return None if right is None else f"the attribute {name!r} must be spelled {right!r}"


def _wrong_element(name: str, parent: str, known: tuple[str, ...] | list[str], closed: bool) -> str | None:
    right = _other_case(name, known)
    if right is not None:
        return f"the element {name!r} must be spelled {right!r}"
    if name == "EncryptedData":
        return f"{parent} is encrypted, which is not read"
    return f"the element {name!r} is not known in {parent}" if closed and name not in known else None


def _other_case(name: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The known name that this one differs from by case alone."""
    if name in known:
        return None
    return next((right for right in known if iis_key(right) == iis_key(name)), None)
