# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pools by pattern, and what a server answered of its pools -> the changes. Pure.

The pools are those that an audit finds at risk, and that a plan would change by default: see at_risk.py. As in a plan,
a change has all that made the pool a finding as what must still hold.
"""

from __future__ import annotations

from collections import Counter, namedtuple

from ansible_collections.remediate.iis.plugins.plugin_utils.at_risk import (
    CONDITION,
    DORMANT,
    at_risk,
    pool_doubts,
    server_doubts,
)
from ansible_collections.remediate.iis.plugins.plugin_utils.names import iis_key, matches

# ``changes`` for the module; ``skipped`` as elements of its answer; ``warnings`` are texts.
Chosen = namedtuple("Chosen", ("changes", "skipped", "warnings"))


def choose(inspection, globs, attribute, wanted, allow_shared=False, allow_dormant=False):
    """The pools that the globs name -> what to change of them. ``inspection`` is the answer of app_pool_info.

    A pool that has the wanted value already is in it too, as a change that is none. ValueError, TypeError or
    LookupError where the inspection is not what app_pool_info answers.
    """
    if inspection["iis_version"] is None:
        return Chosen([], [], ["pools: there is no IIS on this server"])
    pools = [_Pool(pool) for pool in inspection["pools"]]
    unmet = [glob for glob in globs if not any(matches(glob, pool.name) for pool in pools)]
    warnings = [f"pools: no application pool matches '{glob}'" for glob in unmet]
    doubts = server_doubts(inspection["shared_config"])
    if doubts and not allow_shared:
        return Chosen([], [], [*(f"{text}, and allow_shared was not given" for _, text in doubts), *warnings])
    allowed = DORMANT if allow_dormant else frozenset()
    twins = Counter(iis_key(pool.name) for pool in pools)
    changes, skipped = [], []
    for pool in pools:
        if not any(matches(glob, pool.name) for glob in globs):
            continue
        why = "two pools of this server have this name" if twins[iis_key(pool.name)] > 1 else pool.why_not(allowed)
        there = pool.value(attribute) == wanted
        if why is None or (there and twins[iis_key(pool.name)] == 1):
            changes.append(pool.change(attribute, wanted))
        else:
            skipped.append(pool.skipped(attribute, wanted, why))
            if pool.at_risk:
                warnings.append(f"pool {pool.name}: at risk, and left alone: {why}")
    return Chosen(changes, skipped, warnings)


class _Pool:
    """What app_pool_info answers of one pool. It comes from a server: the shape is checked."""

    def __init__(self, pool):
        self.name, self.state, self.applications = pool["name"], pool["state"], pool["applications"]
        self._attributes = pool["attributes"]
        if not isinstance(self.name, str):
            raise TypeError("the name of a pool is no text")
        self.at_risk = at_risk(*map(self.value, CONDITION))

    def value(self, name):
        """The effective value; None where this version of IIS does not know the attribute."""
        if name not in self._attributes:
            return None
        value = self._attributes[name]["value"]
        if not isinstance(value, str):
            raise TypeError(f"{name} is no text")
        return value

    def why_not(self, allowed):
        """Why a plan would leave the pool out; None where it would not. ``allowed`` are doubts that do not count."""
        if not self.at_risk:
            mode, idle, action = (self.value(name) or "unknown" for name in CONDITION)
            return f"not at risk: startMode {mode}, idleTimeout {idle}, idleTimeoutAction {action}"
        doubts = pool_doubts(self.name, self.state, self.value("managedRuntimeVersion"), self.applications)
        return "; ".join(text for kind, text in doubts if kind not in allowed) or None

    def change(self, attribute, wanted):
        """As an element of the module's ``changes``."""
        values = {name: self.value(name) for name in CONDITION if name != attribute}
        given = {name: value for name, value in values.items() if value is not None}
        return {
            "pool": self.name,
            "attribute": attribute,
            "expect": self.value(attribute),
            "set": wanted,
            "given": given,
        }

    def skipped(self, attribute, wanted, why):
        """As an element of ``changes`` in the module's answer."""
        found = self.value(attribute)
        return {
            "scope": "pool", "pool": self.name, "attribute": attribute, "set": wanted, "expect": found or "",
            "state": "skipped", "found": found, "found_source": self._attributes.get(attribute, {}).get("source"),
            "wanted": wanted, "written": False, "verified": False, "detail": why,
        }  # fmt: skip
