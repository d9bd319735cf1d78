# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the module app_pool_settings, and leaves a mark just before the first word of it goes to the server.

Where Ansible then reports a host without a result, the mark is what the record knows by: without one nothing was sent,
so nothing was written. The connection is made first: a refused connection or password leaves no mark. It follows no
redirect.

What the server says of the connection's own secrets is taken out of the result, and of an error: both are recorded.
So are the facts that it sends: a variable of the run must not come from a server. Each change that was written, or that
a dry run would write, gets its inverse (``undo``).

With ``at_risk`` it first runs app_pool_info, and hands the module the changes of the pools that are at risk.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalActionModule
from ansible_collections.remediate.iis.plugins.plugin_utils.inverse import inverse_of_result
from ansible_collections.remediate.iis.plugins.plugin_utils.pattern import choose
from ansible_collections.remediate.iis.plugins.plugin_utils.redirects import refuse_redirects
from ansible_collections.remediate.iis.plugins.plugin_utils.shown import secrets_of, without


def mark_of(host: str) -> str:
    """The name of a host's mark; an inventory name need not be a file's name."""
    return hashlib.sha256(host.encode("utf-8", errors="surrogateescape")).hexdigest()


class ActionModule(NormalActionModule):
    # What the callback plugin remediate_record looks for: an older collection leaves no marks, and proves nothing.
    LEAVES_MARKS = True
    # Whether what goes to the server may write there.
    _writes = True

    def run(self, tmp=None, task_vars=None):
        refuse_redirects()
        self._host = task_vars["inventory_hostname"]
        self._secrets = secrets_of(self._connection.get_options())
        try:
            at_risk = boolean(self._task.args.pop("at_risk", False))
            allow_dormant = boolean(self._task.args.pop("allow_dormant", False))
            run = self._run_at_risk(allow_dormant, task_vars) if at_risk else super().run(tmp, task_vars)
            result = without(run, self._secrets)
        except Exception as error:  # of whatever kind: its text may quote a secret
            said = str(error)
            if without(said, self._secrets) == said:
                raise
            kind = AnsibleConnectionFailure if isinstance(error, AnsibleConnectionFailure) else AnsibleError
            raise kind(without(said, self._secrets)) from None
        result.pop("ansible_facts", None)
        _add_inverses(result, self._task.check_mode)
        return result

    def _run_at_risk(self, allow_dormant, task_vars):
        """Look, choose, and run the module with the changes; with none it is not run."""
        arguments = dict(self._task.args)
        globs, attribute, wanted = (arguments.pop(name, None) for name in ("pools", "attribute", "set"))
        for name in ("given", "on_mismatch"):
            arguments.pop(name, None)
        if not isinstance(globs, list) or not any(globs) or attribute is None or wanted is None:
            return {"failed": True, "msg": "at_risk: give pools, a list of names or '*' for all, attribute and set"}
        allow_shared = boolean(arguments.pop("allow_shared", False))
        self._writes = False
        seen = self._execute_module(module_name="remediate.iis.app_pool_info", module_args={}, task_vars=task_vars)
        self._remove_tmp_path(self._connection._shell.tmpdir)
        self._writes = True
        if seen.get("failed") or seen.get("unreachable"):
            return seen
        try:
            machine = seen["inspection"]["machine"]
            chosen = choose(
                seen["inspection"], [str(glob) for glob in globs], attribute, wanted, allow_shared, allow_dormant
            )
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return {
                "failed": True,
                "msg": f"what the server answered of its pools cannot be read ({error}). Nothing was written.",
            }
        result = {"changed": False, "machine": machine, "stale": False, "backup": None}
        if chosen.changes:
            self._task.args = arguments | {"changes": chosen.changes, "machine": machine}
            result = super().run(None, task_vars)
        # The answer comes from a server, and may have any shape.
        for name, more in (("changes", chosen.skipped), ("warnings", chosen.warnings)):
            if isinstance(result.get(name, []), list):
                result[name] = [*result.get(name, []), *more]
        return result

    def _low_level_execute_command(self, cmd, *args, **kwargs):
        # All that goes to the server passes here first: files too, which want a folder made before.
        self._connection._connect()
        folder = os.environ.get("REMEDIATE_MARKS")
        if folder and self._writes:
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
