"""Logs, exported events, IIS's logs and an audit's inspections -> a diagnosis.

Read, put all times into UTC, put together what is known of each server, group the errors into cases, watch IIS's logs
for them, conclude. Each step is one function; a log is read once, whatever its size.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, lru_cache

from msgspec import Struct
from msgspec.structs import replace

from remediate.diagnose.iis_log import Line, LineWatch, watch
from remediate.diagnose.merging import HostEvidence, each_error_once, hosts_of, of_evidence
from remediate.diagnose.reasons import GIVE_ZONE
from remediate.diagnose.server_index import ServerIndex, server_index
from remediate.diagnose.streams import streams_of
from remediate.errors import RemediateError
from remediate.logs import (
    LogFile,
    LogReading,
    Passed,
    Zone,
    ZoneOf,
    find_files,
    in_utc,
    is_naive,
    notes,
    parse_zone,
    read_events,
    read_given,
    read_log,
    read_requests,
    site_log,
)
from remediate.values.diagnoses import Diagnosis
from remediate.values.fleet import Inspection
from remediate.values.logs import LoggedException, Source


class Inputs(Struct, frozen=True, kw_only=True):
    """What a diagnosis is made from. ``logs``, ``iis_logs`` and ``events`` are paths, folders or patterns; ``-`` is
    standard input.

    ``time_zone`` is the zone of times that have none, ``since`` the time before which errors are left out, ``host`` the
    server of logs that name none. None where not given.
    """

    logs: Sequence[str] = ()
    iis_logs: Sequence[str] = ()
    events: Sequence[str] = ()
    inspections: Sequence[Inspection] = ()
    time_zone: str | None = None
    since: datetime | None = None
    host: str | None = None


class _Read(Struct, frozen=True, kw_only=True):
    """``readings`` are the logs, ``exports`` the exported events, ``w3c`` the web sites' logs, which are read later."""

    readings: Sequence[LogReading]
    exports: Sequence[LogReading]
    w3c: Sequence[LogFile]

    @property
    def all(self) -> tuple[LogReading, ...]:
        return (*self.readings, *self.exports)


def make_diagnosis(inputs: Inputs, created_at: str, note: Callable[[str], None]) -> Diagnosis:
    """Read and judge; ``note`` is called with a line for each file that is passed over and each zone that is not used.

    RemediateError where a file that was named cannot be read, or a time zone is needed and not known.
    """
    evidence = [of_evidence(one.host, one.evidence) for one in inputs.inspections if one.evidence is not None]
    read = _read(inputs, note)
    known = server_index(inputs.inspections, inputs.host, hosts_of([*read.all, *evidence]))
    read = _in_utc(read, _zones(known, inputs.time_zone, note))
    errors = _errors(read, evidence, inputs.since)
    events = [event for reading in read.all for event in reading.events]
    events += [event for part in evidence for event in part.events]
    passed: list[Source] = []

    def pass_iis_logs(watches: Sequence[LineWatch]) -> None:
        passed.extend(_watched(read.w3c, watches, known))

    streams = streams_of(errors, events, [part.asked for part in evidence], known, pass_iis_logs if read.w3c else None)
    sources = (*(reading.source for reading in read.all), *passed)
    return Diagnosis(created_at=created_at, sources=sources, streams=streams)


def _read(inputs: Inputs, note: Callable[[str], None]) -> _Read:
    passed: list[Passed] = []
    read = read_given(find_files(inputs.logs), lambda file: (file, read_log(file)), passed)
    w3c = read_given(find_files(inputs.iis_logs), site_log, passed)
    exports = read_given(find_files(inputs.events), read_events, passed)
    for line in notes(passed):
        note(line)
    for given, found, problem in (
        (inputs.logs, read, "no log that can be read is among the LOGs; name the files"),
        (inputs.events, exports, "no export of Windows events is among what --events names; name the files"),
        (inputs.iis_logs, w3c, "no W3C log of a web site is among what --iis-log names; give the folders W3SVCn"),
    ):
        if given and not found:
            raise RemediateError(problem)
    # An IIS log among the logs is what it is.
    for file, reading in read:
        if reading.source.kind == "w3c" and file.once:
            raise RemediateError(f"{file.name}: is an IIS log; give it with --iis-log, since a pipe is read only once")
    w3c += [file for file, reading in read if reading.source.kind == "w3c"]
    return _Read(readings=[reading for _, reading in read if reading.source.kind != "w3c"], exports=exports, w3c=w3c)


def _in_utc(read: _Read, zone_of: ZoneOf) -> _Read:
    """The same with times in UTC, where their zone is known. Events without one cannot be compared with anything."""
    readings, exports = ([in_utc(reading, zone_of) for reading in some] for some in (read.readings, read.exports))
    for reading in (*readings, *exports):
        if any(is_naive(event.time) for event in reading.events):
            raise RemediateError(f"{reading.source.file}: its events' times have no zone: {GIVE_ZONE}")
    return replace(read, readings=readings, exports=exports)


def _zones(known: ServerIndex, given: str | None, note: Callable[[str], None]) -> ZoneOf:
    """The zone of a server's wall clock: the one that was given, or else the one that the audit has of that server."""
    if given is not None:
        option = Zone(given, parse_zone(given), "option")
        return lambda _name: option

    @cache
    def of_audit(name: str | None) -> Zone | None:
        server = known.server(name)
        if server is None or server.zone is None:
            if server is not None and server.zone_warning is not None:
                note(f"remediate: warning: {server.name}: {server.zone_warning}")
            return None
        return Zone(server.zone.key, server.zone, "audit")

    return of_audit


def _errors(read: _Read, evidence: Sequence[HostEvidence], since: datetime | None) -> tuple[LoggedException, ...]:
    """Each error once, whether a log, an export or an audit has it; none from before ``since``."""
    collected = [one for reading in read.exports for one in reading.occurrences]
    collected += [one for part in evidence for one in part.occurrences]
    errors = each_error_once([one for reading in read.readings for one in reading.occurrences], collected)
    return errors if since is None else tuple(one for one in errors if _is_since(one, since))


def _is_since(error: LoggedException, since: datetime) -> bool:
    """An error without a time may be of any: it is kept."""
    if error.time is None:
        return True
    if error.time.tzinfo is None:
        raise RemediateError(f"{error.source}: its time zone is not known, and --since needs it: {GIVE_ZONE}")
    return error.time >= since


def _watched(w3c: Sequence[LogFile], watches: Sequence[LineWatch], known: ServerIndex) -> list[Source]:
    """Goes through IIS's logs once, for all watches."""
    # IIS keeps each site's log in a folder of the site's name, W3SVC2, and by default names it nowhere else.
    # Long logs have few hosts and few paths.
    host, serving, logging = lru_cache(64)(known.host), lru_cache(4096)(known.serving), lru_cache(64)(known.logging)
    sources: list[Source] = []
    for file in w3c:
        log = read_requests(file)
        folder = file.paths[0].absolute().parent.name if file.paths else None
        lines = (
            Line(one, name := host(one.host), serving(name, site := one.site or folder, one.path), logging(name, site))
            for one in log
        )
        watch(lines, watches)
        assert log.source is not None
        for one in watches:
            one.end_file(whole=log.source.damage is None)
        sources.append(log.source)
    return sources
