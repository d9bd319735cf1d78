"""A real server: our own hands on it, and the commands as a user gives them. All that was said is kept.

What the hands make on the server has a name with this run's id; what has another name they never change. Two runs do
not touch each other's pools.
"""

import json
import secrets
import sys
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import msgspec

from remediate.collection import collection
from remediate.fleet.inventory import WinrmHost
from remediate.fleet.winrm import Printed, run_script
from remediate.values.fleet import Inspection, Pool
from remediate.values.plans import Plan
from remediate.values.runs import Run
from tests.conftest import remediate, run

FAMILY = "remediate-live-"
_HANDS = Path(__file__).with_name("hands.ps1")
_HARNESS = Path(__file__).parents[1] / "windows" / "Server.ps1"
# Seconds for what the hands do: the file may be written late, and others may hold it.
_PATIENCE = 300.0

_ALWAYS = {"autoStart": "false", "startMode": "AlwaysRunning"}
# What stands at each pool in the file; no pool has a worker. The last has what IIS allows and other programs trip over.
POOLS: dict[str, dict[str, str]] = {
    "periodic": _ALWAYS,
    "idle": _ALWAYS | {"processModel.idleTimeout": "00:15:00"},
    "plain": {"autoStart": "false"},
    "canary": _ALWAYS | {"processModel.identityType": "SpecificUser"},
    "Ün'i {{ x }} $(calc) %PATH%": _ALWAYS,
}


class Look(msgspec.Struct, frozen=True):
    """What the hands see: the file's SHA-256, the pools of all live tests, backup -> SHA-256 of the file in it, and
    the SHA-256 of the canary's password where the API gives it."""

    file: str
    family: tuple[str, ...]
    backups: dict[str, str]
    password: str | None


@dataclass
class Server:
    """``folder`` is ours, and holds what the commands write."""

    host: WinrmHost
    inventory: str
    folder: Path
    id: str = field(default_factory=lambda: secrets.token_hex(3))
    canary: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}", repr=False)
    said: list[CompletedProcess[str]] = field(default_factory=list, repr=False)

    def name(self, key: str) -> str:
        """The name on the server of one of POOLS."""
        return f"{FAMILY}{self.id}-{key}"

    def is_ours(self, name: str) -> bool:
        return name.startswith(self.name(""))

    # The hands.

    def look(self) -> Look:
        return self._hands("look")

    def add_pools(self) -> Look:
        pools = {self.name(key): dict(values) for key, values in POOLS.items()}
        secret = {"processModel.userName": "remediate-live-nobody", "processModel.password": self.canary}
        pools[self.name("canary")] |= secret
        return self._hands("add", pools=[{"name": name, "attributes": values} for name, values in pools.items()])

    def set(self, key: str, attribute: str, value: str) -> Look:
        """Behind the back of everybody."""
        return self._hands("set", pool=self.name(key), attributes={attribute: value})

    def remove_pools(self, ids: Sequence[str]) -> None:
        """Those of these earlier runs."""
        self._hands("remove", ids=ids)

    def forget_backups(self) -> Look:
        """Take away those that runs of ours made: else they would push out those of others."""
        return self._hands("forget", backups=self._backups())

    def leave(self) -> Look:
        """Take away all that is ours; what is away already is no trouble."""
        return self._hands("remove", backups=self._backups())

    def _backups(self) -> list[str]:
        return sorted(f"remediate-{_begin(record)['run']}" for record in self.folder.rglob("record.jsonl"))

    def _hands(self, do: str, **more: Any) -> Look:
        request = {
            "do": do, "ids": [self.id], "pools": [], "pool": "", "attributes": {}, "backups": [],
            "password_of": self.name("canary"),
        }  # fmt: skip
        text = json.dumps(request | more).replace("'", "''")
        utilities = collection() / "plugins" / "module_utils"
        parts = [(utilities / name).read_bytes() for name in ("IisRead.psm1", "IisValue.psm1", "IisCommit.psm1")]
        parts += [_HARNESS.read_bytes(), f"$request = ConvertFrom-Json '{text}'".encode("ascii"), _HANDS.read_bytes()]
        with warnings.catch_warnings():
            # A proxy or a CA bundle of the operator's environment is as good here as for the commands.
            warnings.filterwarnings("ignore", "'pywinrm' will use an environment", DeprecationWarning)
            printed = run_script(self.host, b"\n".join(parts), _PATIENCE)
        assert isinstance(printed, Printed), f"{do}: {printed}"
        assert printed.stdout.strip(), f"{do}: exit code {printed.code}, and it printed nothing: {printed.stderr!r}"
        answer = json.loads(printed.stdout)
        assert "error" not in answer, f"{do}: {answer['error']}"
        return msgspec.convert(answer, Look)

    # The commands.

    def remediate(self, *arguments: str | Path, expect: int) -> str:
        """Its standard output."""
        return self._keep(remediate(*arguments), (expect,))

    def play(self, *arguments: str | Path, run_dir: Path | None = None) -> str:
        """Plain ansible-playbook, for this host alone; its own checks run on localhost."""
        program = Path(sys.executable).with_name("ansible-playbook")
        limit = ("-i", self.inventory, "-l", f"{self.host.host},localhost")
        # Set, a dry run has a record too; empty, it has none.
        done = run(program, *limit, *arguments, REMEDIATE_RUN_DIR="" if run_dir is None else str(run_dir))
        return self._keep(done, (0,))

    def inspect(self, save: str = "audit.json") -> Inspection:
        """What `remediate audit` saves of the host. Findings, of ours or of others, are no trouble here."""
        path = self.folder / save
        self._keep(remediate("audit", *self._here(), "--save", path), (0, 2))
        (host,) = json.loads(path.read_bytes())["hosts"]
        return msgspec.convert(host, Inspection)

    def ours(self, inspection: Inspection) -> dict[str, Pool]:
        return {pool.name: pool for pool in inspection.pools if self.is_ours(pool.name)}

    def plan(self, saved: str, names: Collection[str], out: str) -> Path:
        """A plan for these pools of ours and no other: of a saved audit, from which every other pool is cut."""
        audit = json.loads((self.folder / saved).read_bytes())
        for host in audit["hosts"]:
            host["pools"] = [pool for pool in host["pools"] if pool["name"] in names]
        cut, folder = self.folder / "cut.json", self.folder / out
        cut.write_text(json.dumps(audit), encoding="utf-8")
        # They are stopped, and serve nothing: without the option all would be left undecided.
        options = ("--fix", "idle-timeout", "--allow-dormant", "--out", folder)
        self.remediate("plan", "--from", cut, *options, expect=2)
        return folder

    def apply(self, folder: Path, *options: str, expect: int) -> str:
        """Apply the plan, if it is about our pools alone."""
        plan = msgspec.json.decode((folder / "plan.json").read_bytes(), type=Plan)
        assert plan.changes
        for change in plan.changes:
            assert (change.host, change.also, change.scope) == (self.host.host, (), "pool"), change
            assert self.is_ours(change.pool), change
        return self.remediate("apply", folder, *self._here(), *options, expect=expect)

    def shown(self, path: Path) -> Run:
        """A run, as `remediate show` tells it."""
        return msgspec.json.decode(self.remediate("show", path, "--format", "json", expect=0), type=Run)

    def _here(self) -> tuple[str, ...]:
        return ("-i", self.inventory, "-l", self.host.host)

    def _keep(self, done: CompletedProcess[str], expect: Sequence[int]) -> str:
        self.said.append(done)
        assert done.returncode in expect, f"{done.args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def _begin(record: Path) -> Any:
    """A record's first line."""
    with record.open(encoding="utf-8") as lines:
        return json.loads(lines.readline())
