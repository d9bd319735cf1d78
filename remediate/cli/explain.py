"""remediate explain: print what a rule means."""

import click

from remediate.audit.rules import RULES
from remediate.cli.choices import OneOf
from remediate.cli.options import emit


@click.command()
@click.argument("rule", metavar="RULE", type=OneOf(sorted(RULES), case_sensitive=False))
def explain(rule: str) -> None:
    """Explain RULE (RM001, RM002 or RM004): when it applies, why it matters, and what the fixes do."""
    emit(RULES[rule].text.encode(), None)
