"""audit --config of a configuration that no server has: work and memory grow with its size, and no faster.

Calls are counted, and kilobytes: no test asserts a time.
"""

import json
from pathlib import Path

import pytest

from tests.conftest import remediate
from tests.measured import calls, peak

SHAPES = ("pools", "taken away", "locations")


def config(folder: Path, pools: int, shape: str) -> Path:
    """So many pools with a site each; or all of them taken away again; or with a location for each."""
    names = range(pools)
    added = "".join(
        f'<add name="Pool {n}" startMode="AlwaysRunning">\n<processModel idleTimeout="00:10:00" /></add>\n'
        for n in names
    )
    removed = "".join(f'<remove name="Pool {n}" />\n' for n in names) if shape == "taken away" else ""
    sites = "".join(
        f'<site name="S{n}" id="{n + 1}"><application path="/" applicationPool="Pool {n}">'
        f'<virtualDirectory path="/" physicalPath="C:\\inetpub" /></application></site>\n'
        for n in names
    )
    located = "".join(f'<location path="S{n}"><system.webServer /></location>\n' for n in names)
    file = folder / f"{shape}-{pools}.config"
    file.write_text(
        "<configuration><system.applicationHost>\n"
        f"<applicationPools>\n{added}{removed}</applicationPools>\n<sites>\n{sites}</sites>\n"
        f"</system.applicationHost>\n{located if shape == 'locations' else ''}</configuration>\n"
    )
    return file


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_pools_are_twice_the_work(shape: str, tmp_path: Path) -> None:
    """Whatever stands in the file: no element is looked at once for each other one."""
    once, twice = (calls("audit", "--config", config(tmp_path, pools, shape)) for pools in (400, 800))
    assert twice <= 2.1 * once


def test_a_folder_of_backups_is_looked_through_once(tmp_path: Path) -> None:
    """A redirection.config is looked for beside each file, and not in a new listing for each."""
    for size in (50, 100):
        folder = tmp_path / str(size)
        folder.mkdir()
        for number in range(size):
            config(folder, 1, "pools").rename(folder / f"backup-{number}.config")
    once, twice = (calls("audit", "--config", tmp_path / str(size)) for size in (50, 100))
    assert twice <= 2.1 * once


def test_a_pool_costs_a_few_kilobytes(tmp_path: Path) -> None:
    """So that 100,000 pools fit into half a gigabyte."""
    small, large = (peak("audit", "--config", config(tmp_path, pools, "pools")) for pools in (500, 5_500))
    assert (large - small) / 5_000 < 6


@pytest.mark.parametrize("number", ["9" * 5000, "x", "-1", ""])
def test_a_number_of_a_site_that_is_none(number: str, tmp_path: Path) -> None:
    """Its pools are read all the same."""
    file = config(tmp_path, 1, "pools")
    file.write_text(file.read_text().replace(' id="1"', f' id="{number}"'))
    (finding,) = json.loads(remediate("audit", "--config", file, "--format", "json", expect=2).stdout)["findings"]
    assert finding["pool"] == "Pool 0"
