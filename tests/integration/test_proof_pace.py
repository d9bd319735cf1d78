"""The proof after an apply is an inspection like another: --forks and --timeout count there too."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

from tests.background import background_loop
from tests.conftest import Site, remediate


@dataclass
class Watched:
    """Stands before servers, and counts how many of them are asked at the same moment."""

    asked: set[str] = field(default_factory=set)
    most: int = 0
    servers: list[asyncio.Server] = field(default_factory=list)

    async def close(self) -> None:
        for server in self.servers:
            server.close()

    async def stand_before(self, address: str, port: int) -> int:
        """A port of 127.0.0.1 that leads to the server."""

        async def pass_on(from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
            from_server, to_server = await asyncio.open_connection(address, port)

            async def ask() -> None:
                while data := await from_client.read(65536):
                    self.asked.add(address)
                    self.most = max(self.most, len(self.asked))
                    to_server.write(data)
                to_server.close()

            async def answer() -> None:
                while data := await from_server.read(65536):
                    self.asked.discard(address)
                    to_client.write(data)
                to_client.close()

            await asyncio.gather(ask(), answer())

        server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
        self.servers.append(server)
        listening: int = server.sockets[0].getsockname()[1]
        return listening


def test_the_proof_asks_as_many_hosts_as_were_given(take: Callable[[str, str], Site]) -> None:
    """One at a time with --forks 1, in the run and in the proof; together with more."""
    sites = [take("emulated", "basic") for _ in range(2)]
    whole = yaml.safe_load(sites[0].inventory.read_text())
    port = whole["iis"]["vars"]["ansible_port"]
    watched = Watched()
    with background_loop() as run:
        for site in sites:
            (host,) = json.loads((site.folder / f"{site.name}.json").read_text()).values()
            leads = run(watched.stand_before(host["ansible_host"], port))
            whole["iis"]["hosts"][site.name] = {"ansible_host": "127.0.0.1", "ansible_port": leads}
        inventory, plan = sites[0].inventory, sites[0].folder / "plan"
        inventory.write_text(yaml.safe_dump(whole))
        remediate("plan", "-i", inventory, "--fix", "on-demand", "--out", plan, "--forks", "1", expect=2)
        for site in sites:
            site.knobs(delay="1")
        remediate("apply", plan, "-i", inventory, "--yes", "--forks", "1", expect=0)
        assert watched.most == 1
        remediate("apply", plan, "-i", inventory, "--yes", "--forks", "2", expect=0)
        assert watched.most == 2
        run(watched.close())


def test_the_proof_has_the_timeout_that_was_given(take: Callable[[str, str], Site]) -> None:
    """A server that is slower than that is changed all the same, and its change is reported as not proven."""
    site = take("emulated", "basic")
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2)
    site.knobs(delay="6")
    done = remediate("apply", plan, "-i", site.inventory, "--yes", "--timeout", "3", expect=3)
    assert "changed" in done.stdout
    assert f"{site.name}: could not be read again: the script did not end in time" in done.stdout
    done = remediate("apply", plan, "-i", site.inventory, "--yes", "--timeout", "60", expect=0)
    assert "could not be read again" not in done.stdout
