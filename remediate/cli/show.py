"""remediate show: a saved audit, plan or run, as text or JSON."""

from pathlib import Path

import click

from remediate.cli.options import emit
from remediate.model import encode
from remediate.report.files import read_any
from remediate.report.text import text_of


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
def show(path: Path, form: str, out: Path | None) -> None:
    """Show an audit's file, a plan directory, or a run (PLAN/runs/...)."""
    value = read_any(path)
    emit(encode(value) if form == "json" else text_of(value).encode(), out)
