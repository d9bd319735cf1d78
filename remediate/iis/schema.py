"""What IIS's configuration schema says of the attributes that we read: type, default, values, first version."""

from dataclasses import dataclass
from typing import Literal

from remediate.iis.attributes import seconds, time_text
from remediate.iis.names import iis_key

Version = tuple[int, int]
IIS_VERSIONS: dict[str, Version] = {"7.5": (7, 5), "8.0": (8, 0), "8.5": (8, 5), "10.0": (10, 0)}
Kind = Literal["enum", "flags", "bool", "timeSpan", "string"]


class ConfigError(Exception):
    """The file holds what IIS would not accept."""


@dataclass(frozen=True)
class Attribute:
    """One attribute. ``values`` are an enum's or flags' names in the schema's order; ``most`` a time span's seconds."""

    kind: Kind
    default: str
    values: tuple[str, ...] = ()
    since: Version = (7, 0)
    most: int = 0

    def text(self, raw: str) -> str:
        """The spelling that the inspection gives for what stands in the file."""
        if self.kind == "timeSpan":
            return time_text(seconds(raw))
        if self.kind == "bool":
            return _name(("true", "false"), raw)
        if self.kind == "enum":
            return _name(self.values, raw)
        if self.kind == "flags":
            chosen = {_name(self.values, part.strip()) for part in raw.split(",") if part}
            return ", ".join(value for value in self.values if value in chosen)
        return raw

    def read(self, raw: str) -> str:
        """The same for what IIS reads from a file; ConfigError where it would not: a time span out of its range."""
        text = self.text(raw)
        if self.kind == "timeSpan" and (seconds(raw) > self.most or seconds(raw) % 60):
            raise ConfigError(f"{raw!r} is not within 00:00:00 and {time_text(self.most)}, in whole minutes")
        return text


def _name(values: tuple[str, ...], raw: str) -> str:
    for value in values:
        if iis_key(value) == iis_key(raw):
            return value
    raise ConfigError(f"{raw!r} is none of {', '.join(values)}")


_LOG_RECYCLE = ("Time", "Requests", "Schedule", "Memory", "IsapiUnhealthy", "OnDemand", "ConfigChange", "PrivateMemory")
_IDENTITIES = ("LocalSystem", "LocalService", "NetworkService", "SpecificUser", "ApplicationPoolIdentity")

# In the order of the inspection script.
POOL: dict[str, Attribute] = {
    "startMode": Attribute("enum", "OnDemand", ("OnDemand", "AlwaysRunning"), (7, 5)),
    "autoStart": Attribute("bool", "true"),
    "managedRuntimeVersion": Attribute("string", ""),
    "managedPipelineMode": Attribute("enum", "Integrated", ("Integrated", "Classic")),
    "processModel.idleTimeout": Attribute("timeSpan", "00:20:00", most=2_592_000),
    "processModel.idleTimeoutAction": Attribute("enum", "Terminate", ("Terminate", "Suspend"), (8, 5)),
    "processModel.logEventOnProcessModel": Attribute("flags", "IdleTimeout", ("IdleTimeout",), (8, 0)),
    "processModel.identityType": Attribute("enum", "ApplicationPoolIdentity", _IDENTITIES),
    "recycling.disallowRotationOnConfigChange": Attribute("bool", "false"),
    "recycling.disallowOverlappingRotation": Attribute("bool", "false"),
    "recycling.logEventOnRecycle": Attribute("flags", "Time, Memory, PrivateMemory", _LOG_RECYCLE),
    "recycling.periodicRestart.time": Attribute("timeSpan", "29:00:00", most=25_920_000),
}
PRELOAD = Attribute("bool", "false", since=(8, 0))


def pool_attributes(version: Version) -> dict[str, Attribute]:
    """Those that this version of IIS knows, with its defaults."""
    known = {name: attribute for name, attribute in POOL.items() if attribute.since <= version}
    if version < (8, 0):
        known["managedRuntimeVersion"] = Attribute("string", "v2.0")
    if version >= (10, 0):
        known["recycling.logEventOnRecycle"] = Attribute("flags", ", ".join(_LOG_RECYCLE), _LOG_RECYCLE)
    return known
