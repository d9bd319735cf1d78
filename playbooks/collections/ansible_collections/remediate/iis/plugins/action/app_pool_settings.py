# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the module app_pool_settings, and leaves a mark just before the first word of it goes to the server.

Where Ansible then reports a host without a result, the mark is what the record knows by: without one nothing was sent,
so nothing was written. The connection is made first: a refused connection or password leaves no mark. It follows no
redirect.

What the server says of the connection's own secrets is taken out of the result, and of an error: both are recorded.
So are the facts that it sends: a variable of the run must not come from a server. Each change that was written, or that
a dry run would write, gets its inverse (``undo``).
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action.normal import ActionModule as NormalActionModule
from ansible_collections.remediate.iis.plugins.plugin_utils.inverse import inverse_of_result
from ansible_collections.remediate.iis.plugins.plugin_utils.redirects import refuse_redirects
from ansible_collections.remediate.iis.plugins.plugin_utils.shown import secrets_of, without


def mark_of(host: str) -> str:
    """The name of a host's mark; an inventory name need not be a file's name."""
    return hashlib.sha256(host.encode("utf-8", errors="surrogateescape")).hexdigest()


class ActionModule(NormalActionModule):
    # What the callback plugin remediate_record looks for: an older collection leaves no marks, and proves nothing.
    LEAVES_MARKS = True

    def run(self, tmp=None, task_vars=None):
        refuse_redirects()
        self._host = task_vars["inventory_hostname"]
        self._secrets = secrets_of(self._connection.get_options())
        try:
            result = without(super().run(tmp, task_vars), self._secrets)
        except Exception as error:  # of whatever kind: its text may quote a secret
            said = str(error)
            if without(said, self._secrets) == said:
                raise
            kind = AnsibleConnectionFailure if isinstance(error, AnsibleConnectionFailure) else AnsibleError
            raise kind(without(said, self._secrets)) from None
        result.pop("ansible_facts", None)
        _add_inverses(result, self._task.check_mode)
        return result

    def _low_level_execute_command(self, cmd, *args, **kwargs):
        # All that goes to the server passes here first: files too, which want a folder made before.
        self._connection._connect()
        folder = os.environ.get("REMEDIATE_MARKS")
        if folder:
            mark = Path(folder, mark_of(self._host))
            if not mark.exists():
                if self._connection.transport == "ssh":
                    # It connects with its first command. This one does nothing, in PowerShell and in cmd.
                    super()._low_level_execute_command("exit 0", sudoable=False)
                mark.touch()
        # Before Ansible reads it: of what stands beside a result it warns by itself.
        return without(super()._low_level_execute_command(cmd, *args, **kwargs), self._secrets)


def _add_inverses(result, check_mode):
    """The answer comes from a server, and may have any shape: what is no change of ours gets no inverse."""
    changes = result.get("changes")
    for change in changes if isinstance(changes, list) else []:
        if not isinstance(change, dict):
            continue
        change["undo"] = None
        would_write = check_mode and result.get("changed") is True and change.get("state") == "pending"
        if change.get("written") is True or would_write:
            with suppress(LookupError, ValueError):
                change["undo"] = inverse_of_result(change)
