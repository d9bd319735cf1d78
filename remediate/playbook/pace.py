"""How long a server may go on by itself, when the run that wrote on it has ended: by the pace that its record tells."""

from collections.abc import Sequence
from typing import Any

from remediate.values.plans import Change

# Seconds that a module may take to start, and a commit with its other tries and the wait until it is seen.
_START, _COMMIT = 60, 60
# What the playbooks take where a record tells no pace.
_USUAL = {"pools_per_commit": 10, "pause": 5, "lock_seconds": 60}


def goes_on(changes: Sequence[Change], pace: Any) -> str:
    """In words. Where nothing is known of the changes, there is no bound."""
    if not changes:
        return "its server may go on writing"
    told = pace if isinstance(pace, dict) else {}
    size, pause, lock = (_whole(told.get(name), usual) for name, usual in _USUAL.items())
    commits = -(-len({(change.scope, change.pool) for change in changes}) // max(1, size))
    seconds = _START + lock + commits * _COMMIT + (commits - 1) * pause
    return f"its server may go on writing, for up to {seconds} s after the run has ended if nothing hangs there"


def _whole(value: Any, usual: int) -> int:
    return int(value) if str(value).isascii() and str(value).isdigit() and len(str(value)) < 10 else usual
