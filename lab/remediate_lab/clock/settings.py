"""From an applicationHost.config to the pools of the simulation, by the effective values that IIS would use."""

from collections.abc import Collection, Iterator

from remediate.iis.attributes import seconds
from remediate.iis.config import Config, holder
from remediate.iis.names import iis_key
from remediate.iis.xmlfile import Element
from remediate_lab.clock.world import App, PoolSettings


def pool_settings(config: Config, stopped: Collection[str] = ()) -> list[PoolSettings]:
    """All pools of the file; ``stopped`` are names as ``fold`` makes them. ConfigError for what IIS would not read."""
    applications = _applications(config)
    appinit = config.preloads
    return [_pool(config, element, applications, appinit, stopped) for element in config.pool_elements()]


def _pool(
    config: Config, element: Element, applications: dict[str, list[App]], appinit: bool, stopped: Collection[str]
) -> PoolSettings:
    name = element.attributes.get("name", "")

    def value(attribute: str, unknown: str) -> str:
        return config.value(element, attribute).value if attribute in config.schema else unknown

    return PoolSettings(
        name=name,
        always_running=value("startMode", "OnDemand") == "AlwaysRunning",
        idle_timeout=seconds(value("processModel.idleTimeout", "00:20:00")),
        suspends=value("processModel.idleTimeoutAction", "Terminate") == "Suspend",
        restart_after=seconds(value("recycling.periodicRestart.time", "29:00:00")),
        schedule=tuple(sorted({seconds(time) for time in _schedule(config, element)})),
        logged=tuple(value("recycling.logEventOnRecycle", "").split(", ")),
        logs_idle_stops=value("processModel.logEventOnProcessModel", "IdleTimeout") == "IdleTimeout",
        overlaps=value("recycling.disallowOverlappingRotation", "false") == "false",
        rotates_on_change=value("recycling.disallowRotationOnConfigChange", "false") == "false",
        managed=value("managedRuntimeVersion", "") != "",
        appinit=appinit,
        runs=iis_key(name) not in stopped,
        applications=tuple(applications.get(iis_key(name), ())),
    )


def _schedule(config: Config, pool: Element) -> Iterator[str]:
    """The times of day of the pool's own schedule, else of that in the defaults."""
    section = config.pool_section
    for top in (pool, None if section is None else section.child("applicationPoolDefaults")):
        found = holder(top, "recycling.periodicRestart.schedule.add")
        if found is not None:
            for element in found.all("add"):
                yield element.attributes.get("value", "00:00:00")
            return


def _applications(config: Config) -> dict[str, list[App]]:
    """By the pool's name as ``fold`` makes it."""
    sites = config.site_section
    numbers = {} if sites is None else {e.attributes.get("name", ""): _number(e) for e in sites.all("site")}
    found: dict[str, list[App]] = {}
    for pool, application in config.applications():
        preload = application.preloadEnabled is not None and application.preloadEnabled.value == "true"
        app = App(application.path, numbers.get(application.path.partition("/")[0], 1), preload)
        found.setdefault(iis_key(pool), []).append(app)
    return found


def _number(site: Element) -> int:
    text = site.attributes.get("id", "")
    return int(text) if text.isascii() and text.isdigit() else 1
