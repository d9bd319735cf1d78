"""What the commands of the lab have in common."""

import click

from remediate.cli.choices import OneOf

engine_option = click.option(
    "--engine",
    type=OneOf(["emulated", "pwsh"]),
    default="emulated",
    show_default=True,
    help="Engine that runs the commands.",
)
