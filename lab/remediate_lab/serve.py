"""The lab's process: serves the servers of a state folder until it is told to end."""

import asyncio
import resource
import signal
import sys
from pathlib import Path

from remediate.errors import RemediateError
from remediate_lab.control import TLS, USER, Settings
from remediate_lab.emulated.engine import EmulatedEngine
from remediate_lab.engine import Engine, Server
from remediate_lab.faults import FaultyEngine, wire_fault
from remediate_lab.pwsh import PwshEngine, find_pwsh
from remediate_lab.tls import load
from remediate_lab.wsman import WsmanServer


async def serve(state: Path) -> None:
    """Listen, say so by the file ``ready``, and wait for SIGTERM."""
    settings = Settings.read(state)
    # A listener for each server, and its clients.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    servers = [
        Server(name, address, state / "servers" / name / "Windows") for name, address in settings.servers.items()
    ]
    engine = _engine(settings.engine, state, servers)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    context, certificate = load(state / TLS) if settings.tls else (None, None)
    async with WsmanServer(
        servers, FaultyEngine(engine), port=settings.port, auth=settings.auth, user=USER, password=settings.password,
        tls=context, certificate=certificate, fault=wire_fault,
    ):  # fmt: skip
        (state / "ready").touch()
        await ended.wait()
    if isinstance(engine, PwshEngine):
        await engine.close()


def _engine(name: str, state: Path, servers: list[Server]) -> Engine:
    if name == "emulated":
        return EmulatedEngine()
    pwsh = find_pwsh()
    if pwsh is None:
        raise RemediateError(
            "no PowerShell was found: put pwsh on PATH, name it in REMEDIATE_PWSH, or use --engine emulated"
        )
    engine = PwshEngine(pwsh, state / "engine")
    engine.furnish(servers)
    return engine


if __name__ == "__main__":
    try:
        asyncio.run(serve(Path(sys.argv[1]).resolve()))
    except (RemediateError, OSError) as error:
        sys.exit(f"{error}")
