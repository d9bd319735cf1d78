"""What is known of a host: the inventory that names it, and what it answered.

A host's trouble is a value here (`Unreachable`, `Failed`, `Skipped`), not an exception.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from remediate.values.logs import Evidence

Source = Literal["pool", "application", "site", "defaults", "schema", "unknown"]


class Value(Struct, frozen=True):
    """An effective value in IIS's spelling, and where it came from.

    ``unknown``: the configuration API and the file disagree about that.
    """

    value: str
    source: Source
    line: int | None = None


class Application(Struct, frozen=True):
    """``path`` is the site's name and the virtual path: ``Default Web Site/shop``; ``site`` the site's number."""

    path: str
    preloadEnabled: Value | None = None  # noqa: N815  # the attribute's name in IIS, and the key in saved files
    site: int | None = None


class Pool(Struct, frozen=True):
    """An application pool; an attribute that this version of IIS does not know is absent."""

    name: str
    state: str
    attributes: dict[str, Value]
    applications: tuple[Application, ...] = ()

    def value(self, attribute: str) -> str | None:
        """The effective value, or None where this IIS does not know the attribute."""
        found = self.attributes.get(attribute)
        return None if found is None else found.value


class TimeZone(Struct, frozen=True):
    """A server's time zone as it reports it. iis/time_zone.py decides whether it can be used.

    ``id`` is Windows' name of it (``W. Europe Standard Time``). ``offsets`` are minutes east of UTC, at the
    inspection's ``clock`` and every 30 days before it for a year.
    """

    id: Annotated[str, Meta(max_length=100)]
    offsets: Annotated[tuple[Annotated[int, Meta(ge=-900, le=900)], ...], Meta(min_length=13, max_length=13)]


class Inspection(Struct, frozen=True, kw_only=True, tag_field="status", tag="inspected"):
    """What one host answered. ``iis_version`` is None where IIS is not installed; ``warning`` is for a person."""

    host: str
    detail: str | None = None
    warning: str | None = None
    machine: str
    iis_version: str | None = None
    windows_version: str | None = None
    powershell_version: str | None = None
    clock: str | None = None
    time_zone: TimeZone | None = None
    appinit_module: bool = False
    shared_config: str | None = None
    vars: dict[str, str] = {}
    file: str | None = None
    defaults: dict[str, Value] = {}
    pools: tuple[Pool, ...] = ()
    evidence: Evidence | None = None


class Unreachable(Struct, frozen=True, tag_field="status", tag="unreachable"):
    """No session could be had with the host."""

    host: str
    detail: str


class Failed(Struct, frozen=True, tag_field="status", tag="failed"):
    """The host was reached, and could not be inspected; or its variables are wrong."""

    host: str
    detail: str


class Skipped(Struct, frozen=True, tag_field="status", tag="skipped"):
    """Not a Windows host: nothing to do with it."""

    host: str
    detail: str


HostReport = Inspection | Unreachable | Failed | Skipped


class Inventory(Struct, frozen=True, kw_only=True):
    """Which inventories, which of their hosts, and how their vaults open (Ansible's ``label@source``).

    The rest is what Ansible takes on its command line; ``extra_vars`` may hold secrets.
    """

    sources: tuple[str, ...]
    limit: str | None = None
    vault_ids: tuple[str, ...] = ()
    ask_vault: bool = False
    extra_vars: tuple[str, ...] = ()
    user: str | None = None
    connection: str | None = None
    private_key: str | None = None
    ask_pass: bool = False
    password_file: str | None = None

    def __repr__(self) -> str:
        return f"Inventory({self.sources})"


def status_of(report: HostReport) -> str:
    """The report's ``status`` in its JSON."""
    return str(report.__struct_config__.tag)
