# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the module app_pool_info over a connection that follows no redirect."""

from __future__ import annotations

from ansible.plugins.action.normal import ActionModule as NormalActionModule
from ansible_collections.remediate.iis.plugins.plugin_utils.redirects import refuse_redirects


class ActionModule(NormalActionModule):
    def run(self, tmp=None, task_vars=None):
        refuse_redirects()
        return super().run(tmp, task_vars)
