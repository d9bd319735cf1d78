"""What the simulated servers are: a pure function of a seed and a number, so that one seed is one fleet everywhere.

Servers come in blocks of forty. The first of a block is the plain one: it has one pool with the fault. The others are
dealt cards (versions of IIS, ways to write a file, defaults, traits, kinds and names of pools) that are the same for
every block and shuffled by the seed; so each of them is somewhere in any whole block.

The same seed gives the same bytes with every Python; see chance.py.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from remediate.iis.config import APPINIT
from remediate.iis.schema import IIS_VERSIONS, POOL, PRELOAD, Version
from remediate_lab.applicationhost import STORED_PASSWORD, Application, Content, Pool, Site, Style, render
from remediate_lab.chance import Chance
from remediate_lab.names import NASTY, ORDINARY, SITES
from remediate_lab.recipe import Recipe

Names = tuple[str, ...]

BLOCK = 40
# Servers of one shared configuration in each block.
_SHARE = 3
# How many servers of a block get each kind and each nasty name, at least.
_EACH = 2

# IIS and its Windows; "none" is a server without IIS. One less than a block, as for all cards of servers.
_MACHINES = (
    *[("10.0", "10.0.17763")] * 9, *[("10.0", "10.0.20348")] * 7, *[("10.0", "10.0.14393")] * 5,
    *[("8.5", "6.3.9600")] * 7, *[("8.0", "6.2.9200")] * 5, *[("7.5", "6.1.7601")] * 4, *[("none", "10.0.17763")] * 2,
)  # fmt: skip
# With Windows Management Framework 5.1 on the older ones.
_POWERSHELL = {"6": "5.1.14409.1005", "10": "5.1.17763.1"}

# The cards of configuration files: a block has 35, since two servers have no IIS and two share that of a third.
# IIS itself writes the first style; the others are what editors and scripts leave.
_STYLES = (
    *[Style()] * 20, *[Style(bom=True)] * 5, *[Style("\n")] * 4, *[Style("\n", bom=True)] * 2,
    *[Style(indent="\t")] * 2, *[Style("\n", indent="  ", quote="'")] * 2,
)  # fmt: skip
_POOLS = (*range(1, 26), 3, 3, 4, 4, 5, 6, 6, 7, 8, 9)
_IDENTITY = {"processModel.identityType": "ApplicationPoolIdentity"}
_ALWAYS = {"startMode": "AlwaysRunning"}
# applicationPoolDefaults; None: that element is not there.
_DEFAULTS: tuple[dict[str, str] | None, ...] = (
    *[{"managedRuntimeVersion": "v4.0"} | _IDENTITY] * 19,
    *[None] * 5,
    *[_ALWAYS | _IDENTITY] * 4,
    *[_ALWAYS | {"managedRuntimeVersion": "v4.0", "processModel.idleTimeout": "01:00:00"}] * 2,
    *[_IDENTITY | {"processModel.idleTimeout": "00:07:00"}] * 3,
    *[{"processModel.idleTimeout": "00:00:00"}] * 2,
)
# What a server can be beside its pools -> how many of a block are.
_TRAITS = {"no preload module": 4, "application without its pool": 6, "preload by the site": 4, "no domain": 2}


@dataclass(frozen=True)
class Kind:
    """A way to set up a pool: its attributes as they stand in the file, and what is elsewhere."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    schedule: Names = ()
    stopped: bool = False
    served: bool = True

    def known(self, version: Version) -> bool:
        """Whether that version of IIS knows all of it."""
        return all(POOL[name].since <= version for name in self.attributes)


KINDS = {
    "inherits": Kind(),
    "managed": Kind({"managedRuntimeVersion": "v4.0"}),
    "classic": Kind({"managedRuntimeVersion": "v2.0", "managedPipelineMode": "Classic"}),
    "on demand": Kind({"startMode": "OnDemand"}),
    "on demand, time-out": Kind({"processModel.idleTimeout": "00:10:00"}),
    "periodic": Kind(_ALWAYS),
    "periodic, time-out": Kind(_ALWAYS | {"processModel.idleTimeout": "00:45:00"}),
    "periodic, 29 hours": Kind(_ALWAYS | {"processModel.idleTimeout": "29:00:00"}),
    "periodic, a day and 5 hours": Kind(_ALWAYS | {"processModel.idleTimeout": "1.05:00:00"}),
    "periodic, edited by hand": Kind({"startMode": "alwaysrunning", "autoStart": "True"}),
    "periodic, deferred": Kind(_ALWAYS | {"recycling.disallowRotationOnConfigChange": "true"}),
    "periodic, stopped": Kind(_ALWAYS | {"autoStart": "false"}, stopped=True),
    "periodic, unmanaged": Kind(_ALWAYS | {"managedRuntimeVersion": ""}),
    "periodic, no applications": Kind(_ALWAYS, served=False),
    "no time-out": Kind(_ALWAYS | {"processModel.idleTimeout": "00:00:00"}),
    "suspends": Kind(_ALWAYS | {"processModel.idleTimeoutAction": "Suspend"}),
    "suspends, edited by hand": Kind({"startMode": "ALWAYSRUNNING", "processModel.idleTimeoutAction": "suspend"}),
    "recycles by time": Kind({"recycling.logEventOnRecycle": "Time", "recycling.periodicRestart.time": "1.05:00:00"}),
    "recycles by schedule": Kind(_ALWAYS | {"recycling.periodicRestart.time": "00:00:00"}, schedule=("03:15:00",)),
    "tells each recycle": Kind(_ALWAYS | {
        "recycling.disallowOverlappingRotation": "true",
        "recycling.logEventOnRecycle": "PrivateMemory, ConfigChange,OnDemand, IsapiUnhealthy, Memory, Schedule, Time",
    }),
    "tells no idle stop": Kind(_ALWAYS | {"processModel.logEventOnProcessModel": ""}),
}  # fmt: skip
# What most pools of a server are.
_USUAL = (*["inherits"] * 12, *["managed"] * 8, *["periodic"] * 2, *KINDS)

_PLAIN = ("Contoso Shop", "Reports")


@dataclass
class _Hand:
    """What one server of a block was dealt. ``leader`` is the place of the server whose configuration it has."""

    leader: int
    iis: str
    windows: str
    style: Style = _STYLES[0]
    pools: int = 0
    defaults: Mapping[str, str] | None = None
    traits: set[str] = field(default_factory=set)
    kinds: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    shared: bool = False


def server(seed: int, number: int) -> Recipe:
    """Server ``number`` (from 1) of the fleet of that seed."""
    block, place = divmod(number - 1, BLOCK)
    name = f"web{number:03}"
    if place == 0:
        return Recipe(name, render(_plain(), Style()), _who(name, "10.0", "10.0.17763"))
    hand = _deal(seed, block)[place]
    who = _who(name, hand.iis, hand.windows, domain="" if "no domain" in hand.traits else "lab.example")
    if hand.iis == "none":
        return Recipe(name, None, who)
    content, stopped = _content(_deal(seed, block)[hand.leader], Chance(seed, block, hand.leader))
    share = f"share-{block + 1}" if hand.shared else None
    return Recipe(name, render(content, hand.style), {**who, "stopped": stopped}, share)


def _who(name: str, iis: str, windows: str, domain: str = "lab.example") -> dict[str, str | Names]:
    powershell = _POWERSHELL[windows.partition(".")[0]]
    return {
        "computer": name.upper(), "domain": domain, "windows_version": windows, "iis_version": iis,
        "powershell_version": powershell,
    }  # fmt: skip


@cache
def _deal(seed: int, block: int) -> dict[int, _Hand]:
    """The hands of a block, by place."""
    rng = Chance(seed, block)
    places = range(1, BLOCK)
    hands = {
        place: _Hand(place, iis, windows) for place, (iis, windows) in zip(places, rng.shuffled(_MACHINES), strict=True)
    }
    first, *others = rng.some([place for place, hand in hands.items() if hand.iis == "10.0"], _SHARE)
    own = [hand for place, hand in hands.items() if hand.iis != "none" and place not in others]
    for hand, style, pools, defaults in zip(own, *map(rng.shuffled, (_STYLES, _POOLS, _DEFAULTS)), strict=True):
        hand.style, hand.pools, hand.defaults = style, pools, defaults
    for trait, count in _TRAITS.items():
        able = [hand for hand in own if trait == "no domain" or IIS_VERSIONS[hand.iis] >= PRELOAD.since]
        for hand in rng.some(able, count):
            hand.traits.add(trait)
    # Servers of one or two pools stay so.
    roomy = [hand for hand in own if hand.pools > 2]
    for kind in KINDS:
        able = [hand for hand in roomy if KINDS[kind].known(IIS_VERSIONS[hand.iis])]
        for hand in rng.some(able, _EACH):
            hand.kinds.append(kind)
    for name in NASTY:
        for hand in rng.some(roomy, _EACH):
            hand.names.append(name)
    hands[first].shared = True
    hands.update({place: replace(hands[first], traits=hands[first].traits - {"no domain"}) for place in others})
    return hands


def _plain() -> Content:
    """One pool with the fault and a password, and two that are well."""
    account = {"processModel.identityType": "SpecificUser", "processModel.userName": "CONTOSO\\svc-shop"}
    shop = _ALWAYS | account | {"processModel.password": STORED_PASSWORD}
    reports = KINDS["no time-out"].attributes
    applications = (Application("/", None), *(_application(name, "/" + _slug(name), "true") for name in _PLAIN))
    return Content(
        version=(10, 0),
        pools=(Pool("DefaultAppPool"), Pool("Contoso Shop", shop), Pool("Reports", reports)),
        sites=(Site("Default Web Site", applications),),
        defaults={"managedRuntimeVersion": "v4.0"} | _IDENTITY,
        modules=_modules((10, 0), preload=True),
    )


def _content(hand: _Hand, rng: Chance) -> tuple[Content, Names]:
    """The configuration, and the names of the pools that are stopped."""
    version = IIS_VERSIONS[hand.iis]
    count = max(hand.pools, 1 + len(hand.names), 1 + len(hand.kinds))
    names = ["DefaultAppPool", *hand.names, *rng.shuffled(ORDINARY)][:count]
    usual = [kind for kind in _USUAL if KINDS[kind].known(version)]
    dealt = [*hand.kinds, *(rng.pick(usual) for _ in range(count - 1 - len(hand.kinds)))]
    kinds = ["inherits" if count > 1 else "periodic", *rng.shuffled(dealt)]
    with_password = rng.below(count)
    pools = tuple(
        _pool(name, KINDS[kind], index == with_password, version, rng)
        for index, (name, kind) in enumerate(zip(names, kinds, strict=True))
    )
    served = [name for name, kind in zip(names, kinds, strict=True) if KINDS[kind].served]
    content = Content(
        version=version,
        pools=pools,
        sites=tuple(_sites(served[1:], hand, version, rng)),
        defaults=_known(hand.defaults, version),
        modules=_modules(version, preload="no preload module" not in hand.traits),
        old_pool="Old Shop" if rng.below(4) == 0 else None,
    )
    return content, tuple(name for name, kind in zip(names, kinds, strict=True) if KINDS[kind].stopped)


def _known(defaults: Mapping[str, str] | None, version: Version) -> Mapping[str, str] | None:
    """As an installation of that version writes them: before IIS 8.0 the runtime is left to the schema."""
    if defaults is None or version >= (8, 0):
        return defaults
    return {name: value for name, value in defaults.items() if name != "managedRuntimeVersion"}


def _pool(name: str, kind: Kind, password: bool, version: Version, rng: Chance) -> Pool:
    attributes = dict(kind.attributes)
    if rng.below(8) == 0:
        attributes |= {"queueLength": "5000"}
    if password:
        account = "CONTOSO\\svc-" + (_slug(name) or "pool")
        attributes |= {"processModel.identityType": "SpecificUser", "processModel.userName": account}
        attributes |= {"processModel.password": STORED_PASSWORD}
    return Pool(name, attributes, kind.schedule, environment=version >= (10, 0) and rng.below(8) == 0)


def _sites(pools: list[str], hand: _Hand, version: Version, rng: Chance) -> Iterable[Site]:
    """Sites whose applications are served by these pools; a pool named like a domain has a site of its own."""
    names = ["Default Web Site", *rng.some(SITES, rng.below(3))]
    applications: dict[str, list[Application]] = {name: [Application("/", None)] for name in names}
    for pool in pools:
        own = pool.endswith(".example")
        site = pool if own else rng.pick(names)
        there = applications.setdefault(site, [])
        for number in range(1 + rng.below(3)):
            path = "/" if own and not there else f"/{_slug(pool) or 'app'}-{number + 1}"
            preload = rng.pick((None, None, "true", "true", "false")) if version >= PRELOAD.since else None
            # Two names without a letter have one slug.
            if all(application.path != path for application in there):
                there.append(_application(pool, path, preload))
    if "application without its pool" in hand.traits:
        applications["Default Web Site"].append(_application("Retired Shop", "/retired", None))
    defaults = {"preloadEnabled": "true"} if "preload by the site" in hand.traits else {}
    for name, served in applications.items():
        yield Site(name, tuple(served), defaults if name == "Default Web Site" else {})


def _application(pool: str, path: str, preload: str | None) -> Application:
    return Application(path, pool, {} if preload is None else {"preloadEnabled": preload})


def _slug(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def _modules(version: Version, preload: bool) -> Names:
    there = ["HttpLoggingModule", "StaticFileModule", "DefaultDocumentModule", "AnonymousAuthenticationModule"]
    if preload and version >= PRELOAD.since:
        there.append(APPINIT)
    return (*there, "ManagedEngineV4.0_64bit") if version >= (8, 0) else (*there, "ManagedEngine64")
