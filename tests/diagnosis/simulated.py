"""A simulated case: a server, what is given of it (logs, IIS logs, events, an audit), and what is true.

The truth is counted from the simulation's history, which knows why each error came. What a diagnosis may say to it
follows from what it was given: two sources that agree are needed to be sure.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from remediate.iis.attributes import time_text
from remediate.values.diagnoses import SymptomName, Verdict
from remediate.values.logs import EventLog, Evidence, LoggedException, RecycleCause
from remediate_lab.clock.history import Error, History
from remediate_lab.clock.life import FAULT
from remediate_lab.clock.simulation import simulate
from remediate_lab.clock.traffic import TRAFFIC, Stream
from remediate_lab.clock.world import App, Incident, PoolSettings, Span
from remediate_lab.logs import events, exported, w3c
from remediate_lab.logs.entries import Layout, entries
from remediate_lab.logs.files import Form, application_log, encoded, write

# evidence: what `audit --evidence` collects, in the audit.
Source = Literal["log", "w3c", "events", "audit", "evidence"]
Kind = Literal["periodic", "recycle-only", "none"]
HOST, COMPUTER = "web01", "WEB01.lab.example"
# How Windows calls the zones of the cases, by its documentation ("Default time zones").
WINDOWS_ZONES = {
    "UTC": "UTC", "Europe/Berlin": "W. Europe Standard Time", "Asia/Kolkata": "India Standard Time",
    "America/Chicago": "Central Standard Time",
}  # fmt: skip
# Within which an error follows the event that tells its start: the worker starts, and the request comes.
_FOLLOWS = timedelta(seconds=60)
# The shapes whose entries tell the client's address.
_WITH_CLIENT = ("clef", "elmah")
# A pool beside the others, so that there is an IIS log where the others' clients are silent.
NEIGHBOUR = PoolSettings(name="Intranet", applications=(App("Default Web Site/intranet"),))


@dataclass(frozen=True)
class Given:
    """The files of a case."""

    logs: tuple[Path, ...] = ()
    iis_logs: tuple[Path, ...] = ()
    events: tuple[Path, ...] = ()
    audit: Path | None = None


@dataclass(frozen=True)
class Truth:
    """The errors of one code of one application.

    ``application`` (and ``domain``, the same as ASP.NET spells it, without its number) is None where the log does not
    name applications, ``pool`` where it is more than one.

    ``ours``: whether it is the fault, and which. ``period``: the seconds between errors that nothing else came between,
    None where there are too few. ``idle``, ``recycle`` (any other start), ``client``: how many errors were due to each.
    ``explained_idle``, ``explained_recycle``: of how many the given events explain the start. ``accepted``: what may be
    said of it.
    """

    application: str | None
    domain: str | None
    pool: str | None
    code: str
    count: int
    ours: Kind
    idle_timeouts: tuple[int, ...]
    period: float | None
    idle: int
    recycle: int
    client: int
    recycle_causes: Mapping[RecycleCause, int]
    explained_idle: int
    explained_recycle: int
    accepted: frozenset[Verdict]
    # symptom -> whether what is given allows to check it
    checkable: Mapping[SymptomName, bool]


@dataclass(frozen=True)
class Case:
    """One server and a look at it. ``named``: the log says of which application each error is."""

    name: str
    pools: tuple[PoolSettings, ...]
    give: tuple[Source, ...] = ("log",)
    traffic: str | tuple[Stream, ...] = "none"
    incidents: tuple[Incident, ...] = ()
    days: float = 3
    begin: datetime = datetime(2026, 11, 9, 4, 0, tzinfo=UTC)
    zone: str = "UTC"
    shape: str = "log4net"
    language: str = "en"
    form: Form = field(default_factory=Form)
    named: bool = True
    events_as: Literal["xml", "json5", "json7"] = "xml"
    unhandled: bool = False
    fields: tuple[str, ...] = (w3c.DEFAULT,)
    lateness: int = 15_000

    @property
    def span(self) -> Span:
        return Span(self.begin, self.begin + timedelta(days=self.days))

    @property
    def zone_info(self) -> Any:
        return UTC if self.zone == "UTC" else ZoneInfo(self.zone)

    @cached_property
    def history(self) -> History:
        streams = TRAFFIC[self.traffic] if isinstance(self.traffic, str) else self.traffic
        traffic: dict[str, Sequence[Stream]] = {pool.name: streams for pool in self.pools}
        traffic[NEIGHBOUR.name] = TRAFFIC["random"]
        return simulate(
            HOST, (*self.pools, NEIGHBOUR), self.span, seed=self.name, traffic=traffic, incidents=self.incidents,
            zone=self.zone_info, lateness=self.lateness,
        ).history  # fmt: skip

    @cached_property
    def truths(self) -> tuple[Truth, ...]:
        """By application and code, sorted; of all applications as one where the log does not name them."""
        groups: dict[tuple[str | None, str], list[Error]] = {}
        for error in self.history.errors:
            application = error.application if self.named or "log" not in self.give else None
            groups.setdefault((application, error.code), []).append(error)
        return tuple(self._truth(name, code, errors) for (name, code), errors in sorted(groups.items(), key=str))

    def _truth(self, application: str | None, code: str, errors: list[Error]) -> Truth:
        causes = Counter(error.cause for error in errors)
        ours: Kind = "periodic" if causes["idle"] > 2 else "recycle-only" if causes["client"] < len(errors) else "none"
        explained = {error: self._is_explained(error) for error in errors}
        idle = [error for error in errors if error.cause == "idle"]
        others = [error for error in errors if error.cause not in ("idle", "client")]
        pools = {error.pool for error in errors}
        timeouts = {pool.idle_timeout for pool in self.pools if pool.name in pools}
        explained_idle, explained_recycle = (sum(explained[error] for error in some) for some in (idle, others))
        checkable: dict[SymptomName, bool] = {
            "after-recycle": explained_idle + explained_recycle > 0, "periodic": ours == "periodic" and len(idle) > 5,
            "local-request": self.unhandled or ("log" in self.give and self.named and self.shape in _WITH_CLIENT),
            "not-in-iis-log": "w3c" in self.give,
        }  # fmt: skip
        return Truth(
            application=application, domain=_domain(errors[0]) if application else None,
            pool=next(iter(pools)) if len(pools) == 1 else None, code=code, count=len(errors), ours=ours,
            idle_timeouts=tuple(sorted(timeouts)), period=_period(idle, max(timeouts)), idle=len(idle),
            recycle=len(others), client=causes["client"],
            recycle_causes=dict(Counter(e.recycle for e in others if e.recycle is not None)),
            explained_idle=explained_idle, explained_recycle=explained_recycle,
            accepted=self._accepted(
                ours, code, explained_idle + explained_recycle, len(idle) + len(others), causes["failure"],
                seen=any(checkable.values()),
            ),
            checkable=checkable,
        )  # fmt: skip

    def _is_explained(self, error: Error) -> bool:
        """Whether an event that is given stands shortly before it, of its pool or of the whole server."""
        return {"events", "evidence"} & set(self.give) != set() and any(
            event.pool in (None, error.pool) and timedelta() <= error.time - event.time <= _FOLLOWS
            for event in self.history.logged
        )

    def _accepted(
        self, ours: Kind, code: str, explained: int, faults: int, failed: int, seen: bool
    ) -> frozenset[Verdict]:
        """``seen``: one symptom at least can be seen in what is given. Where none can, nobody could know more."""
        if code != FAULT:
            return frozenset({"other-cause"})
        if ours == "none":
            # With the IIS log a client's request is seen at each of them. Without it nothing shows that.
            return frozenset({"unsupported", "other-cause"} if "w3c" in self.give else {"unsupported", "undetermined"})
        if failed * 5 > faults and "w3c" not in self.give:
            # A failure of the worker disturbs its clients too: by events alone nobody can separate these (ADR 0029).
            return frozenset({"consistent"})
        if explained * 2 > faults:
            return frozenset({"confirmed"})
        if {"w3c", "audit"} <= set(self.give) or explained:
            return frozenset({"confirmed", "consistent"})
        return frozenset({"consistent" if seen else "undetermined"})

    def write(self, folder: Path) -> Given:
        """Write what is given below the folder; its paths in the order of time."""
        files = {source: getattr(self, f"_{source}")() for source in self.give if source != "evidence"}
        for some in files.values():
            write(folder, some)
        paths = {source: tuple(folder / name for name in some) for source, some in files.items()}
        # ELMAH's is a folder, to be given as one.
        logs = {path.parent for path in paths.get("log", ())} if self.shape == "elmah" else paths.get("log", ())
        return Given(
            tuple(logs), paths.get("w3c", ()), paths.get("events", ()), next(iter(paths.get("audit", ())), None)
        )

    def _log(self) -> dict[str, bytes]:
        apps = tuple(app for pool in self.pools if pool.managed for app in pool.applications)
        records = entries(self.history, "WEB01", apps, self.span, self.name)
        layout = Layout(self.zone_info, self.language, self.named)
        return application_log(self.shape, "logs/app.log", records, layout, self.form)

    def _w3c(self) -> dict[str, bytes]:
        made = w3c.days(self.history.requests, self.fields)
        return {f"iis/{name}": encoded("".join(lines), Form()) for name, lines in made.items()}

    def _events(self) -> dict[str, bytes]:
        if self.events_as != "xml":
            text = exported.render(self.history.logged, COMPUTER, int(self.events_as[-1]), self.zone_info)
            return {"events/System.json": encoded(text, Form("utf-8-bom"))}
        idle = {pool.name: pool.idle_timeout for pool in self.pools}
        files = {"events/System.xml": events.log(events.system(self.history.logged, COMPUTER, idle))}
        if self.unhandled:
            unhandled = events.unhandled(self.history.errors, COMPUTER, self.zone_info, self.language)
            files["events/Application.xml"] = events.log(unhandled)
        return {name: encoded(text, Form()) for name, text in files.items()}

    def _audit(self) -> dict[str, bytes]:
        """The settings, and the evidence, as an audit saves them."""
        pools = [_audited(pool) for pool in (*self.pools, NEIGHBOUR)]
        time = self.span.end.strftime("%Y-%m-%dT%H:%M:%SZ")
        host: dict[str, Any] = {
            "status": "inspected", "host": HOST, "machine": COMPUTER, "iis_version": "10.0", "clock": time,
            "time_zone": self._reported_zone(), "windows_version": "10.0.17763",
            "appinit_module": all(pool.appinit for pool in self.pools), "pools": pools,
        }  # fmt: skip
        if "evidence" in self.give:
            host["evidence"] = msgspec.to_builtins(self._collected())
        summary = {"hosts": 1, "inspected": 1, "pools": len(pools)}
        summary |= dict.fromkeys(("unreachable", "failed", "skipped", "findings", "notes"), 0)
        audit = {
            "format": "remediate.audit", "format_version": 1, "started_at": time, "finished_at": time, "hosts": [host],
            "findings": [], "summary": summary,
        }  # fmt: skip
        return {"audit.json": json.dumps(audit, indent=2).encode()}

    def _reported_zone(self) -> dict[str, Any]:
        moments = [(self.span.end - timedelta(days=30 * n)).astimezone(self.zone_info) for n in range(13)]
        offsets = [offset // timedelta(minutes=1) for moment in moments if (offset := moment.utcoffset()) is not None]
        return {"id": WINDOWS_ZONES[self.zone], "offsets": offsets}

    def _collected(self) -> Evidence:
        """What the server's event logs tell; 1309 at most once a minute, where the application caught nothing."""
        errors = self.history.errors if self.unhandled else ()
        kept = [error for before, error in zip((None, *errors), errors, strict=False) if _apart(before, error)]
        logs = {name: EventLog(oldest=self.span.begin) for name in ("System", "Application")}
        return Evidence(
            since=self.span.begin, until=self.span.end, logs=logs, events=self.history.logged,
            errors=tuple(
                LoggedException(
                    code=error.code, time=error.time, raised=True, flushed=error.code != "0x800703E3",
                    entity_read=error.code == "0x800703E3", host=HOST, application=_domain(error), pool=error.pool,
                    local=error.client == "127.0.0.1", preload="Preload" in error.agent, source="Application",
                )
                for error in kept
            ),
        )  # fmt: skip


def _apart(before: Error | None, error: Error) -> bool:
    return before is None or error.time - before.time >= timedelta(minutes=1)


def _domain(error: Error) -> str:
    return f"/LM/W3SVC/{error.site}/ROOT/{error.application.partition('/')[2]}".rstrip("/")


def _audited(pool: PoolSettings) -> dict[str, Any]:
    values = {
        "startMode": "AlwaysRunning" if pool.always_running else "OnDemand",
        "autoStart": "true",
        "managedRuntimeVersion": "v4.0" if pool.managed else "",
        "managedPipelineMode": "Integrated",
        "processModel.idleTimeout": time_text(pool.idle_timeout),
        "processModel.idleTimeoutAction": "Suspend" if pool.suspends else "Terminate",
        "processModel.logEventOnProcessModel": "IdleTimeout" if pool.logs_idle_stops else "",
        "processModel.identityType": "ApplicationPoolIdentity",
        "recycling.disallowRotationOnConfigChange": "false" if pool.rotates_on_change else "true",
        "recycling.disallowOverlappingRotation": "false" if pool.overlaps else "true",
        "recycling.logEventOnRecycle": ", ".join(pool.logged),
        "recycling.periodicRestart.time": time_text(pool.restart_after),
    }
    return {
        "name": pool.name,
        "state": "Started" if pool.runs else "Stopped",
        "attributes": {name: {"value": value, "source": "pool"} for name, value in values.items()},
        "applications": [
            {
                "path": app.path,
                "site": app.site,
                "preloadEnabled": {"value": str(app.preload).lower(), "source": "pool"},
            }
            for app in pool.applications
        ],
    }


def _period(idle: list[Error], timeout: int) -> float | None:
    """The middle one of the gaps between an application's errors that are one time-out apart."""
    by_application: dict[str, list[datetime]] = {}
    for error in idle:
        by_application.setdefault(error.application, []).append(error.time)
    if len(by_application) != 1 or timeout == 0:
        return None
    (times,) = by_application.values()
    gaps = [(later - time).total_seconds() for time, later in pairwise(times)]
    near = [gap for gap in gaps if timeout <= gap <= timeout + 120]
    return median(near) if len(near) > 2 else None
