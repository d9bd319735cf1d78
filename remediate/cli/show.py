"""remediate show: a saved audit, plan, run or diagnosis, as text or JSON; a diagnosis as a page too."""

from pathlib import Path

import click

from remediate.cli.options import PATH, emit, format_option, out_option, screen
from remediate.errors import RemediateError
from remediate.playbook.directory import check_digest
from remediate.playbook.sums import SUMS
from remediate.report.diagnosis import FORMS, DiagnosisForm, rendered
from remediate.report.files import read_any
from remediate.report.text import printable, text_of
from remediate.saved import encode
from remediate.values.diagnoses import Diagnosis
from remediate.values.plans import Plan


@click.command()
@click.argument("path", metavar="PATH", type=PATH)
@format_option(FORMS)
@out_option()
def show(path: Path, form: DiagnosisForm, out: Path | None) -> None:
    """Show what was saved at PATH: an audit, a plan, a run (PLAN/runs/RUN) or a diagnosis.

    The formats html and svg are for a diagnosis.
    """
    value = read_any(path)
    if isinstance(value, Diagnosis):
        emit(rendered(value, form, screen(out)), out)
        return
    if form not in ("table", "json"):
        raise click.UsageError(f"--format {form} is for a diagnosis, and {path} is not one")
    if isinstance(value, Plan) and (path.is_dir() or path.with_name(SUMS).exists()):
        _warn_of_edits(path if path.is_dir() else path.parent, value)
    emit(encode(value) if form == "json" else text_of(value).encode(), out)


def _warn_of_edits(folder: Path, plan: Plan) -> None:
    """Warn of a folder that was edited, since it may do other things than its plan.json says."""
    try:
        check_digest(folder, plan)
    except RemediateError as error:
        click.echo(printable(f"remediate: warning: {error}; `remediate apply` refuses this plan"), err=True)
