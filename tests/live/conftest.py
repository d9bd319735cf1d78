"""The server with our pools on it; and the order of the tests, each of which goes on where the last one ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediate.values.fleet import Inspection, Pool
from tests.live.choice import choose, killed_runs, refuse_unfit
from tests.live.server import Look, Server


@dataclass(frozen=True)
class Start:
    """The server before we came, and with our pools as they were made."""

    before: Inspection
    look: Look
    made: Look
    pools: dict[str, Pool]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """As they stand in the file, whatever shuffles the others."""
    places = [at for at, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = sorted((items[at] for at in places), key=lambda item: item.location[:2])
    for at, item in zip(places, ours, strict=True):
        items[at] = item


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return choose(tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="session")
def start(server: Server) -> Iterator[Start]:
    """Makes the pools. However the tests end, pools and backups are taken away again."""
    killed = killed_runs()
    before, look = server.inspect("before.json"), server.look()
    refuse_unfit(before, look)
    if killed:
        server.remove_pools(killed)
    try:
        made = server.add_pools()
        yield Start(before, look, made, server.ours(server.inspect("made.json")))
    finally:
        server.leave()


@pytest.fixture(scope="session")
def plan(server: Server, start: Start) -> Path:
    """The fix idle-timeout, for our pools alone."""
    return server.plan("made.json", start.pools.keys(), "plan")
