"""What is sent to servers on standard input: the inspection, and the script that asks a run to stop.

The inspection is the collection's reading functions, and a few lines that print what they read as JSON.
"""

import base64
from functools import lru_cache
from pathlib import Path

from remediate.collection import collection

# How far back the event logs are read at most; the module app_pool_info has the same bound.
MOST_DAYS = 90

# The script comes on standard input: on a command line it would meet cmd.exe's 8,191 characters, and some servers
# then print nothing and exit 0. Where a policy allows PowerShell less than all, no text becomes a script: that is said
# in a fixed form, and not by an error among other messages.
_BOOTSTRAP = (
    '$ProgressPreference = "SilentlyContinue"; $mode = "$($ExecutionContext.SessionState.LanguageMode)"; '
    'if ($mode -eq "FullLanguage") { & ([ScriptBlock]::Create((@($input) -join "`n"))) } '
    'else { \'{"format":"remediate.inspection","format_version":1,"language_mode":"\' + $mode + \'"}\' }'
)

COMMAND_LINE = (
    "powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand "
    + base64.b64encode(_BOOTSTRAP.encode("utf-16-le")).decode()
)


@lru_cache(maxsize=2)
def inspection_script(evidence_days: int = 0) -> bytes:
    """The script's text, ASCII, so that no code page on the way can change it.

    With ``evidence_days`` over 0 it also reads what the event logs tell of so many days.
    """
    return put_together(collection() / "plugins" / "module_utils", Path(__file__).with_name("scripts"), evidence_days)


def put_together(utilities: Path, scripts: Path, evidence_days: int) -> bytes:
    """The same of the files in these folders."""
    parts = [(utilities / name).read_bytes() for name in ("IisRead.psm1", "IisEvents.psm1")]
    return b"\n".join([*parts, b"$evidenceDays = %d" % evidence_days, (scripts / "inspect.ps1").read_bytes()])


def stop_script(run: str, utilities: Path | None = None, scripts: Path | None = None) -> bytes:
    """Asks that run to end before its next commit. ``run`` is a run's name: letters, digits and dashes."""
    utilities = utilities or collection() / "plugins" / "module_utils"
    scripts = scripts or Path(__file__).with_name("scripts")
    parts = [(utilities / name).read_bytes() for name in ("IisRead.psm1", "IisLock.psm1")]
    return b"\n".join([*parts, b"$stopped = '%s'" % run.encode("ascii"), (scripts / "stop.ps1").read_bytes()])
