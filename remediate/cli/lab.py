"""remediate lab: the simulated fleet."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit
from remediate.lab import control
from remediate.lab.clock.traffic import TRAFFIC
from remediate.lab.extra import check_packages
from remediate.lab.knobs import Knobs
from remediate.lab.logs.files import LOGS
from remediate.lab.play import Options, play
from remediate.lab.recipe import from_configs
from remediate.lab.time_zone import rules
from remediate.lab.variety import server
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
@click.option(
    "--servers",
    type=click.IntRange(1, control.MOST_SERVERS),
    help="How many; without it 1, or one for each file of --from-configs.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which fleet: a seed is one fleet.")
@click.option(
    "--from-configs",
    "configs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Servers of the *.config files below that folder, in place of made-up ones; they are dealt in turn.",
)
@click.option(
    "--engine",
    type=OneOf(["emulated", "pwsh"]),
    default="emulated",
    show_default=True,
    help="What runs the commands.",
)
@click.option("--auth", type=OneOf(["basic", "ntlm"]), default="ntlm", show_default=True)
@click.option("--tls", is_flag=True, help="HTTPS, with a CA of the lab's own.")
@click.option("--port", type=click.IntRange(1, 65535), help="Without it 5985, or 5986 with --tls.")
@click.option("--delay", type=click.FloatRange(0, 3600), default=0.0, help="Seconds by which each answer is late.")
def up(state: Path, servers: int | None, seed: int, configs: Path | None, **options: Any) -> None:
    """Start it; returns when the servers listen, and prints the inventory's path.

    The same seed makes the same servers; they differ from each other as real ones do.
    """
    check_packages()
    if configs is not None:
        recipes = from_configs(configs, servers)
    else:
        recipes = [server(seed, number) for number in range(1, (servers or 1) + 1)]
    inventory = control.up(state, recipes, control.Options(**options))
    click.echo(inventory)
    click.echo(f"next: remediate audit -i {inventory}; at the end: remediate lab down --state {state}", err=True)


@lab.command("play")
@_state
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="How many; a first play ends at the real time.")
@click.option("--to-now", is_flag=True, help="All that are left up to the real time.")
@click.option(
    "--days",
    type=click.IntRange(1, 90),
    help="Begin the lab's clock so many days ago, which leaves hours to play after a fix; counts in a first play.",
)
@click.option("--traffic", type=OneOf(list(TRAFFIC)), default="office", show_default=True, help="Who asks the servers.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which requests, reboots and logs.")
@click.option("--log", type=OneOf(LOGS), help="The shape of the applications' logs; without it any, by the seed.")
@click.option("--zone", help="The servers' time zone from now on, such as Europe/Berlin; at first it is UTC.")
@click.option("--unhandled", is_flag=True, help="The applications catch nothing: ASP.NET writes event 1309 too.")
def play_hours(state: Path, hours: float | None, to_now: bool, zone: str | None, **options: Any) -> None:
    """Let hours pass on the servers: what their settings cause stands in their logs.

    Each server's logs are below STATE/servers/NAME/Logs, its event logs in its Windows folder. The lab has a clock.
    Each play moves it on, never past the real time. A first play of --hours ends there, as if they had just passed.
    To see what a fix does, begin with --days: play some hours, apply the fix, play the rest with --to-now.
    """
    if to_now == (hours is not None):
        raise click.UsageError("Give --hours or --to-now.")
    real = datetime.now(UTC).replace(microsecond=0)
    if zone is not None:
        _check_zone(zone)
    done = play(state, hours, Options(zone=zone, **options), real)
    for name, why in done.left_out.items():
        click.echo(f"{name}: left out: {why}", err=True)
    begin, end = (f"{time:%Y-%m-%d %H:%M:%S}" for time in (done.span.begin, done.span.end))
    click.echo(f"{begin} to {end} UTC on {done.servers} servers: {done.errors} errors, {done.requests} requests")
    left = (real - done.span.end) / timedelta(hours=1)
    more = f"{left:.1f} hours are left to play" if left >= 0.05 else "played up to the real time"
    click.echo(f"{more}; the logs: {state / 'servers'}/*/Logs", err=True)


def _check_zone(name: str) -> None:
    try:
        rules(Knobs((("time_zone", name),)))
    except (KeyError, ValueError, OSError) as error:
        raise RemediateError(f"--zone {name}: no such time zone is known here; try UTC or Europe/Berlin") from error


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
