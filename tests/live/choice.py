"""Which server the live tests are for, by environment variables, and whether it may be used.

REMEDIATE_LIVE_INVENTORY  an inventory that Ansible reads; without it every live test is skipped
REMEDIATE_LIVE_HOST       the host in it; not needed where the inventory has one host
REMEDIATE_LIVE_SWEEP      ids of runs that were killed, separated by commas: their pools are taken away first

A vault opens as for Ansible itself: ANSIBLE_VAULT_PASSWORD_FILE, or an ansible.cfg.
"""

import os
import re
from pathlib import Path
from typing import NoReturn

import pytest

from remediate.errors import RemediateError
from remediate.fleet.inventory import WinrmHost, read_inventory
from remediate.values.fleet import Inspection, Inventory
from tests.live.server import FAMILY, Look, Server

# So many backups of runs stay on a server: with the next one the oldest goes.
_BACKUPS_KEPT = 5


def _refuse(why: str) -> NoReturn:
    """The operator's choice, and no bug: the reason is all that there is to read."""
    pytest.fail(why, pytrace=False)


def choose(folder: Path) -> Server:
    """The server that the environment names. The test is skipped where it names none."""
    source = os.environ.get("REMEDIATE_LIVE_INVENTORY")
    if not source:
        pytest.skip("no Windows server: set REMEDIATE_LIVE_INVENTORY (and REMEDIATE_LIVE_HOST), see docs/testing.md")
    if os.environ.get("PYTEST_XDIST_WORKER"):
        pytest.skip("one server, one test at a time: `make live`, or pytest -n 0 tests/live")
    try:
        targets = read_inventory(Inventory(sources=(source,), limit=os.environ.get("REMEDIATE_LIVE_HOST"))).targets
    except RemediateError as error:
        _refuse(str(error))
    if len(targets) != 1:
        _refuse(f"{source}: {len(targets)} hosts match; set REMEDIATE_LIVE_HOST to one of them")
    (host,) = targets
    if not isinstance(host, WinrmHost):
        _refuse(f"{host.host}: no host for ansible_connection: winrm {getattr(host, 'detail', '')}")
    if "remediate_fix" in host.vars:
        _refuse(f"{host.host}: remediate_fix is {host.vars['remediate_fix']} for it; choose a server without")
    return Server(host, source, folder)


def killed_runs() -> list[str]:
    """The ids in REMEDIATE_LIVE_SWEEP."""
    ids = [part.strip() for part in os.environ.get("REMEDIATE_LIVE_SWEEP", "").split(",") if part.strip()]
    for id in ids:
        if not re.fullmatch("[0-9a-f]{6}", id):
            _refuse(f"REMEDIATE_LIVE_SWEEP: {id!r} is no id: six of 0-9 and a-f, as in {FAMILY}3fa9c1-periodic")
    return ids


def refuse_unfit(inspection: Inspection, look: Look) -> None:
    """Fail where others would be harmed, or nothing would be shown; before anything is written."""
    defaults = [
        inspection.defaults[name].value if name in inspection.defaults else None
        for name in ("startMode", "processModel.idleTimeout", "processModel.idleTimeoutAction")
    ]
    usual = defaults[0] == "OnDemand" and defaults[1] != "00:00:00" and defaults[2] in ("Terminate", None)
    for unfit, reason in (
        (inspection.shared_config is not None, "its configuration is shared: every server of the share would change"),
        (not usual, "applicationPoolDefaults are not OnDemand with an idle time-out over zero that ends the worker"),
        (len(look.backups) >= _BACKUPS_KEPT, f"it has {len(look.backups)} backups of runs; the next drops the oldest"),
    ):
        if unfit:
            _refuse(f"{inspection.host}: {reason}; choose another server")
