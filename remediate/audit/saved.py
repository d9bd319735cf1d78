"""A saved audit to plan from. It must be recent, since the plan expects the settings that the servers had then."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from remediate.errors import RemediateError
from remediate.saved import load
from remediate.values.findings import Audit

# The clocks of two machines may differ by this much.
_AHEAD = timedelta(hours=1)


def load_recent(path: Path, max_age: float) -> Audit:
    """The audit in that file; RemediateError where it ended more than ``max_age`` seconds ago, or its time is wrong."""
    audit = load(path, Audit)
    try:
        finished = datetime.fromisoformat(audit.finished_at)
    except ValueError as error:
        raise RemediateError(f"{path}: finished_at is not a time; make the audit again") from error
    if finished.tzinfo is None:
        raise RemediateError(f"{path}: finished_at has no time zone; make the audit again")
    age = datetime.now(UTC) - finished
    if age < -_AHEAD:
        raise RemediateError(f"{path}: is from the future ({audit.finished_at}); check the clocks of both machines")
    if age.total_seconds() > max_age:
        hours = math.ceil(age.total_seconds() / 3600)
        raise RemediateError(f"{path}: is from {audit.finished_at}; audit again, or give --max-age {hours}h")
    return audit
