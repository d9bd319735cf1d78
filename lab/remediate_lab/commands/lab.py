"""remediate lab: the simulated fleet."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit
from remediate.errors import RemediateError
from remediate_lab import control
from remediate_lab.clock.traffic import TRAFFIC
from remediate_lab.commands.options import engine_option
from remediate_lab.knobs import Knobs
from remediate_lab.logs.files import LOGS
from remediate_lab.play import Options, play
from remediate_lab.recipe import from_configs
from remediate_lab.time_zone import rules
from remediate_lab.variety import server

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".lab"),
    show_default=True,
    help="Folder of the lab.",
)


@click.group()
def lab() -> None:
    """Serve simulated IIS servers on loopback addresses, over real WinRM."""


@lab.command()
@_state
@click.option(
    "--servers",
    type=click.IntRange(1, control.MOST_SERVERS),
    help="Number of servers.  [default: 1, or one for each file of --from-configs]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Seed of the fleet: the same seed makes the same servers.",
)
@click.option(
    "--from-configs",
    "configs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Serve the *.config files below this folder, in turn, instead of generated ones.",
)
@engine_option
@click.option(
    "--auth", type=OneOf(["basic", "ntlm"]), default="ntlm", show_default=True, help="Authentication to accept."
)
@click.option("--tls", is_flag=True, help="Serve HTTPS, with a certificate authority of the lab.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: 5985, or 5986 with --tls]")
@click.option(
    "--delay", type=click.FloatRange(0, 3600), default=0.0, show_default=True, help="Seconds to delay each answer."
)
def up(state: Path, servers: int | None, seed: int, configs: Path | None, **options: Any) -> None:
    """Start the lab, and print the path of its inventory once the servers listen."""
    if configs is not None:
        recipes = from_configs(configs, servers)
    else:
        recipes = [server(seed, number) for number in range(1, (servers or 1) + 1)]
    inventory = control.up(state, recipes, control.Options(**options))
    click.echo(inventory)
    click.echo(f"next: remediate audit -i {inventory}; at the end: remediate lab down --state {state}", err=True)


@lab.command("play")
@_state
@click.option(
    "--hours", type=click.FloatRange(0, min_open=True), help="Hours to play. A first play ends at the real time."
)
@click.option("--to-now", is_flag=True, help="Play all hours that are left up to the real time.")
@click.option(
    "--days",
    type=click.IntRange(1, 90),
    help="Days ago at which a first play begins. What it does not play is left for after a fix.",
)
@click.option(
    "--traffic",
    type=OneOf(list(TRAFFIC)),
    default="office",
    show_default=True,
    help="Pattern of the requests to the servers.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the requests, reboots and logs."
)
@click.option("--log", type=OneOf(LOGS), help="Format of the applications' logs.  [default: chosen by the seed]")
@click.option("--zone", help="Time zone of the servers from now on, such as Europe/Berlin.  [default: UTC at first]")
@click.option(
    "--unhandled", is_flag=True, help="Let the applications catch no exception, so that ASP.NET writes event 1309 too."
)
def play_hours(state: Path, hours: float | None, to_now: bool, zone: str | None, **options: Any) -> None:
    """Let hours pass on the servers, and write the logs that their settings cause.

    The logs of a server are in STATE/servers/NAME/Logs, its event logs in its Windows folder. The lab has a clock. Each
    play moves it on, never past the real time. To see what a fix does, begin with --days, play some hours, apply the
    fix, and play the rest with --to-now.
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
    """Stop all that `up` started, also after a crash, and remove its folder."""
    if not control.down(state):
        click.echo(f"{state}: no lab there", err=True)


@lab.command()
@_state
def status(state: Path) -> Exit:
    """Report whether the lab runs: exit 0 if it does, 1 if not."""
    running = control.alive(state)
    click.echo(f"{state}: {'up' if running else 'down'}")
    return Exit.OK if running else Exit.ERROR
