"""Warm processes: a command cannot tell that it runs where others have run, and takes its process with it when it ends.

Each command is sent as Ansible sends a module: its bootstrap on the command line, a wrapper and a manifest on standard
input. The wrapper here is the test's own script.
"""

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import xml.etree.ElementTree as ET
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import ansible
import pytest

from remediate_lab.engine import Server
from remediate_lab.knobs import write_knobs
from remediate_lab.pwsh import PwshEngine
from remediate_lab.recipe import from_configs
from remediate_lab.servers import make_servers
from tests.conftest import PLAIN, wait_for

pytestmark = pytest.mark.pwsh
T = TypeVar("T")

_BOOTSTRAP = (Path(ansible.__file__).parent / "executor" / "powershell" / "bootstrap_wrapper.ps1").read_text()
LINE = "powershell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand " + base64.b64encode(
    _BOOTSTRAP.encode("utf-16-le")
).decode()  # fmt: skip
_MANIFEST = {
    "scripts": {"module.ps1": {"path": None, "script": ""}},
    "actions": [
        {
            "name": "module_wrapper.ps1",
            "params": {"Script": "module.ps1", "Variables": [{"Name": "complex_args", "Value": {}}]},
        }
    ],
}


@dataclass
class Said:
    """What a command gave: its exit code, and its output in the pieces that it came in."""

    code: int = -1
    pieces: dict[str, list[bytes]] = field(default_factory=lambda: {"stdout": [], "stderr": []})

    @property
    def out(self) -> str:
        return b"".join(self.pieces["stdout"]).decode()

    @property
    def messages(self) -> list[str]:
        """Kind and text of each message; the lines of a text in one, without colours."""
        data = b"".join(self.pieces["stderr"]).decode()
        if not data:
            return []
        head, _, body = data.partition("\n")
        assert head == "#< CLIXML"
        texts = [(e.get("S", "").lower(), e.text or "") for e in ET.fromstring(body.strip()) if e.tag.endswith("}S")]
        return [
            f"{kind}: {re.sub('_x([0-9A-F]{4})_', lambda m: chr(int(m[1], 16)), text).rstrip()}" for kind, text in texts
        ]


def payload(script: str) -> bytes:
    """The script as Ansible's wrapper would be sent."""
    head = json.dumps({"name": "exec_wrapper", "script": script, "params": {}})
    return head.encode() + b"\n\0\0\0\0\n" + json.dumps(_MANIFEST).encode()


async def ask(engine: PwshEngine, server: Server, script: str) -> Said:
    said, stdin = Said(), asyncio.StreamReader()
    stdin.feed_data(payload(script))
    stdin.feed_eof()
    said.code = await engine.run(server, LINE, stdin, lambda stream, data: said.pieces[stream].append(data))
    return said


def do(engine: PwshEngine, work: Coroutine[None, None, T]) -> T:
    """Do it, and end what the engine keeps."""

    async def then_close() -> T:
        try:
            return await work
        finally:
            await engine.close()

    return asyncio.run(then_close())


Furnished = tuple[Path, Path, list[Server]]


@pytest.fixture(scope="module")
def furnished(pwsh_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """What an engine makes once, and three servers, the third with another IIS."""
    folder = tmp_path_factory.mktemp("furnished")
    servers = make_servers(folder, from_configs(PLAIN, 3), ["127.0.0.1", "127.0.0.2", "127.0.0.3"], {})
    write_knobs(servers[2].windows, iis_version="8.5")
    PwshEngine(pwsh_path, folder / "engine").furnish(servers)
    return pwsh_path, folder, servers


@pytest.fixture
def place(furnished: Furnished, tmp_path: Path) -> tuple[PwshEngine, list[Server]]:
    """An engine, and servers of the test's own."""
    pwsh, folder, servers = furnished
    shutil.copytree(folder / "servers", tmp_path / "servers", symlinks=True)
    own = [replace(server, windows=tmp_path / server.windows.relative_to(folder)) for server in servers]
    return PwshEngine(pwsh, folder / "engine"), own


COMMANDS = {
    "output": "'Ünï \u2603'; 1; @{ a = 1 }",
    "objects": "[pscustomobject]@{ Name = 'one'; Value = 2 }",
    "console": "[Console]::Out.Write('a'); [Console]::Out.WriteLine('b'); Write-Host 'c'",
    "input": "@($input).Count",
    "exit code": "'before'; exit 3; 'after'",
    "exit without one": "exit",
    "throw": "'before'; throw 'it broke'; 'after'",
    "an error that goes on": "Write-Error 'not good'; 'after'",
    "the last thing failed": "Write-Error 'not good'",
    "other messages": "Write-Warning 'look'; $VerbosePreference = 'Continue'; Write-Verbose 'more'",
    "odd characters": "[Console]::Error.Write(''); Write-Error \"a`tb _x000A_ <&> $([char]0x1b)[31m\"; 'x'",
    "a program": "& /bin/sh -c 'echo from sh; exit 4'; $LASTEXITCODE",
    "who it is": "$env:windir -eq (Get-Location).Path; $env:COMPUTERNAME; $env:TEMP; $Host.Name; $PSScriptRoot -eq ''",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_gives_what_it_gives_in_a_process_of_its_own(
    place: tuple[PwshEngine, list[Server]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output, messages and exit code: cold, in a new warm process, and where the same has run before."""
    engine, (server, *_) = place
    monkeypatch.setenv("REMEDIATE_LAB_COLD", "1")
    cold = do(engine, ask(engine, server, COMMANDS[name]))
    monkeypatch.delenv("REMEDIATE_LAB_COLD")

    async def twice() -> list[Said]:
        return [await ask(engine, server, COMMANDS[name]) for _ in range(2)]

    for warm in do(engine, twice()):
        assert (warm.out, warm.code) == (cold.out, cold.code)
        assert [told(m) for m in warm.messages] == [told(m) for m in cold.messages]


def told(message: str) -> str:
    """A message without what depends on the width of a screen, and without colours."""
    return " ".join(re.sub("\x1b\\[[0-9;]*m", "", message).split())


TELL = """
$seen = @(
    (Test-Path variable:left), (Test-Path function:Left), [bool]$env:LEFT, $ErrorActionPreference,
    (Get-Location).Path, [Environment]::CurrentDirectory, $Error.Count, (Test-Path alias:left), $PID
)
$seen -join '|'
"""
LEAVE = """
$global:left = 1; function global:Left { }; $env:LEFT = 1; $global:ErrorActionPreference = 'Stop'; $env:windir = '/'
Set-StrictMode -Version Latest; Set-Alias -Scope Global left Get-Item
[Environment]::CurrentDirectory = '/'; Set-Location /
"""


def test_nothing_is_left_for_the_next_command(place: tuple[PwshEngine, list[Server]]) -> None:
    """The next command of the process, of another server: no variable, function, setting or folder of the first."""
    engine, (first, second, other) = place

    async def all_of_them() -> list[list[str]]:
        return [
            (await ask(engine, server, TELL + LEAVE)).out.strip().split("|") for server in (first, first, second, other)
        ]

    one, two, three, four = do(engine, all_of_them())
    for answer, server in ((one, first), (two, first), (three, second), (four, other)):
        windows = str(server.windows)
        assert answer[:-1] == ["False", "False", "False", "Continue", windows, windows, "0", "False"]
    assert one[-1] == two[-1] == three[-1], "one process served them"
    assert four[-1] != one[-1], "another IIS has another assembly, which a process loads once"


def test_only_what_has_run_there_runs_there_again(place: tuple[PwshEngine, list[Server]]) -> None:
    """Another script has a process of its own, and so has what lab.txt plays with the process's end."""
    engine, (server, *_) = place

    async def each() -> list[str]:
        pids = [(await ask(engine, server, script)).out for script in ("$PID", "$PID ", "$PID")]
        write_knobs(server.windows, commit_delay_ms="50")
        return [*pids, (await ask(engine, server, "$PID")).out]

    first, other, again, cold = do(engine, each())
    assert first == again
    assert len({first, other, cold}) == 3


def test_output_comes_while_the_command_runs(place: tuple[PwshEngine, list[Server]]) -> None:
    """The first piece is there before the command may end."""
    engine, (server, *_) = place
    gate = server.windows / "go"
    script = "'first'; while (-not (Test-Path (Join-Path $env:windir 'go'))) { Start-Sleep -Milliseconds 20 }; 'last'"

    async def watched() -> tuple[int, bytes]:
        stdin, seen = asyncio.StreamReader(), bytearray()
        stdin.feed_data(payload(script))
        stdin.feed_eof()

        def emit(_stream: str, data: bytes) -> None:
            seen.extend(data)
            if b"first" in seen:
                gate.touch()

        code = await asyncio.wait_for(engine.run(server, LINE, stdin, emit), 60)
        return code, bytes(seen)

    assert do(engine, watched()) == (0, b"first\nlast\n")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_command_that_is_ended_takes_its_process_with_it(place: tuple[PwshEngine, list[Server]]) -> None:
    """As the shell's end or a deadline ends it; the next one has a new process."""
    engine, (server, *_) = place
    script = """
Set-Content (Join-Path $env:windir 'pid') $PID
if (Test-Path (Join-Path $env:windir 'quick')) { $PID } else { Start-Sleep 600 }
"""
    told_pid = server.windows / "pid"

    async def ended() -> tuple[int, str]:
        running = asyncio.create_task(ask(engine, server, script))
        await asyncio.to_thread(
            wait_for, lambda: told_pid.exists() and bool(told_pid.read_text().strip()), "its number"
        )
        pid = int(told_pid.read_text())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert gone(pid), "before the end of the command is told"
        (server.windows / "quick").touch()
        return pid, (await ask(engine, server, script)).out

    pid, next_one = do(engine, ended())
    assert int(next_one) != pid


def test_a_process_that_ends_itself_is_no_trouble(place: tuple[PwshEngine, list[Server]]) -> None:
    """Its own exit code is the command's, and the next one has another."""
    engine, (server, *_) = place
    script = """
$mark = Join-Path $env:windir 'once'
if (Test-Path $mark) { 'well' } else { Set-Content $mark 1; [Environment]::Exit(9) }
"""

    async def both() -> list[Said]:
        return [await ask(engine, server, script) for _ in range(2)]

    first, second = do(engine, both())
    assert (first.code, first.out) == (9, "")
    assert (second.code, second.out) == (0, "well\n")


def test_a_process_that_died_while_it_rested_is_no_trouble(place: tuple[PwshEngine, list[Server]]) -> None:
    """Where memory runs out, for instance: the next command has a new one."""
    engine, (server, *_) = place

    async def both() -> tuple[Said, Said]:
        first = await ask(engine, server, "$PID")
        os.kill(int(first.out), signal.SIGKILL)
        await asyncio.to_thread(wait_for, lambda: gone(int(first.out)), "its end")
        return first, await ask(engine, server, "$PID")

    first, second = do(engine, both())
    assert second.code == 0 and int(second.out) != int(first.out)


def test_no_more_run_at_once_than_there_are_cores(
    place: tuple[PwshEngine, list[Server]],
) -> None:
    """Eight at once: each waits for the other, at most as many as cores (two at least) run, and all are served."""
    engine, (server, *_) = place
    script = """
$mine = Join-Path $env:windir "running-$([Guid]::NewGuid())"
Set-Content $mine 1; @(Get-ChildItem $env:windir -Filter 'running-*').Count
Start-Sleep -Milliseconds 200; Remove-Item $mine
"""

    async def eight() -> list[Said]:
        return await asyncio.gather(*(ask(engine, server, script) for _ in range(8)))

    counts = [int(said.out) for said in do(engine, eight())]
    assert len(counts) == 8
    assert max(counts) <= max(2, os.cpu_count() or 2)
