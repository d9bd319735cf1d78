# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter remediate.iis.at_risk, for the table of audit.yml."""

from __future__ import annotations

from ansible_collections.remediate.iis.plugins.plugin_utils.at_risk import CONDITION, at_risk

DOCUMENTATION = """
name: at_risk
short_description: Tells whether an application pool has the periodic fault by its settings
version_added: "0.2.0"
description:
  - The rule is that of C(remediate audit).
  - The answer comes from a server. Where its values mean nothing, the pool is not at risk.
author: the remediate authors (@remediate-iis)
options:
  _input:
    description: The attributes of a pool, as M(remediate.iis.app_pool_info) answers them.
    type: dict
    required: true
"""

EXAMPLES = """
- name: Show the pools at risk
  ansible.builtin.debug:
    msg: "{{ item.name }}"
  loop: "{{ iis.inspection.pools }}"
  when: item.attributes | remediate.iis.at_risk
"""

RETURN = """
_value:
  description: Whether the pool is at risk.
  type: bool
"""


def _at_risk(attributes):
    try:
        return at_risk(*(attributes[name]["value"] if name in attributes else None for name in CONDITION))
    except (LookupError, TypeError, ValueError):
        return False


class FilterModule:
    def filters(self):
        return {"at_risk": _at_risk}
