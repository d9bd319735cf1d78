"""remediate lab: the simulated fleet."""

from importlib.util import find_spec
from pathlib import Path

import click

from remediate.cli.exits import Exit
from remediate.lab import control
from remediate.model import RemediateError

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".lab"),
    show_default=True,
    help="The lab's folder.",
)


@click.group()
def lab() -> None:
    """Serve simulated IIS servers on loopback addresses, through true WinRM."""


@lab.command()
@_state
@click.option("--servers", type=click.IntRange(1, 250), default=1, show_default=True)
@click.option(
    "--engine",
    type=click.Choice(["emulated", "pwsh"]),
    default="emulated",
    show_default=True,
    help="What runs the commands.",
)
@click.option("--auth", type=click.Choice(["basic", "ntlm"]), default="ntlm", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=5985, show_default=True)
def up(state: Path, servers: int, engine: str, auth: str, port: int) -> None:
    """Start it; returns when the servers listen, and prints the inventory's path."""
    if find_spec("aiohttp") is None:
        raise RemediateError("the lab needs more packages: pip install 'remediate[lab]'")
    inventory = control.up(state, servers, engine, auth, port)
    click.echo(inventory)
    click.echo(f"next: remediate audit -i {inventory}; at the end: remediate lab down --state {state}", err=True)


@lab.command()
@_state
def down(state: Path) -> None:
    """End all that `up` began, after a crash too, and remove its folder."""
    if not control.down(state):
        click.echo(f"{state}: no lab there", err=True)


@lab.command()
@_state
def status(state: Path) -> Exit:
    """Tell whether it runs: exit 0 if so, 1 if not."""
    running = control.alive(state)
    click.echo(f"{state}: {'up' if running else 'down'}")
    return Exit.OK if running else Exit.ERROR
