"""A shell for each version of IIS, and servers made from configurations."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.administration.driver import DRIVER, PWSH, SOURCES, MakeServer, Server, Shell


@pytest.fixture(scope="session")
def shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Shell]]:
    """A shell for each IIS version that is asked for."""
    assert PWSH is not None
    folder = tmp_path_factory.mktemp("mwa")
    driver = folder / "driver.ps1"
    driver.write_text(DRIVER, encoding="utf-8")
    made: dict[str, Shell] = {}

    def shell(version: str) -> Shell:
        if version not in made:
            assembly = folder / version / "Microsoft.Web.Administration.dll"
            assembly.parent.mkdir()
            build = [PWSH or "", "-NoProfile", "-File", str(SOURCES / "build.ps1"), "-OutputPath", str(assembly)]
            subprocess.run([*build, "-FileVersion", version], check=True, timeout=600)
            made[version] = Shell(driver, assembly)
        return made[version]

    yield shell
    for each in made.values():
        each.close()


@pytest.fixture
def shell(shells: Callable[[str], Shell]) -> Shell:
    return shells("10.0.17763.1")


@pytest.fixture
def make_server(tmp_path: Path) -> MakeServer:
    """Make a server from a configuration: text (written as UTF-8) or bytes."""
    count = 0

    def make(config: str | bytes, *lab: str) -> Server:
        nonlocal count
        count += 1
        server = Server(tmp_path / f"server{count}" / "Windows")
        server.config.parent.mkdir(parents=True)
        server.config.write_bytes(config.encode() if isinstance(config, str) else config)
        redirection = "<configuration>\n  <configurationRedirection />\n</configuration>\n"
        (server.config.parent / "redirection.config").write_text(redirection)
        if lab:
            server.lab(*lab)
        return server

    return make
