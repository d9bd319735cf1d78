"""A simulated server's configuration: what the configuration API says of it, and commits."""

from pathlib import Path

from remediate.iis import sections
from remediate.iis.config import Config, holder, redirection
from remediate.iis.names import iis_key
from remediate.iis.schema import ConfigError
from remediate.iis.xmlfile import Element
from remediate.values.fleet import Application, Value
from remediate_lab.emulated import edit
from remediate_lab.knobs import Knobs, read_knobs

CONFIG = Path("System32/inetsrv/config")
DEFAULTS = "applicationPoolDefaults"


class NoApi(ConfigError):
    """What the configuration API needs is not there; the scripts throw a text."""


def installed(knobs: Knobs) -> bool:
    return knobs.get("iis_version", "10.0") != "none" and knobs.get("iis_signs", "both") in ("both", "service", "key")


def check_api(windows: Path, knobs: Knobs) -> None:
    """NoApi in the scripts' words where IIS, or its configuration API, is not installed."""
    if not installed(knobs):
        raise NoApi("IIS is not installed on this server.")
    if knobs.get("management_tools") == "absent":
        path = f"{windows}/System32/inetsrv/Microsoft.Web.Administration.dll"
        raise NoApi(
            f"IIS is installed, and its configuration API is not: {path} is missing. "
            "Install the Windows feature Web-Scripting-Tools."
        )


def denied(path: Path, action: str) -> PermissionError:
    """In the words and the layout of IIS."""
    why = f"Cannot {action} configuration file due to insufficient permissions"
    return PermissionError(f"Filename: \\\\?\\{path}\r\nError: {why}\r\n\r\n")


def failure(windows: Path, error: Exception) -> str:
    """The cause in words, as the scripts have them."""
    shared = config_path(windows)[1] if isinstance(error, PermissionError) else None
    if not shared:
        return str(error)
    return (
        f"The configuration is shared ({shared}), and access was denied. It is read and written as the account of this "
        "connection, which over NTLM, or Kerberos without delegation, cannot go on to another server (no second hop). "
        "Use CredSSP, Kerberos with delegation, or Basic over HTTPS; and the account must have rights on the share. "
        f"{error}"
    )


def config_path(windows: Path) -> tuple[Path, str | None]:
    """The file that IIS reads, and the folder of a shared configuration or None."""
    redirected = windows / CONFIG / "redirection.config"
    shared = redirection(redirected.read_bytes()) if redirected.exists() else None
    if shared is not None:
        return Path(shared) / "applicationHost.config", shared
    return windows / CONFIG / "applicationHost.config", None


class Iis:
    """One picture of the file, and the changes that are to be committed."""

    def __init__(self, windows: Path) -> None:
        self.windows = windows
        self.knobs: Knobs = read_knobs(windows)
        check_api(windows, self.knobs)
        major, _, minor = self.knobs.get("iis_version", "10.0").partition(".")
        self.path, self.shared = config_path(windows)
        if self.shared and self.knobs.flag("deny_share", False):
            raise denied(self.path, "read")
        self.before = self.path.read_bytes()
        self.config = Config(self.before, (int(major), int(minor)))
        self._document = self.config.document

    def pool(self, name: str) -> Element | None:
        return _named(self.config.pool_elements(), name)

    def read(self, pool: Element | None, name: str) -> Value | None:
        """A pool's attribute, or with None that of the defaults; None where this IIS does not know it."""
        return self.config.value(pool, name) if name in self.config.schema else None

    def stands(self, pool: Element, name: str) -> bool:
        """Whether the attribute stands in the file, at that pool."""
        at = holder(pool, name)
        return at is not None and name.rpartition(".")[2] in at.attributes

    def applications(self) -> dict[str, list[Application]]:
        """By the pool's name as ``fold`` makes it."""
        found: dict[str, list[Application]] = {}
        for pool, application in self.config.applications():
            found.setdefault(iis_key(pool), []).append(application)
        return found

    def set(self, pool_name: str | None, name: str, value: str | None) -> None:
        """Set a pool's attribute in the picture, or with None clear it; without a pool, that of the defaults."""
        *folders, last = name.split(".")
        for depth, folder in enumerate(folders):
            element = self._at(pool_name, folders[:depth])
            if element.child(folder) is None:
                if value is None:
                    return
                self._document = edit.add_child(self._document, element, folder)
        element = self._at(pool_name, folders)
        if value is None:
            self._document = edit.delete_attribute(self._document, element, last)
        else:
            self._document = edit.set_attribute(self._document, element, last, value)

    def _at(self, pool_name: str | None, folders: list[str]) -> Element:
        section = sections.find(self._document).get(sections.POOLS)
        if section is None:
            raise ConfigError("applicationPools: no such section")
        if pool_name is None and section.child(DEFAULTS) is None:
            self._document = edit.add_child(self._document, section, DEFAULTS)
            return self._at(None, folders)
        element = section.child(DEFAULTS) if pool_name is None else _named(sections.items(section, "add"), pool_name)
        for folder in folders:
            element = None if element is None else element.child(folder)
        if element is None:
            raise ConfigError(f"{pool_name or DEFAULTS}: no such element")
        return element

    def commit(self) -> None:
        """Write the picture; PermissionError where the fault ``fail_commit=denied`` is played."""
        if self.knobs.get("fail_commit") == "denied":
            raise denied(self.path, "write")
        building = self.path.with_name(self.path.name + ".new")
        building.write_bytes(edit.to_bytes(self._document))
        building.chmod(self.path.stat().st_mode)
        building.replace(self.path)


def _named(elements: list[Element], name: str) -> Element | None:
    return next((e for e in elements if iis_key(e.attributes.get("name", "")) == iis_key(name)), None)
