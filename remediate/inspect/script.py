"""The inspection script: the collection's reading functions, and a few lines that print them as JSON."""

import base64
from functools import cache
from pathlib import Path

from remediate.playbook.shipped import collection

# The script comes on standard input: on a command line it would meet cmd.exe's 8,191 characters, and some servers
# then print nothing and exit 0.
_BOOTSTRAP = '& ([ScriptBlock]::Create((@($input) -join "`n")))'

COMMAND_LINE = (
    "powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand "
    + base64.b64encode(_BOOTSTRAP.encode("utf-16-le")).decode()
)


@cache
def inspection_script() -> bytes:
    """The script's text, ASCII, so that no code page on the way can change it."""
    read = collection() / "plugins" / "module_utils" / "IisRead.psm1"
    end = Path(__file__).with_name("scripts") / "inspect.ps1"
    return read.read_bytes() + b"\n" + end.read_bytes()
