"""The values of a fleet: the inventory that names the hosts, and a report on each.

A host that could not be inspected is a value here (`Unreachable`, `Failed`, `Skipped`), not an exception.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from remediate.values.logs import Evidence

Source = Literal["pool", "application", "site", "defaults", "schema", "unknown"]


class Value(Struct, frozen=True):
    """An effective value, and where it came from.

    ``value``: The value in IIS's spelling. A time span is ``[d.]hh:mm:ss``, a boolean is ``true`` or ``false``, and
        flags are names with a comma and a space between them.
    ``source``: The element that holds the value: ``pool`` or ``application``, ``site`` (the site's
        applicationDefaults), ``defaults`` (applicationPoolDefaults, or the applicationDefaults of all sites), or
        ``schema`` where no element does. It is ``unknown`` where the configuration API lists the pool or the
        application and the file does not.
    ``line``: The line of the attribute in the file, from 1. None in a server's answer, and where the source is
        ``schema``.
    """

    value: str
    source: Source
    line: int | None = None


class Application(Struct, frozen=True):
    """An application of a site.

    ``path``: The site's name and the virtual path: ``Default Web Site/shop``.
    ``preloadEnabled``: The effective value of this attribute. None where this version of IIS does not know it.
    ``site``: The number of the site. None where a configuration file has no number for it.
    """

    path: str
    preloadEnabled: Value | None = None  # noqa: N815  # the attribute's name in IIS, and the key in saved files
    site: int | None = None


class Pool(Struct, frozen=True):
    """An application pool.

    ``name``: The name as the server spells it. IIS compares names without case.
    ``state``: The state as the configuration API names it, such as ``Started`` or ``Stopped``. It is ``Unknown`` where
        the server does not report it, and in a report on a file.
    ``attributes``: The effective values of the attributes that are read, by dotted name (``processModel.idleTimeout``).
        An attribute that this version of IIS does not know is left out.
    ``applications``: The applications that use the pool. Empty where none does.
    """

    name: str
    state: str
    attributes: dict[str, Value]
    applications: tuple[Application, ...] = ()

    def value(self, attribute: str) -> str | None:
        """The effective value, or None where this IIS does not know the attribute."""
        found = self.attributes.get(attribute)
        return None if found is None else found.value


class TimeZone(Struct, frozen=True):
    """A server's time zone as the server reports it. iis/time_zone.py decides whether it can be used.

    ``id``: The name that Windows has for the zone, such as ``W. Europe Standard Time``.
    ``offsets``: Thirteen offsets in minutes east of UTC: at the ``clock`` of the inspection, and every 30 days before
        it.
    """

    id: Annotated[str, Meta(max_length=100)]
    offsets: Annotated[tuple[Annotated[int, Meta(ge=-900, le=900)], ...], Meta(min_length=13, max_length=13)]


class Inspection(Struct, frozen=True, kw_only=True, tag_field="status", tag="inspected"):
    """The answer of one host, or the content of one configuration file. In JSON its ``status`` is ``inspected``.

    ``host``: The inventory name, or the path of the configuration file.
    ``detail``: A remark on the answer: that IIS is not installed. None where IIS is installed.
    ``warning``: Texts for a person, such as that the clock is off or that the server printed other words. None for
        none.
    ``machine``: The computer name, with the DNS domain where the server is in a domain. Empty in a report on a file.
    ``iis_version``: The version of IIS, such as ``10.0``. Of a file it is the version that the file was read for. None
        where IIS is not installed.
    ``windows_version``: The version of Windows, such as ``10.0.20348``. None in a report on a file.
    ``powershell_version``: The version of the PowerShell that ran the inspection. None in a report on a file.
    ``clock``: The server's clock at the inspection, in UTC (``2026-11-25T13:00:00Z``). None in a report on a file.
    ``time_zone``: The server's time zone. None in a report on a file, and in audits from before it was read.
    ``appinit_module``: Whether the Application Initialization module is among the global modules.
    ``shared_config``: The folder of the shared configuration that IIS reads. None where IIS reads the server's own
        file.
    ``vars``: The inventory variable ``remediate_fix`` of the host, where it is set. Else empty.
    ``file``: The path of the configuration file that was read. None in a server's answer.
    ``defaults``: The effective values of applicationPoolDefaults, by dotted name. Empty where IIS is not installed.
    ``pools``: The application pools. Empty where IIS has none, or is not installed.
    ``evidence``: What the event logs show. None where they were not asked for.
    """

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
    """A host with which no session could be opened, or that did not answer in time. In JSON its ``status`` is
    ``unreachable``.

    ``host``: The inventory name.
    ``detail``: The reason, in one line.
    """

    host: str
    detail: str


class Failed(Struct, frozen=True, tag_field="status", tag="failed"):
    """A host that was reached and could not be inspected, or whose variables are wrong; or a configuration file that
    could not be read. In JSON its ``status`` is ``failed``.

    ``host``: The inventory name, or the path of the configuration file.
    ``detail``: The reason, in one line.
    """

    host: str
    detail: str


class Skipped(Struct, frozen=True, tag_field="status", tag="skipped"):
    """A host whose variables do not say that it is a Windows host. In JSON its ``status`` is ``skipped``.

    ``host``: The inventory name.
    ``detail``: The reason, in one line.
    """

    host: str
    detail: str


HostReport = Inspection | Unreachable | Failed | Skipped


class Inventory(Struct, frozen=True, kw_only=True):
    """The options that select hosts and reach them, as on the command line of Ansible. It is never saved.

    ``sources`` are the inventories, ``limit`` is a pattern of hosts, and ``vault_ids`` have Ansible's form
    ``label@source``. ``extra_vars`` may hold secrets.
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
