"""A Windows server with OpenSSH, as far as Ansible needs one: what arrives runs in an engine of the lab.

Commands only; Ansible pipelines a PowerShell module over ssh, and copies no file.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import asyncssh

from remediate_lab.engine import Engine, Server
from tests.background import background_loop


@contextmanager
def ssh_server(engine: Engine, server: Server, folder: Path) -> Iterator[dict[str, Any]]:
    """Serve it in a thread of its own until left; gives what an inventory says of it."""
    folder.mkdir()
    key, host_key = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(folder / "key"))
    (folder / "key").chmod(0o600)
    key.write_public_key(str(folder / "key.pub"))

    async def session(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        stdin = asyncio.StreamReader()

        async def feed() -> None:
            while data := await process.stdin.read(65536):
                stdin.feed_data(data)
            stdin.feed_eof()

        def emit(stream: Literal["stdout", "stderr"], data: bytes) -> None:
            (process.stdout if stream == "stdout" else process.stderr).write(data)

        feeding = asyncio.create_task(feed())
        try:
            process.exit(await engine.run(server, process.command or "", stdin, emit))
        finally:
            feeding.cancel()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            server.address, 0, server_host_keys=[host_key], authorized_client_keys=str(folder / "key.pub"),
            process_factory=session, encoding=None,
        )  # fmt: skip

    with background_loop() as run:
        acceptor = run(listen())
        try:
            known_hosts = folder / "known_hosts"
            public = host_key.export_public_key().decode().strip()
            known_hosts.write_text(f"[{server.address}]:{acceptor.get_port()} {public}\n")
            # The user's own configuration and agent play no part; and no connection outlives the test.
            options = f"-F none -o IdentitiesOnly=yes -o ControlMaster=no -o UserKnownHostsFile={known_hosts}"
            yield {
                "ansible_connection": "ssh", "ansible_shell_type": "powershell", "ansible_host": server.address,
                "ansible_port": acceptor.get_port(), "ansible_user": "ops", "ansible_ssh_args": options,
                "ansible_ssh_private_key_file": str(folder / "key"),
            }  # fmt: skip
        finally:
            run(_close(acceptor))


async def _close(acceptor: asyncssh.SSHAcceptor) -> None:
    acceptor.close()
    await acceptor.wait_closed()
