"""remediate log-filter: print a filter for the application's own logger, for a pool that must stay as it is."""

from pathlib import Path

import click

from remediate.cli.choices import OneOf
from remediate.cli.options import emit, out_option
from remediate.log_filters.catalogue import FORMATS, LOGGERS, filters_of


@click.command()
@click.argument("logger", metavar="LOGGER", type=OneOf(LOGGERS, case_sensitive=False))
@click.option("--format", "form", type=OneOf(FORMATS), help="Format of the logger's configuration.")
@out_option()
def log_filter(logger: str, form: str | None, out: Path | None) -> None:
    """Print a filter for LOGGER (nlog, serilog, log4net or elmah) that drops only the exception of this
    error.

    A comment says where the filter goes and what it hides. JSON has no comments, so there it is written to standard
    error.
    """
    there = filters_of(logger)
    chosen = there.get(form or next(iter(there)))
    if chosen is None:
        raise click.BadParameter(
            f"there is no {form} filter for {logger}; use {' or '.join(there)}", param_hint="--format"
        )
    emit(chosen.text.encode(), out)
    if chosen.format == "json":
        click.echo(chosen.explanation, err=True, nl=False)
