"""From the logs that a user has to the values of `remediate.values.logs`.

    files = find_files(arguments)                # the logs, oldest first
    readings = read_given(files, read_log, ...)  # each: Source, Occurrences, WorkerEvents, in one pass
    log = read_requests(site_log(file))          # iterate; then log.source
    reading = in_utc(reading, zone_of)           # wall clocks become UTC, where a zone is known

Memory is bounded whatever the size of a file. What cannot be understood is counted, and no content is fatal.
"""

from remediate.logs.files import LogFile, find_files
from remediate.logs.given import OtherLog, Passed, notes, read_given
from remediate.logs.logs import (
    LogReading,
    RequestLog,
    read_blocks,
    read_events,
    read_log,
    read_requests,
    site_log,
)
from remediate.logs.tally import KEPT
from remediate.logs.zones import Zone, ZoneOf, in_utc, is_naive, parse_zone

__all__ = [
    "KEPT",
    "LogFile",
    "LogReading",
    "OtherLog",
    "Passed",
    "RequestLog",
    "Zone",
    "ZoneOf",
    "find_files",
    "in_utc",
    "is_naive",
    "notes",
    "parse_zone",
    "read_blocks",
    "read_events",
    "read_given",
    "read_log",
    "read_requests",
    "site_log",
]
