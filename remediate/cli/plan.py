"""remediate plan: findings and a chosen fix -> a plan directory."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import click
import msgspec

from remediate.cli.audit import assemble, make_audit
from remediate.cli.choices import OneOf
from remediate.cli.exits import Exit, worst
from remediate.cli.inventory import with_sources
from remediate.cli.options import duration, emit, inventory_options, now, pace_options, rules_option
from remediate.errors import RemediateError
from remediate.iis.attributes import FIXES
from remediate.iis.inspection import checked
from remediate.plan.planner import Choice, make_plan
from remediate.playbook.directory import check_free, write_plan
from remediate.report.text import plan_text, printable
from remediate.saved import load
from remediate.values.findings import Audit, DoubtKind, FixName
from remediate.values.fleet import HostReport, Inspection, Inventory

_SHARED: frozenset[DoubtKind] = frozenset({"shared"})
# Pools that cannot have the error as they are now.
_DORMANT: frozenset[DoubtKind] = frozenset({"stopped", "unmanaged", "unused"})


@click.command()
@inventory_options()
@pace_options()
@rules_option()
@click.option(
    "--from", "audits", multiple=True, type=click.Path(path_type=Path), help="A saved audit instead of an inventory."
)
@click.option("--max-age", metavar="AGE", default="24h", show_default=True, callback=duration, help="Of a saved audit.")
@click.option("--fix", type=OneOf(sorted(FIXES)), required=True, help="idleTimeout=0, or startMode=OnDemand.")
@click.option(
    "--scope",
    type=OneOf(["pools", "defaults"]),
    default="pools",
    show_default=True,
    help="defaults: applicationPoolDefaults, for the pools that say nothing themselves.",
)
@click.option("--allow-shared", is_flag=True, help="Also servers with shared configuration: one edit for each share.")
@click.option("--allow-dormant", is_flag=True, help="Also pools that are stopped, not managed code, or without use.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The plan directory; must not be there, or be empty."
)
def plan(
    inventory: Inventory,
    forks: int,
    timeout: float,
    rules: frozenset[str],
    audits: tuple[Path, ...],
    max_age: float,
    fix: str,
    scope: str,
    allow_shared: bool,
    allow_dormant: bool,
    out: Path,
) -> Exit:
    """Write down exactly what would be changed, as a folder that ansible-playbook runs."""
    if audits and inventory.sources:
        raise click.UsageError("give either -i INVENTORY or --from AUDIT.json")
    if audits and inventory != Inventory(sources=()):
        raise click.UsageError("-l and Ansible's options go with -i: a saved audit is taken whole")
    check_free(out)
    if audits:
        audit = _merge([_fresh(path, max_age) for path in audits], rules)
    else:
        audit = make_audit(with_sources(inventory, " or --from AUDIT.json"), forks, timeout, rules)
    choice = Choice(
        fix=cast(FixName, fix),
        scope="defaults" if scope == "defaults" else "pool",
        allowed=(_SHARED if allow_shared else frozenset()) | (_DORMANT if allow_dormant else frozenset()),
    )
    made = write_plan(make_plan(audit, choice, now()), out)
    emit(plan_text(made).encode(), None)
    click.echo(printable(f"written: {out}"), err=True)
    missing = [host for host in made.not_inspected if host.status != "skipped"]
    incomplete = bool(missing) or audit.summary.inspected == 0
    return worst(Exit.INCOMPLETE if incomplete else Exit.OK, Exit.PENDING if made.changes else Exit.OK)


def _fresh(path: Path, max_age: float) -> Audit:
    """A saved audit; RemediateError where it is older than ``max_age`` seconds."""
    audit = load(path, Audit)
    try:
        finished = datetime.fromisoformat(audit.finished_at)
    except ValueError as error:
        raise RemediateError(f"{path}: finished_at is no time; make the audit again") from error
    if finished.tzinfo is None:
        raise RemediateError(f"{path}: finished_at has no time zone; make the audit again")
    age = datetime.now(UTC) - finished
    if age < timedelta(hours=-1):
        raise RemediateError(f"{path}: is from the future ({audit.finished_at}); which clock is wrong?")
    if age.total_seconds() > max_age:
        hours = math.ceil(age.total_seconds() / 3600)
        raise RemediateError(f"{path}: is from {audit.finished_at}: audit again, or say --max-age {hours}h")
    return audit


def _merge(audits: list[Audit], rules: frozenset[str]) -> Audit:
    """Several audits as one; of a host that is in two, the later look counts."""
    hosts: dict[str, HostReport] = {}
    for audit in sorted(audits, key=lambda a: a.finished_at):
        hosts |= {h.host: checked(h) if isinstance(h, Inspection) else h for h in audit.hosts}
    # The rules are asked again: the findings of the file may be those of an older version.
    merged = assemble(tuple(hosts[name] for name in sorted(hosts)), audits[0].started_at, rules)
    return msgspec.structs.replace(merged, started_at=min(a.started_at for a in audits))
