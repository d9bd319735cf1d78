"""remediate plan: write a plan directory from findings and a chosen fix."""

from pathlib import Path
from typing import cast

import click

from remediate.audit.saved import load_recent
from remediate.audit.summary import merge
from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit, worst
from remediate.cli.inventory import audit_inventory, with_sources
from remediate.cli.options import (
    PATH,
    duration,
    emit,
    inventory_options,
    pace_options,
    plan_folder_option,
    rules_option,
)
from remediate.iis.attributes import FIXES
from remediate.plan.planner import Choice, make_plan
from remediate.playbook.directory import check_free, write_plan
from remediate.report.text import plan_text, printable
from remediate.times import now
from remediate.values.findings import DoubtKind, FixName
from remediate.values.fleet import Inventory

_SHARED: frozenset[DoubtKind] = frozenset({"shared"})
# Pools that cannot have the error in their present state.
_DORMANT: frozenset[DoubtKind] = frozenset({"stopped", "unmanaged", "unused"})


@click.command()
@inventory_options()
@pace_options()
@rules_option()
@click.option(
    "--from",
    "audits",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="Plan from an audit that `audit --save` wrote, instead of an inventory. May be repeated.",
)
@click.option(
    "--max-age",
    metavar="AGE",
    default="24h",
    show_default=True,
    callback=duration,
    help="Refuse a saved audit that is older, such as 90s, 20m, 24h or 7d.",
)
@click.option(
    "--fix",
    type=OneOf(sorted(FIXES)),
    required=True,
    help="Fix to plan: idle-timeout sets idleTimeout=0, on-demand sets startMode=OnDemand.",
)
@click.option(
    "--scope",
    type=OneOf(["pools", "defaults"]),
    default="pools",
    show_default=True,
    help="Change pools, or applicationPoolDefaults, which all pools without a value of their own inherit.",
)
@click.option(
    "--allow-shared", is_flag=True, help="Plan servers with shared configuration too: one edit for each share."
)
@click.option(
    "--allow-dormant",
    is_flag=True,
    help="Plan pools too that are stopped, run no managed code, or have no application.",
)
@plan_folder_option()
def plan(
    inventory: Inventory, forks: int, timeout: float, rules: frozenset[str], audits: tuple[Path, ...], max_age: float,
    fix: str, scope: str, allow_shared: bool, allow_dormant: bool, out: Path,
) -> Exit:  # fmt: skip
    """Write a plan: the exact changes, as a folder that `remediate apply` and ansible-playbook run.

    Servers are only read. The plan is printed for review.
    """
    if audits and inventory.sources:
        raise click.UsageError("-i cannot be used with --from")
    if audits and inventory != Inventory(sources=()):
        raise click.UsageError("-l and Ansible's options need -i: all hosts of a saved audit are planned")
    check_free(out)
    if audits:
        audit = merge([load_recent(path, max_age) for path in audits], rules)
    else:
        audit = audit_inventory(with_sources(inventory, " or --from AUDIT.json"), forks, timeout, rules)
    choice = Choice(
        fix=cast(FixName, fix),
        scope="defaults" if scope == "defaults" else "pool",
        allowed=(_SHARED if allow_shared else frozenset()) | (_DORMANT if allow_dormant else frozenset()),
    )
    made = write_plan(make_plan(audit, choice, now()), out)
    emit(plan_text(made).encode(), None)
    click.echo(printable(f"written: {out}"), err=True)
    incomplete = audit.summary.inspected == 0 or any(host.status != "skipped" for host in made.not_inspected)
    return worst(Exit.INCOMPLETE if incomplete else Exit.OK, Exit.PENDING if made.changes else Exit.OK)
