"""remediate demo: the whole way on a simulated fleet, with the commands that a person would type."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from remediate.cli.exits import Exit
from remediate.errors import RemediateError
from remediate_lab import control
from remediate_lab.commands.options import engine_option
from remediate_lab.variety import server

_BIN = Path(sys.executable).parent
# Of what a command prints so much is shown, from its beginning and from its end.
_SHOWN = 12


@click.command()
@click.option("--servers", type=click.IntRange(1, 1000), default=40, show_default=True, help="Number of servers.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the fleet.")
@engine_option
@click.option("--port", type=click.IntRange(1, 65535), default=5985, show_default=True, help="Port to listen on.")
@click.option("--full", is_flag=True, help="Show the whole output of each command.")
def demo(servers: int, seed: int, engine: str, port: int, full: bool) -> Exit:
    """Run every step on a simulated fleet, and check it: audit, plan, dry run, apply, audit, rollback."""
    with tempfile.TemporaryDirectory(prefix="remediate-demo-") as folder:
        state = Path(folder) / "lab"
        click.echo(f"# {servers} simulated servers, engine {engine}, NTLM with message encryption")
        options = control.Options(engine="pwsh" if engine == "pwsh" else "emulated", port=port)
        inventory = control.up(state, [server(seed, number) for number in range(1, servers + 1)], options)
        try:
            _scenario(_Stage(Path(folder), state, full), str(inventory))
        finally:
            control.down(state)
    click.echo("\n# done: every step did what it should, and nothing is left running")
    return Exit.OK


class _Stage:
    """Runs commands as a person would, shows them, and looks at the servers' files."""

    def __init__(self, folder: Path, state: Path, full: bool) -> None:
        self.folder, self.state, self.full = folder, state, full

    def run(self, expected: int, *command: str) -> str:
        """What the command printed; RemediateError where its exit code is another one."""
        shown = self._short(shlex.join(command))
        click.echo(f"\n$ {shown}")
        done = subprocess.run(
            [str(_BIN / command[0]), *command[1:]],
            capture_output=True, text=True, check=False,
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
        lines = self._short(done.stdout).rstrip().splitlines()
        left_out = 0 if self.full else len(lines) - 2 * _SHOWN
        if left_out > 1:
            lines[_SHOWN:-_SHOWN] = [f"# ... {left_out} lines more ..."]
        click.echo("\n".join(lines))
        if done.returncode != expected:
            click.echo(self._short(done.stderr), err=True)
            raise RemediateError(f"the demo: {shown}: exit code {done.returncode}, {expected} was expected")
        click.echo(f"# exit code {done.returncode}")
        return done.stdout

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            raise RemediateError(f"the demo: this does not hold: {what}")
        click.echo(f"# checked: {what}")

    def files(self) -> dict[Path, bytes]:
        """Every configuration of the fleet, shared ones once."""
        return {path: path.read_bytes() for path in sorted(self.state.rglob("config/applicationHost.config"))} | {
            path: path.read_bytes() for path in sorted(self.state.glob("shared/*/applicationHost.config"))
        }

    def _short(self, text: str) -> str:
        return text.replace(f"{self.folder}/", "")


def _scenario(stage: _Stage, inv: str) -> None:
    before = stage.files()
    plan, undo = str(stage.folder / "plan"), str(stage.folder / "undo")
    stage.run(2, "remediate", "audit", "-i", inv)
    # The demo wants all of it gone: also at pools that cannot have the error as they are, and behind one shared edit.
    choice = ("--fix", "idle-timeout", "--allow-shared", "--allow-dormant")
    stage.run(2, "remediate", "plan", "-i", inv, *choice, "--out", plan)
    changes: list[dict[str, Any]] = json.loads(Path(plan, "plan.json").read_text(encoding="utf-8"))["changes"]
    dry = stage.run(0, "ansible-playbook", "-i", inv, f"{plan}/playbook.yml", "--check", "--diff")
    told = sum(line.startswith("  processModel.idleTimeout: ") for line in dry.splitlines())
    stage.check(told == len(changes), f"the dry run shows the {len(changes)} changes of the plan")
    stage.check(stage.files() == before, "the servers' files are as they were, byte for byte")
    applied = stage.run(0, "remediate", "apply", plan, "-i", inv, "--yes")
    stage.check(applied.count("written and verified") == len(changes), "all of them are written and verified")
    changed = [path for path, data in stage.files().items() if data != before[path]]
    hosts = {change["host"] for change in changes}
    stage.check(len(changed) == len(hosts), f"{len(changed)} files changed, one for each of the plan's hosts")
    stage.run(0, "remediate", "audit", "-i", inv)
    (run,) = Path(plan, "runs").iterdir()
    stage.run(0, "remediate", "rollback", str(run), "--out", undo)
    stage.run(2, "remediate", "apply", undo, "-i", inv, "--check")
