"""An applicationHost.config as text: pools and sites among the sections that a real file has around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from xml.sax.saxutils import escape

from remediate.iis.schema import Version

# The stored form of a password, with a text of its own: it must never turn up anywhere but in the file itself.
CANARY = "canary-b5b1f2d0"
STORED_PASSWORD = f"[enc:Provider:{CANARY}:enc]"


@dataclass(frozen=True)
class Style:
    """How a file is written: its line ends, the byte-order mark, one step of indentation, the quotes."""

    newline: str = "\r\n"
    bom: bool = False
    indent: str = "    "
    quote: str = '"'


@dataclass(frozen=True)
class Pool:
    """``attributes`` by dotted name, as they stand in the file; ``schedule``: times of day at which it recycles."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    schedule: tuple[str, ...] = ()
    environment: bool = False


@dataclass(frozen=True)
class Application:
    """One application; ``pool`` None where it inherits its pool's name."""

    path: str
    pool: str | None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """One site; ``defaults``: its own applicationDefaults."""

    name: str
    applications: tuple[Application, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """What varies between files. ``defaults`` None: there is no applicationPoolDefaults."""

    version: Version
    pools: tuple[Pool, ...]
    sites: tuple[Site, ...]
    defaults: Mapping[str, str] | None
    modules: tuple[str, ...]
    old_pool: str | None = None


def render(content: Content, style: Style) -> bytes:
    """The file's bytes."""
    lines = _Lines(style.quote).file(content)
    text = style.newline.join(_indented(line, style.indent) for line in lines) + style.newline
    return (b"\xef\xbb\xbf" if style.bom else b"") + text.encode()


def _indented(line: str, step: str) -> str:
    bare = line.lstrip(" ")
    return step * ((len(line) - len(bare)) // 4) + bare


_TOP = """<?xml version="1.0" encoding="UTF-8"?>
<!--

    IIS configuration sections.

    This file belongs to a simulated server of remediate's lab.

-->
<configuration>

    <!--

        The <configSections> section controls the registration of sections.

    -->
    <configSections>
        <sectionGroup name="system.applicationHost">
            <section name="applicationPools" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
            <section name="configHistory" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
            <section name="sites" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
            <section name="webLimits" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
        </sectionGroup>
        <sectionGroup name="system.webServer">
            <section name="defaultDocument" overrideModeDefault="Allow" />
            <section name="globalModules" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
            <section name="handlers" overrideModeDefault="Deny" />
        </sectionGroup>
    </configSections>

    <configProtectedData>
        <providers>
            <add name="IISWASOnlyRsaProvider" type="" description="Uses RsaCryptoServiceProvider" />
        </providers>
    </configProtectedData>

    <system.applicationHost>

""".splitlines()

_BETWEEN = """
        <!--

            The <customMetadata> section is used internally by the Admin Base Objects.

        -->
        <customMetadata />

        <listenerAdapters>
            <add name="http" />
        </listenerAdapters>

        <log>
            <centralW3CLogFile enabled="true" directory="%SystemDrive%\\inetpub\\logs\\LogFiles" />
        </log>

""".splitlines()

_END = """
        <webLimits />

    </system.applicationHost>

    <system.webServer>

        <defaultDocument enabled="true">
            <files>
                <add value="Default.htm" />
                <add value="index.html" />
            </files>
        </defaultDocument>

        <directoryBrowse enabled="false" />

GLOBAL_MODULES

        <httpErrors lockAttributes="allowAbsolutePathsWhenDelegated,defaultPath">
            <error statusCode="404" prefixLanguageFilePath="%SystemDrive%\\inetpub\\custerr" path="404.htm" />
        </httpErrors>

    </system.webServer>

    <location path="" overrideMode="Allow">
        <system.webServer>
            <handlers accessPolicy="Read, Script">
                <add name="StaticFile" path="*" verb="*" modules="StaticFileModule" requireAccess="Read" />
            </handlers>
        </system.webServer>
    </location>

</configuration>""".splitlines()


class _Lines:
    """Elements as lines, four spaces a step, with one kind of quotes."""

    def __init__(self, quote: str) -> None:
        self._quote = quote
        self._entity = {'"': "&quot;"} if quote == '"' else {"'": "&apos;"}

    def file(self, content: Content) -> list[str]:
        modules = self._tag("globalModules", {}, *(self._module(name) for name in content.modules))
        end = chain.from_iterable(_deeper(modules, 2) if line == "GLOBAL_MODULES" else [line] for line in _END)
        return [*_TOP, *_deeper(self._pools(content), 2), *_BETWEEN, *_deeper(self._sites(content), 2), *end]

    def _tag(self, name: str, attributes: Mapping[str, str], *children: list[str]) -> list[str]:
        q = self._quote
        head = name + "".join(f" {key}={q}{escape(value, self._entity)}{q}" for key, value in attributes.items())
        inside = [line for child in children for line in child]
        return [f"<{head}>", *_deeper(inside, 1), f"</{name}>"] if inside else [f"<{head} />"]

    def _pools(self, content: Content) -> list[str]:
        children = [self._pool("add", {"name": pool.name}, pool) for pool in content.pools]
        if content.old_pool is not None:
            old = self._tag("add", {"name": content.old_pool, "startMode": "AlwaysRunning"})
            children.append([f"<!-- {old[0]} -->"])
        if content.defaults is not None:
            children.append(self._pool("applicationPoolDefaults", {}, Pool("", content.defaults)))
        return self._tag("applicationPools", {}, *children)

    def _pool(self, tag: str, first: Mapping[str, str], pool: Pool) -> list[str]:
        times = [self._tag("add", {"value": time}) for time in pool.schedule]
        schedule = [self._tag("schedule", {}, *times)] if times else []
        variable = self._tag("add", {"name": "ASPNETCORE_ENVIRONMENT", "value": "Production"})
        below = {
            "recycling.periodicRestart": schedule,
            "environmentVariables": [variable] if pool.environment else [],
        }
        return self._nested(tag, "", first, pool.attributes, below)

    def _nested(
        self,
        tag: str,
        prefix: str,
        first: Mapping[str, str],
        attributes: Mapping[str, str],
        below: Mapping[str, list[list[str]]],
    ) -> list[str]:
        """An element whose attributes, and those of the elements in it, are given by dotted names."""
        dotted = {name.removeprefix(prefix): value for name, value in attributes.items() if name.startswith(prefix)}
        own = {name: value for name, value in dotted.items() if "." not in name}
        paths = [*(name for name in dotted if "." in name)]
        paths += [path.removeprefix(prefix) + "." for path, lines in below.items() if lines and path.startswith(prefix)]
        inner = dict.fromkeys(path.partition(".")[0] for path in paths)
        children = [self._nested(name, f"{prefix}{name}.", {}, attributes, below) for name in inner]
        return self._tag(tag, {**first, **own}, *children, *below.get(prefix.removesuffix("."), []))

    def _sites(self, content: Content) -> list[str]:
        children = [self._site(site, number) for number, site in enumerate(content.sites, 1)]
        log = self._tag("logFile", {"logFormat": "W3C", "directory": "%SystemDrive%\\inetpub\\logs\\LogFiles"})
        children += [
            self._tag("siteDefaults", {}, log),
            self._tag("applicationDefaults", {"applicationPool": "DefaultAppPool"}),
            self._tag("virtualDirectoryDefaults", {"allowSubDirConfig": "true"}),
        ]
        return self._tag("sites", {}, *children)

    def _site(self, site: Site, number: int) -> list[str]:
        children = []
        for application in site.applications:
            pool = {} if application.pool is None else {"applicationPool": application.pool}
            path = {"path": application.path} | pool | dict(application.attributes)
            folder = "%SystemDrive%\\inetpub\\" + ("wwwroot" if application.path == "/" else application.path[1:])
            children.append(
                self._tag("application", path, self._tag("virtualDirectory", {"path": "/", "physicalPath": folder}))
            )
        binding = self._tag("binding", {"protocol": "http", "bindingInformation": f"*:{79 + number}:"})
        children.append(self._tag("bindings", {}, binding))
        if site.defaults:
            children.append(self._tag("applicationDefaults", site.defaults))
        return self._tag("site", {"name": site.name, "id": str(number)}, *children)

    def _module(self, name: str) -> list[str]:
        return self._tag("add", {"name": name, "image": f"%windir%\\System32\\inetsrv\\{name.lower()}.dll"})


def _deeper(lines: list[str], steps: int) -> list[str]:
    return [" " * 4 * steps + line if line else "" for line in lines]
