"""What a command costs, in a process of its own: its peak of memory, and how many calls it makes.

Calls are counted, not seconds: a machine may be busy with something else. Those of Python and those into C count.
"""

import json
import subprocess
import sys
from pathlib import Path

_PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
_CALLS = """
import json, os, sys
from remediate.cli.program import cli

calls = 0

def count(_frame, event, _argument):
    global calls
    calls += event in ("call", "c_call")

arguments, sys.stdout = sys.argv[1:], open(os.devnull, "w")
# Files of the program are loaded before it is counted.
cli.get_command(None, arguments[0])
sys.setprofile(count)
cli.main(arguments, standalone_mode=False)
sys.setprofile(None)
print(calls, file=sys.__stdout__)
"""


def peak(*arguments: str | Path) -> int:
    """The most memory, in KiB, that `remediate` with these arguments took."""
    command = [sys.executable, "-c", _PEAK, str(Path(sys.prefix) / "bin" / "remediate"), *map(str, arguments)]
    code, size = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).split()
    assert int(code) in (0, 2, 3), code
    return int(size)


def calls(*arguments: str | Path) -> int:
    """How many calls `remediate` with these arguments makes, of Python's and into C."""
    output = subprocess.check_output([sys.executable, "-c", _CALLS, *map(str, arguments)], text=True)
    number: int = json.loads(output.splitlines()[-1])
    return number
