"""remediate demo: the whole way on a simulated server, with the commands that a person would type."""

import difflib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from remediate.cli.exits import Exit
from remediate.lab import control
from remediate.lab.pwsh import find_pwsh
from remediate.lab.variety import server
from remediate.model import RemediateError

_BIN = Path(sys.executable).parent


@click.command()
@click.option(
    "--engine",
    type=click.Choice(["auto", "emulated", "pwsh"]),
    default="auto",
    show_default=True,
    help="auto: pwsh where there is one.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=5985, show_default=True)
def demo(engine: str, port: int) -> Exit:
    """Audit, plan, dry run, apply, prove and undo, on one simulated server; each step is checked."""
    chosen = engine if engine != "auto" else "pwsh" if find_pwsh() else "emulated"
    with tempfile.TemporaryDirectory(prefix="remediate-demo-") as folder:
        state = Path(folder) / "lab"
        click.echo(f"# a simulated server, engine {chosen}, NTLM with message encryption")
        options = control.Options(engine="pwsh" if chosen == "pwsh" else "emulated", port=port)
        inventory = control.up(state, [server(seed=1, number=1)], options)
        try:
            _scenario(Path(folder), state, inventory)
        finally:
            control.down(state)
    click.echo("\n# done: every step did what it should, and nothing is left running")
    return Exit.OK


def _scenario(folder: Path, state: Path, inventory: Path) -> None:
    config = state / "servers/web001/Windows/System32/inetsrv/config/applicationHost.config"
    before = config.read_bytes()
    env = os.environ | {"ANSIBLE_NOCOLOR": "1"}

    def run(expected: int, *command: str) -> str:
        shown = shlex.join(command).replace(str(folder) + "/", "")
        click.echo(f"\n$ {shown}")
        done = subprocess.run(
            [str(_BIN / command[0]), *command[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
            check=False,
        )
        click.echo(done.stdout.replace(str(folder) + "/", "").rstrip())
        if done.returncode != expected:
            raise RemediateError(f"the demo: {shown}: exit code {done.returncode}, {expected} was expected")
        click.echo(f"# exit code {done.returncode}")
        return done.stdout

    def check(holds: bool, what: str) -> None:
        if not holds:
            raise RemediateError(f"the demo: this does not hold: {what}")
        click.echo(f"# checked: {what}")

    inv, plan, undo = str(inventory), str(folder / "plan"), str(folder / "undo")
    check("Contoso Shop" in run(2, "remediate", "audit", "-i", inv), "the audit finds the pool")
    run(2, "remediate", "plan", "-i", inv, "--fix", "idle-timeout", "--out", plan)
    dry = run(0, "ansible-playbook", "-i", inv, f"{plan}/playbook.yml", "--check", "--diff")
    check("processModel.idleTimeout: 00:20:00 -> 00:00:00" in dry, "the dry run shows the change")
    check(config.read_bytes() == before, "the server's file is as it was, byte for byte")
    run(0, "remediate", "apply", plan, "-i", inv, "--yes")
    changed = _words(before, config.read_bytes())
    check(
        changed == ['+ idleTimeout="00:00:00"'],
        "that attribute is changed in the file, and nothing else: " + "".join(changed),
    )
    after = config.read_bytes()
    run(0, "remediate", "apply", plan, "-i", inv, "--yes")
    check(config.read_bytes() == after, "a second apply changes nothing")
    run(0, "remediate", "audit", "-i", inv)
    first = sorted(Path(plan, "runs").iterdir(), key=lambda p: p.stat().st_mtime)[0]
    run(0, "remediate", "rollback", str(first), "--out", undo)
    run(0, "remediate", "apply", undo, "-i", inv, "--yes")
    check(config.read_bytes() == before, "what was inherited is inherited again: the file is the first one")


def _words(before: bytes, after: bytes) -> list[str]:
    """The differing words of two texts, as ``+ word`` and ``- word``."""
    words = (before.decode().split(), after.decode().split())
    return [line for line in difflib.ndiff(*words) if line[:2] in ("+ ", "- ")]
