"""Hosts that one edit changes: inventory names of one machine, servers of one share."""

import re
from collections.abc import Iterable

from msgspec import Struct

from remediate.iis.names import iis_key
from remediate.values.fleet import Inspection

# A host's changes are a file of its name beside the playbook, and its name stands in the play's pattern.
_PLANNABLE_HOST = re.compile(r"\w[\w.\-]{0,199}")
# These mean something else to Ansible; `localhost` is where the plan's own checks run.
_RESERVED = frozenset({"localhost", "all", "ungrouped"})


def plannable(host: str) -> bool:
    """Whether a host of this name can stand in a plan."""
    return _PLANNABLE_HOST.fullmatch(host) is not None and host not in _RESERVED


class Group(Struct, frozen=True):
    """``agree``: all of the hosts show the same. Else they are not one, or one of them lies."""

    hosts: tuple[Inspection, ...]
    agree: bool

    @property
    def leader(self) -> Inspection:
        """The host that stands in the plan: the first one whose name can."""
        return next((host for host in self.hosts if plannable(host.host)), self.hosts[0])


def groups_of(hosts: Iterable[Inspection], shares: bool) -> dict[str, Group]:
    """Inventory name -> its group. ``shares``: servers that read their configuration from one share are a group too."""
    by_key: dict[str, list[Inspection]] = {}
    for host in sorted(hosts, key=lambda h: h.host):
        share = _share(host.shared_config) if shares else None
        by_key.setdefault(share or iis_key(host.machine), []).append(host)
    groups = (Group(tuple(m), all(_settings(host) == _settings(m[0]) for host in m[1:])) for m in by_key.values())
    return {host.host: group for group in groups for host in group.hosts}


def _share(path: str | None) -> str | None:
    """One spelling of a UNC path. A folder of the server's own is no share: each server then has a file of its own."""
    spelled = (path or "").replace("/", "\\")
    return iis_key(spelled.rstrip("\\")) if spelled.startswith("\\\\") else None


def _settings(host: Inspection) -> tuple[object, ...]:
    """What one configuration says; whether a pool runs is no part of it."""
    pools = tuple((pool.name, pool.attributes, pool.applications) for pool in host.pools)
    return host.defaults, pools
