# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which application pools have the periodic fault by their settings, and what makes that doubtful.

This is the one place that decides it: for the audit and the planner of the package, for the playbooks that take pools
by pattern, and for the table of audit.yml. Values are the texts that app_pool_info answers; None is what this version
of IIS does not know.
"""

from __future__ import annotations

import re

START_MODE = "startMode"
IDLE_TIMEOUT = "processModel.idleTimeout"
IDLE_ACTION = "processModel.idleTimeoutAction"
# What together makes the fault periodic.
CONDITION = (START_MODE, IDLE_TIMEOUT, IDLE_ACTION)

# The characters that the configuration API refuses in an application pool's name; IIS checks them when it parses the
# file, too. Any other character is legal.
ILLEGAL_IN_NAMES = frozenset('\\/"|<>:*?][+=;,@&')

# The doubts about a pool that cannot have the fault as it is now.
DORMANT = frozenset({"stopped", "unmanaged", "unused"})

_TIME = re.compile(r"(?:[0-9]+\.)?[0-9]+:[0-5][0-9]:[0-5][0-9]\Z")


def ends_when_idle(idle, action):
    """Whether an idle worker is ended, by idleTimeout (``[d.]hh:mm:ss``) and idleTimeoutAction.

    Before IIS 8.5 there is no idleTimeoutAction (None), and an idle worker is always ended. ValueError where ``idle``
    is no time span.
    """
    if idle is None:
        return False
    if not _TIME.match(idle):
        raise ValueError(f"{idle!r} is not a time span")
    return bool(re.search("[1-9]", idle)) and action != "Suspend"


def at_risk(start_mode, idle, action):
    """Whether IIS ends the idle worker of a pool and starts another one at once: rule RM001.

    A version of IIS that does not know startMode (7.0) starts none.
    """
    return start_mode == "AlwaysRunning" and ends_when_idle(idle, action)


def legal_name(name):
    """Whether IIS takes this as a pool's name. What could steer a terminal is legal: output spells it out."""
    return bool(name) and not ILLEGAL_IN_NAMES.intersection(name)


def server_doubts(shared_config):
    """The doubts about every pool of a server: kind and text. ``shared_config`` is a folder, or None."""
    if shared_config is None:
        return []
    return [("shared", f"shared configuration ({shared_config}): one edit changes every server of it")]


def pool_doubts(name, state, managed_runtime, applications):
    """The doubts about one pool: kind and text. ``applications`` are those that use it."""
    checks = (
        (not legal_name(name), "name", "its name holds characters that IIS's configuration API refuses"),
        (state == "Stopped", "stopped", "the pool is stopped"),
        (not managed_runtime, "unmanaged", "it runs no managed code"),
        (not applications, "unused", "no application uses it"),
    )
    return [(kind, text) for holds, kind, text in checks if holds]
