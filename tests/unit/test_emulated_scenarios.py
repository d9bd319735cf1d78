"""The engine `emulated` keeps to one writer as the scripts do: the same scenarios."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from remediate_lab.emulated.change import app_pool_settings
from remediate_lab.emulated.lock import stop
from remediate_lab.knobs import write_knobs
from remediate_lab.recipe import from_configs
from remediate_lab.servers import make_servers
from tests.conftest import PLAIN
from tests.powershell.bench import CONFIG, Bench
from tests.powershell.lock_scenarios import LOCKS
from tests.powershell.scenarios import Scenario


class Emulated(Bench):
    """A server without a PowerShell."""

    def __init__(self, folder: Path) -> None:
        (server,) = make_servers(folder, from_configs(PLAIN, 1), ["127.0.0.1"], {})
        self.windows = server.windows
        write_knobs(self.windows, computer="WEB01")
        places = (self.windows / "lab.txt", *(self.windows / CONFIG).iterdir())
        self._pristine = {path: path.read_bytes() for path in places}
        self._iis_version = "10.0"
        self.fresh()

    def module(self, name: str, check: bool = False, **arguments: Any) -> Any:
        assert name == "app_pool_settings"
        return asyncio.run(app_pool_settings(self.windows, arguments | {"_ansible_check_mode": check}))

    def stop(self, run: str) -> str:
        return "asked" if stop(self.config.parent, run) else ""


@pytest.mark.parametrize("scenario", LOCKS, ids=lambda scenario: scenario.__name__)
def test_it_is_as_in_a_powershell(scenario: Scenario, tmp_path: Path) -> None:
    scenario(Emulated(tmp_path))
