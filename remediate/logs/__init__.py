"""From the logs that a user has to the values of `remediate.values.logs`.

    files = find_files(arguments)                # the logs, oldest first
    readings = read_given(files, read_log, ...)  # each: Source, Occurrences, WorkerEvents, in one pass
    log = read_requests(site_log(file))          # iterate; then log.source
    guess = guess_zone(occurrences, events=..., requests=...)
    occurrences = in_zone(occurrences, zone)     # wall clocks become UTC

Memory is bounded whatever the size of a file. What cannot be understood is counted, and no content is fatal.
"""

from remediate.logs.files import LogFile, find_files
from remediate.logs.given import OtherLog, Passed, notes, read_given
from remediate.logs.guess import OFFSETS, ZoneGuess, guess_zone
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
from remediate.logs.zones import events_in_zone, in_zone, parse_zone

__all__ = [
    "KEPT",
    "OFFSETS",
    "LogFile",
    "LogReading",
    "OtherLog",
    "Passed",
    "RequestLog",
    "ZoneGuess",
    "events_in_zone",
    "find_files",
    "guess_zone",
    "in_zone",
    "notes",
    "parse_zone",
    "read_blocks",
    "read_events",
    "read_given",
    "read_log",
    "read_requests",
    "site_log",
]
