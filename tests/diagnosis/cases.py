"""The cases on which the diagnosis is tried: generated, each with its truth (simulated.py). A name is a case forever.

All of them are played by the lab's clock (lab/remediate_lab/clock); none was captured on a server.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from remediate_lab.clock.traffic import PROBE, TRAFFIC, Stream
from remediate_lab.clock.world import EVERY_RECYCLE, App, Incident, IncidentKind, PoolSettings
from remediate_lab.logs import w3c
from remediate_lab.logs.files import Encoding, Form
from tests.diagnosis.simulated import Case, Source

_BEGIN = datetime(2026, 11, 9, 4, 0, tzinfo=UTC)
_SHOP, _API = App("Default Web Site/shop", 1, preload=True), App("api.contoso.example/", 2, preload=True)
_QUIET_SHOP = App("Default Web Site/shop", 1)
_LOG: tuple[Source, ...] = ("log",)
_EVENTS: tuple[Source, ...] = ("log", "events")
_SETTINGS: tuple[Source, ...] = ("log", "w3c", "audit")
_ALL: tuple[Source, ...] = ("log", "w3c", "events", "audit")
_SHAPES = ("log4net", "nlog", "serilog", "clef", "elmah", "plain")
_LANGUAGES = ("en", "de", "fr", "es", "ru", "zh")
_ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-8-bom", "utf-16-le-bom", "utf-16-be-bom", "utf-16-le")


def _pool(name: str = "Contoso Shop", minutes: int = 20, *apps: App, **settings: Any) -> PoolSettings:
    """AlwaysRunning, with a preloading application."""
    return PoolSettings(
        name=name, always_running=True, idle_timeout=minutes * 60, applications=apps or (_SHOP,), **settings
    )


def _at(hours: float, kind: IncidentKind, pool: str | None = "Contoso Shop", **more: int) -> Incident:
    return Incident(time=_BEGIN + timedelta(hours=hours), kind=kind, pool=pool, **more)


def _periods() -> list[Case]:
    """The plain fault: each time-out, looked at in three ways; shapes, languages and encodings in turn."""
    cases = []
    for number, minutes in enumerate((5, 7, 10, 15, 20, 30, 45, 60)):
        for turn, (give, what) in enumerate(
            ((_LOG, "log"), (_EVENTS, "log and events"), (_SETTINGS, "log, W3C, audit"))
        ):
            at = number * 3 + turn
            cases.append(Case(
                f"{minutes} minutes, by {what}", (_pool(minutes=minutes),), give,
                shape=_SHAPES[at % 6], language=_LANGUAGES[(at + number) % 6], days=2,
                form=Form(_ENCODINGS[at % 5], "\n" if at % 4 == 3 else "\r\n", 1 + at % 3, gzipped=at % 2 == 0),
                events_as=("xml", "json5", "json7")[number % 3], lateness=(5_000, 15_000, 40_000)[number % 3],
                fields=(w3c.DEFAULT, w3c.SHORT, w3c.OLDER),
            ))  # fmt: skip
    return cases


def _traffic() -> list[Case]:
    cases = [
        Case(f"traffic: {name}, {minutes} minutes", (_pool(minutes=minutes),), _ALL, traffic=name, days=6)
        for name in ("office", "random", "bursts")
        for minutes in (10, 20)
    ]
    twice = tuple(_at(hours, "administrator") for hours in (11, 35, 50))
    loud = _pool(logged=EVERY_RECYCLE)
    return [
        *cases,
        Case("traffic from a log alone", (_pool(),), _LOG, traffic="random", days=6),
        Case("a probe each minute: recycles only", (loud,), _ALL, traffic="probe", incidents=twice, days=4),
        Case(
            "a probe each minute, by log and events",
            (loud,),
            _EVENTS,
            traffic="probe",
            incidents=twice,
            days=4,
        ),
        Case("other codes mixed in, log", (_pool(),), _LOG, traffic="leaving", shape="nlog"),
        Case("other codes mixed in, all", (_pool(),), _ALL, traffic="leaving", shape="clef"),
        Case("other codes mixed in, ELMAH and events", (_pool(),), _EVENTS, traffic="leaving", shape="elmah"),
    ]


def _several() -> list[Case]:
    """Several applications in a pool: errors in bursts. Several pools in one log."""
    three = (_SHOP, App("Default Web Site/cart", 1, preload=True), App("Default Web Site/mail", 1, preload=True))
    burst = _pool("Contoso Shop", 20, *three)
    two = (_pool(), _pool("api", 35, _API))
    near = (_pool(), _pool("api", 25, _API))
    healthy = (_pool(), PoolSettings(name="api", applications=(App("api.contoso.example/", 2),)))
    return [
        Case("a burst of three, told apart, log", (burst,), _LOG, shape="clef"),
        Case("a burst of three, told apart, all", (burst,), _ALL, shape="nlog"),
        Case("a burst of three, not told apart, log", (burst,), _LOG, named=False),
        Case("a burst of three, not told apart, events", (burst,), _EVENTS, named=False),
        Case("two pools, told apart, log", two, _LOG, shape="clef"),
        Case("two pools, told apart, all", two, _ALL),
        Case("two pools, not told apart, log", two, _LOG, named=False, shape="nlog"),
        Case("two pools, not told apart, events", two, _EVENTS, named=False, shape="serilog"),
        Case("two pools of like time-outs, told apart", near, _EVENTS),
        Case("one pool ill, the other well", healthy, _ALL, traffic="random"),
    ]


def _clocks() -> list[Case]:
    """The wall clock is set back, or forward, in the middle of the log."""
    autumn, spring = (datetime(2026, *day, 4, tzinfo=UTC) for day in ((10, 24), (3, 28)))
    return [
        Case("summer time ends, log", (_pool(),), _LOG, begin=autumn, days=2, zone="Europe/Berlin"),
        Case("summer time ends, all", (_pool(),), _ALL, begin=autumn, days=2, zone="Europe/Berlin", shape="nlog"),
        Case("summer time begins, log", (_pool(),), _LOG, begin=spring, days=2, zone="Europe/Berlin", shape="plain"),
        Case("summer time begins, events", (_pool(minutes=30),), _EVENTS, begin=spring, days=2, zone="Europe/Berlin"),
        Case("half an hour off, 60 minutes", (_pool(minutes=60),), _ALL, zone="Asia/Kolkata", shape="nlog"),
        Case("west of Greenwich", (_pool(minutes=15),), _ALL, zone="America/Chicago", traffic="leaving"),
    ]


def _recycles() -> list[Case]:
    """No idle stop: the errors come at recycles and boots alone."""
    never = _pool(minutes=0)
    quiet = _pool(minutes=0, logged=())
    loud = _pool(minutes=0, logged=EVERY_RECYCLE)
    nightly = _pool(minutes=0, restart_after=0, schedule=(3 * 3600 + 900,))
    by_hand = tuple(_at(hours, "administrator") for hours in (7.2, 31.5, 33.1, 60.4))
    boots = tuple(_at(hours, "boot", None) for hours in (5.3, 40.2, 77.7))
    mixed = (
        _at(6.1, "private-memory"),
        _at(19.4, "virtual-memory"),
        _at(55.5, "configuration"),
        _at(70.2, "unhealthy"),
        _at(80.3, "inconsistent"),
    )
    return [
        Case("29 hours, log", (never,), _LOG, days=14),
        Case("29 hours, events", (never,), _EVENTS, days=14, shape="nlog"),
        Case("29 hours, all", (never,), _ALL, days=14, shape="elmah"),
        Case("29 hours, not logged", (quiet,), _ALL, days=14),
        Case("29 hours and 20 minutes, all", (_pool(),), _ALL, days=4),
        Case("nightly, logged", (replace(nightly, logged=("Schedule",)),), _ALL, days=10, zone="Europe/Berlin"),
        Case("nightly, not logged", (nightly,), _ALL, days=10),
        Case("by hand, logged", (loud,), _EVENTS, incidents=by_hand),
        Case("by hand, not logged", (quiet,), _EVENTS, incidents=by_hand),
        Case("reboots, events", (_pool(minutes=0, restart_after=0),), _EVENTS, incidents=boots, days=4),
        Case("reboots, all, one after another", (_pool(minutes=0, overlaps=False),), _ALL, incidents=boots, days=4),
        Case("of many causes", (loud,), _ALL, incidents=mixed, days=4),
        Case("Suspend, log", (_pool(suspends=True),), _LOG, days=9),
        Case("Suspend, all", (_pool(suspends=True),), _ALL, days=9, traffic="office"),
        Case("failures", (loud,), _EVENTS, incidents=tuple(_at(hours, "failure") for hours in (9, 10, 30)), days=3),
    ]


def _unlogged() -> list[Case]:
    """The fault, and events that tell little of it."""
    silent = _pool(logs_idle_stops=False, logged=())
    short = tuple(_at(hours, "shortage", None, minutes=300, cut=360) for hours in (10, 40))
    return [
        Case("idle stops are not logged, events", (silent,), _EVENTS),
        Case("idle stops are not logged, all", (silent,), _ALL),
        Case("memory runs short, events", (_pool(),), _EVENTS, incidents=short),
        Case("memory runs short, all", (_pool(minutes=45),), _ALL, incidents=short),
        Case("event 1309 alone", (_pool(),), ("events",), unhandled=True),
        Case("event 1309 and the settings", (_pool(minutes=30),), ("events", "audit"), unhandled=True),
        Case("evidence: idle stops and 1309", (_pool(),), ("audit", "evidence"), unhandled=True, traffic="random"),
        Case("evidence beside a log", (_pool(minutes=30),), ("log", "audit", "evidence"), shape="nlog"),
        Case("event 1309 and a log", (_pool(minutes=15),), ("log", "events", "audit"), unhandled=True, language="de"),
    ]


def _others() -> list[Case]:
    """Not this fault, however much it looks like it: none of these may be confirmed."""
    lazy = PoolSettings(name="Contoso Shop", applications=(_QUIET_SHOP,))
    # The settings have the condition, and no request of IIS's own is sent.
    suspect = _pool("Contoso Shop", 20, _QUIET_SHOP)
    task21 = (Stream(every=1265, clients=("10.20.7.3",), pages=("export",), gone=1, codes=("0x80070032",)),)
    probe = (Stream(every=300, clients=("10.20.0.9",), agent=PROBE, pages=("health",), gone=0.5),)
    return [
        Case("on demand, clients go away, log", (lazy,), _LOG, traffic="leaving"),
        Case("on demand, clients go away, all", (lazy,), _ALL, traffic="leaving", shape="serilog"),
        Case("on demand, no errors", (lazy,), _ALL, traffic="office"),
        Case("idle 0, a task each 30 minutes", (_pool("Contoso Shop", 0, _QUIET_SHOP),), _ALL, traffic="task"),
        Case("on demand, a task each 30 minutes, log", (lazy,), _LOG, traffic="task"),
        Case("on demand, a task each 30 minutes, W3C", (lazy,), ("log", "w3c"), traffic="task", shape="clef"),
        Case("the condition, and a task each 30 minutes", (suspect,), _ALL, traffic="task"),
        Case("the condition, and a task each 21 minutes", (suspect,), _ALL, traffic=task21),
        Case("the condition, a task each 21 minutes, W3C", (suspect,), _SETTINGS, traffic=task21, zone="Europe/Berlin"),
        Case("an impatient probe, on demand", (lazy,), _ALL, traffic=probe, fields=(w3c.OLDER, w3c.SHORT)),
        Case("an impatient probe, the condition", (suspect,), _ALL, traffic=probe, shape="elmah"),
        Case("an impatient probe and recycles", (_pool(minutes=0),), _ALL, traffic=probe, days=5),
        Case("office, and clients that go away", (suspect,), _ALL, traffic=(*TRAFFIC["office"], *TRAFFIC["leaving"])),
    ]


CASES = (*_periods(), *_traffic(), *_several(), *_clocks(), *_recycles(), *_unlogged(), *_others())
