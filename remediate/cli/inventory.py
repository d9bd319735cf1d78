"""Which inventory a command reads: what -i names, or what is configured for Ansible."""

import click
import msgspec

from remediate.inspect.given import configured_sources
from remediate.model import Inventory


def with_sources(inventory: Inventory, others: str = "") -> Inventory:
    """The same with the configured inventory where none was named; a UsageError where none is configured either.

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
