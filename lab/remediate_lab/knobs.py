"""A simulated server's own settings and the faults that it plays: ``Windows/lab.txt``, lines of ``key=value``.

Read at each request and command, so that a test can change them while the lab runs. The stand-in for
Microsoft.Web.Administration reads the same file; windows/Lab.cs lists what concerns it. The others:

computer, domain, windows_version, iis_version (none: no IIS), powershell_version: who the server is; the last one
    only for the emulated engine, a real PowerShell tells its own.
iis_signs: by what IIS is known to be installed: service, key (in the registry), or both. management_tools=absent: IIS
    without its API; of the engine pwsh the file Microsoft.Web.Administration.dll must be gone too.
time_zone: Windows' name of the server's time zone, or an IANA name; UTC without it. time_zone_rules: the IANA name of
    the zone whose rules the server follows, where they are not those of that name (daylight saving time switched off).
language_mode: what the session's PowerShell may do: FullLanguage, ConstrainedLanguage.
event_log=LOG:FAULT, once for each log (System, Application): denied, missing, or disabled, which keeps its events;
    cleared:N, corrupt:N: a reading ends with an exception after N events; garbled:N: the event behind N others
    cannot be rendered.
acl=denied: no access list can be set; of the engine pwsh only. Of what Lab.cs lists the emulated engine plays
    fail_commit=denied, after_commit and deny_share alone: it has no conflict, no busy file and no late commit.
delay: seconds by which each command's answer is late. fault, answer, before, after: see faults.py.
"""

from dataclasses import dataclass
from pathlib import Path

FILE = "lab.txt"


@dataclass(frozen=True)
class Knobs:
    """All values of the file; a key may stand more than once."""

    values: tuple[tuple[str, str], ...] = ()

    def get(self, key: str, default: str = "") -> str:
        return next((value for name, value in self.values if name == key), default)

    def all(self, key: str) -> tuple[str, ...]:
        return tuple(value for name, value in self.values if name == key)

    def flag(self, key: str, default: bool) -> bool:
        return self.get(key, str(default)).lower() == "true"


def read_knobs(windows: Path) -> Knobs:
    """The server's settings; none where the file is not there."""
    try:
        lines = (windows / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return Knobs()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return Knobs(tuple((key.strip(), value.strip()) for key, _, value in pairs))


def write_knobs(windows: Path, **values: str | tuple[str, ...]) -> None:
    """Set these keys, keep the others; a tuple is a key that stands more than once. Readers see the old or the new."""
    kept = [(k, v) for k, v in read_knobs(windows).values if k not in values]
    given = [(k, v) for k, several in values.items() for v in ((several,) if isinstance(several, str) else several)]
    building = windows / f"{FILE}.new"
    building.write_text("".join(f"{key}={value}\n" for key, value in [*kept, *given]), encoding="utf-8")
    building.replace(windows / FILE)
