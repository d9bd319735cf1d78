"""remediate show: a saved audit, plan, run or diagnosis, as text or JSON; a diagnosis as a page too."""

from pathlib import Path

import click

from remediate.cli.choices import OneOf
from remediate.cli.options import emit, screen
from remediate.model import Diagnosis, encode
from remediate.report.diagnosis import FORMS, DiagnosisForm, rendered
from remediate.report.files import read_any
from remediate.report.text import text_of


@click.command()
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--format", "form", type=OneOf(FORMS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
def show(path: Path, form: DiagnosisForm, out: Path | None) -> None:
    """Show an audit's file, a plan directory, a run (PLAN/runs/...), or a diagnosis (html and svg are for this one)."""
    value = read_any(path)
    if isinstance(value, Diagnosis):
        emit(rendered(value, form, screen(out)), out)
        return
    if form not in ("table", "json"):
        raise click.UsageError(f"--format {form} is for a diagnosis; {path} is none")
    emit(encode(value) if form == "json" else text_of(value).encode(), out)
