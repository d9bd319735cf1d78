"""What a seed's servers are: the same everywhere, and all kinds of them in each forty.

The files are read with xml.etree here, and by nothing of remediate's own.
"""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from remediate_lab import variety
from remediate_lab.recipe import Recipe
from tests.environments import Environment

DIGEST = """
import hashlib
from remediate_lab import variety
print(hashlib.sha256(repr([variety.server(7, number) for number in range(1, 101)]).encode()).hexdigest())
"""
# Legal names that have broken tools.
NASTY = {
    "{{ inventory_hostname }}", "{% raw %}", "$(calc)", "a'b`n", "%PATH%", "Ünï", "yes", "007", "- x", "#x",
    "!unsafe x", "www.contoso.example",
}  # fmt: skip
# attribute -> the IIS that has it first
SINCE = {"idleTimeoutAction": 8.5, "logEventOnProcessModel": 8.0, "preloadEnabled": 8.0, "environmentVariables": 10.0}
WINDOWS = {
    "7.5": {"6.1.7601"}, "8.0": {"6.2.9200"}, "8.5": {"6.3.9600"},
    "10.0": {"10.0.14393", "10.0.17763", "10.0.20348"},
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A server that has IIS, and its file as a stranger reads it."""

    recipe: Recipe
    data: bytes
    root: Element

    @property
    def iis(self) -> str:
        return str(self.recipe.knobs["iis_version"])

    @property
    def defaults(self) -> Element | None:
        return self.root.find("system.applicationHost/applicationPools/applicationPoolDefaults")

    @property
    def pools(self) -> list[Element]:
        return self.root.findall("system.applicationHost/applicationPools/add")

    @property
    def applications(self) -> list[Element]:
        return self.root.findall("system.applicationHost/sites/site/application")

    @property
    def modules(self) -> set[str | None]:
        return {module.get("name") for module in self.root.findall("system.webServer/globalModules/add")}

    def served(self) -> set[str | None]:
        above = self.root.find("system.applicationHost/sites/applicationDefaults")
        assert above is not None
        return {one.get("applicationPool", above.get("applicationPool")) for one in self.applications}

    def values(self, name: str) -> set[str]:
        """What the attribute is set to, wherever it is among the pools."""
        return {value for pool in self.pools for element in pool.iter() if (value := element.get(name)) is not None}


def fleet(seed: int, numbers: range) -> Iterator[Seen]:
    for number in numbers:
        recipe = variety.server(seed, number)
        if recipe.config is not None:
            yield Seen(recipe, recipe.config, ElementTree.fromstring(recipe.config))  # our own


def _has(name: str, value: str) -> Callable[[Seen], bool]:
    return lambda server: value in server.values(name)


def _default(name: str, value: str) -> Callable[[Seen], bool]:
    return lambda s: s.defaults is not None and any(e.get(name) == value for e in s.defaults.iter())


def _version(iis: str, windows: str) -> Callable[[Seen], bool]:
    return lambda s: (s.iis, s.recipe.knobs["windows_version"]) == (iis, windows)


VARIETIES: dict[str, Callable[[Seen], bool]] = {
    "a value set": lambda s: bool(s.values("idleTimeout")),
    "a value inherited": lambda s: any("startMode" not in pool.attrib for pool in s.pools),
    "the schema's default set": _has("startMode", "OnDemand"),
    "CRLF": lambda s: s.data.count(b"\r\n") == s.data.count(b"\n"),
    "LF": lambda s: b"\r" not in s.data,
    "a byte-order mark": lambda s: s.data.startswith(b"\xef\xbb\xbf"),
    "no byte-order mark": lambda s: s.data.startswith(b"<?xml"),
    "tabs": lambda s: b"\n\t" in s.data,
    "single quotes": lambda s: b" name='DefaultAppPool'" in s.data,
    "more than ASCII": lambda s: not s.data.isascii(),
    "preload on": lambda s: any(a.get("preloadEnabled") == "true" for a in s.applications),
    "preload off": lambda s: any(a.get("preloadEnabled") == "false" for a in s.applications),
    "preload by the site": lambda s: (
        s.root.find("system.applicationHost/sites/site/applicationDefaults[@preloadEnabled='true']") is not None
    ),
    "no preload module": lambda s: float(s.iis) >= 8 and "ApplicationInitializationModule" not in s.modules,
    "a preload module": lambda s: "ApplicationInitializationModule" in s.modules,
    "Suspend": _has("idleTimeoutAction", "Suspend"),
    "a stopped pool": lambda s: bool(s.recipe.knobs.get("stopped")),
    "unmanaged": _has("managedRuntimeVersion", ""),
    "a pool without applications": lambda s: any(pool.get("name") not in s.served() for pool in s.pools),
    "an application without its pool": lambda s: bool(s.served() - {pool.get("name") for pool in s.pools}),
    "defaults that are AlwaysRunning": _default("startMode", "AlwaysRunning"),
    "defaults with a time-out": _default("idleTimeout", "00:07:00"),
    "no defaults": lambda s: s.defaults is None,
    "deferred": _has("disallowRotationOnConfigChange", "true"),
    "a day and five hours": _has("idleTimeout", "1.05:00:00"),
    "29 hours": _has("idleTimeout", "29:00:00"),
    "lower case": _has("startMode", "alwaysrunning"),
    "shared configuration": lambda s: s.recipe.share is not None,
    "one pool": lambda s: len(s.pools) == 1,
    "25 pools": lambda s: len(s.pools) >= 25,
    "no domain": lambda s: s.recipe.knobs["domain"] == "",
    **{f"the name {name}": _has("name", name) for name in NASTY},
    **{f"IIS {iis} on {windows}": _version(iis, windows) for iis, all_of in WINDOWS.items() for windows in all_of},
}


@pytest.mark.parametrize("seed", range(1, 21))
def test_forty_servers_have_it_all(seed: int) -> None:
    """Whoever tries something on forty servers has tried it on each of these."""
    for first in (1, 41):
        servers = list(fleet(seed, range(first, first + 40)))
        assert [name for name, has in VARIETIES.items() if not any(map(has, servers))] == []
        assert len(servers) < 40, "some have no IIS"
        shared = [server for server in servers if server.recipe.share is not None]
        assert len(shared) == 3 and len({(s.recipe.share, s.data) for s in shared}) == 1


@pytest.mark.parametrize("seed", range(1, 21))
def test_every_server_is_one_that_iis_would_start(seed: int) -> None:
    """Names are unique and legal, attributes are those of the version, and a canary lies in each file."""
    for server in fleet(seed, range(1, 81)):
        names = [str(pool.get("name")) for pool in server.pools]
        assert len({name.lower() for name in names}) == len(names)
        assert not [name for name in names if set(name) & set('\\/"|<>:*?][+=;,@&') or name != name.strip()]
        assert set(server.recipe.knobs.get("stopped", ())) <= set(names)
        for site in server.root.findall("system.applicationHost/sites/site"):
            paths = [application.get("path") for application in site.findall("application")]
            assert len(set(paths)) == len(paths) and "/" in paths
        assert "[enc:Provider:canary-b5b1f2d0:enc]" in server.values("password")
        used = {name for e in server.root.iter() for name in (e.tag, *e.attrib)}
        assert not [name for name, since in SINCE.items() if name in used and float(server.iis) < since]
        assert server.recipe.knobs["windows_version"] in WINDOWS[server.iis]


@pytest.mark.every_ansible
def test_one_seed_is_one_fleet(environment: Environment) -> None:
    """Byte for byte, with each Python, whatever its hashes: a finding on web017 of seed 7 can be told to a friend."""
    here = hashlib.sha256(repr([variety.server(7, number) for number in range(1, 101)]).encode()).hexdigest()
    said = subprocess.run(
        [environment.bin / "python", "-c", DIGEST], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "12345"},
    )  # fmt: skip
    assert said.stdout.strip() == here


def test_another_seed_is_another_fleet() -> None:
    def files(seed: int) -> list[bytes | None]:
        return [variety.server(seed, number).config for number in range(2, 41)]

    assert sum(one == other for one, other in zip(files(1), files(2), strict=True)) < 5
