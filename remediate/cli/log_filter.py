"""remediate log-filter: the third fix, a filter for the application's own logger."""

from pathlib import Path

import click

from remediate.cli.choices import OneOf
from remediate.cli.options import emit
from remediate.log_filters.catalogue import FORMATS, LOGGERS, filters_of


@click.command()
@click.argument("logger", metavar="LOGGER", type=OneOf(LOGGERS, case_sensitive=False))
@click.option("--format", "form", type=OneOf(FORMATS), help="Where the logger has it; each has a usual one.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
def log_filter(logger: str, form: str | None, out: Path | None) -> None:
    """Print a filter for LOGGER (nlog, serilog, log4net or elmah) that drops this error's exception, and nothing else.

    A comment at its head tells where it goes and what it hides. JSON has no comments: there it goes to standard error.
    """
    there = filters_of(logger)
    chosen = there.get(form or next(iter(there)))
    if chosen is None:
        raise click.BadParameter(f"{logger} has no {form} here, but {' and '.join(there)}", param_hint="--format")
    emit(chosen.text.encode(), out)
    if chosen.format == "json":
        click.echo(chosen.explanation, err=True, nl=False)
