"""The inventory of a command, from -i or from Ansible's configuration, and the progress while it is read."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import msgspec

from remediate.audit.pipeline import audit_fleet
from remediate.cli.progress import follow
from remediate.cli.verbosity import is_quiet
from remediate.fleet.given import WrongOption, configured_sources
from remediate.fleet.inventory import Fleet, read_inventory
from remediate.report.text import report_line
from remediate.values.findings import Audit
from remediate.values.fleet import Failed, HostReport, Inspection, Inventory, Unreachable


def with_sources(inventory: Inventory, others: str = "") -> Inventory:
    """The inventory, with the configured sources where -i was not given. UsageError where none are configured.

    ``others`` are options that the command takes instead of -i.
    """
    if inventory.sources:
        return inventory
    sources = configured_sources()
    if not sources:
        raise click.UsageError(
            f"give -i INVENTORY{others}: neither ansible.cfg nor ANSIBLE_INVENTORY names one, and there is no "
            "/etc/ansible/hosts"
        )
    return msgspec.structs.replace(inventory, sources=sources)


# A host whose variables take longer than this many seconds is reported.
_PATIENCE = 3.0


def read_fleet(inventory: Inventory) -> Fleet:
    """The fleet. Standard error shows the warnings of Ansible, and a host whose variables take long."""
    warnings: list[str] = []
    with _watched() as reading:
        try:
            fleet = read_inventory(inventory, reading, warnings.append)
        except WrongOption as error:
            raise click.UsageError(str(error)) from error
    for text in warnings:  # where the inventory cannot be read, only the error is shown
        click.echo(f"remediate: warning: {text}", err=True)
    return fleet


def audit_inventory(
    inventory: Inventory, forks: int, timeout: float, rules: frozenset[str], evidence_days: int = 0
) -> Audit:
    """The audit of the inventory's hosts; standard error shows the progress."""
    fleet = read_fleet(inventory)
    with follow("inspecting", len(fleet.targets)) as done:
        return audit_fleet(
            fleet, forks, timeout, rules, lambda report: done(report_line(report), _trouble(report)), evidence_days
        )


def _trouble(report: HostReport) -> bool:
    return isinstance(report, Unreachable | Failed) or (isinstance(report, Inspection) and report.warning is not None)


@contextmanager
def _watched() -> Iterator[Callable[[str], None]]:
    """Report the host whose variables take long: a lookup may wait for a person, or for ever."""
    if is_quiet():
        yield lambda _host: None
        return
    ended = threading.Event()
    now: list[tuple[str, float]] = []

    def watch() -> None:
        named = ""
        while not ended.wait(0.5):
            host, since = now[-1] if now else ("", time.monotonic())
            if host != named and time.monotonic() - since > _PATIENCE:
                named = host
                click.echo(f"{host}: its variables are still being read; Ctrl-C ends it", err=True)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield lambda host: now.__setitem__(slice(None), [(host, time.monotonic())])
    finally:
        ended.set()
