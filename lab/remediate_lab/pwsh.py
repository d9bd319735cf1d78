"""The engine `pwsh`: what arrives runs as it arrives, in a real PowerShell, with the server's folder as its Windows.

A command has a process of its own, with the command line that it came with. Only what comes again and again, the
inspection and Ansible's modules, runs where the like has run before (warm.py). REMEDIATE_LAB_COLD=1 does without.
REMEDIATE_LAB_COMPILED names a folder for the compiled stand-ins, which several labs share.
"""

import asyncio
import base64
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from remediate.errors import RemediateError
from remediate.fleet.script import COMMAND_LINE
from remediate.iis.inspection import one_line
from remediate_lab.emulated.payload import NotAPayload, decode
from remediate_lab.engine import Emit, Server
from remediate_lab.knobs import read_knobs
from remediate_lab.time_zone import environment as time_zone_of
from remediate_lab.warm import Order, WarmProcesses

_HERE = Path(__file__).parent
_ASSEMBLY = "Microsoft.Web.Administration.dll"
_EVENT_LOGS = "Remediate.Lab.EventLogs.dll"
_NAMES = frozenset({"powershell", "powershell.exe", "pwsh", "pwsh.exe"})
# A PowerShell takes a core while it starts; more at once would only wait for each other.
_AT_ONCE = max(2, os.cpu_count() or 2)
_HOST = "Remediate.Lab.WarmHost.dll"
_ENCODED = re.compile(r"(?: -(?:NoProfile|NonInteractive|ExecutionPolicy \w+))+ -EncodedCommand ([A-Za-z0-9+/=]+)")
# Ansible's bootstrap. As the inspection's, it reads all of its input before it acts, so that input can be waited for.
_BOOTSTRAP = ("$input", "ConvertFrom-Json")
_PAYLOAD = b'{"name":'
# What lab.txt plays with the end of a process needs one that ends.
_COLD_KNOBS = ("commit_delay_ms", "after_commit")


def find_pwsh() -> Path | None:
    """REMEDIATE_PWSH, or `pwsh` on PATH, or one that lies beside the checkout in shared/pwsh."""
    named = os.environ.get("REMEDIATE_PWSH")
    if named:
        return Path(named) if Path(named).is_file() else None
    on_path = shutil.which("pwsh")
    if on_path:
        return Path(on_path)
    beside = _HERE.parents[2] / "shared" / "pwsh" / "pwsh"
    return beside if beside.is_file() else None


class PwshEngine:
    """Runs commands in ``pwsh``. ``scratch`` holds what is made once: the compiled stand-ins, a home, a PATH."""

    def __init__(self, pwsh: Path, scratch: Path) -> None:
        self._pwsh = pwsh.resolve()
        self._scratch = scratch
        self._compiled = Path(os.environ.get("REMEDIATE_LAB_COMPILED", scratch / "compiled"))
        self._host = scratch / _HOST
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._warm = WarmProcesses(self._start_host)
        (scratch / "home").mkdir(parents=True, exist_ok=True)
        (scratch / "bin").mkdir(exist_ok=True)
        # ansible-core 2.21 and later look for the interpreter by this name.
        link = scratch / "bin" / "powershell"
        link.unlink(missing_ok=True)
        link.symlink_to(self._pwsh)

    def furnish(self, servers: Sequence[Server]) -> None:
        """Give the servers the assemblies that their scripts use, compiled once; IIS's once for each version of it."""
        versions = {server: read_knobs(server.windows).get("iis_version", "10.0") for server in servers}
        made = {version: self._compiled / version / _ASSEMBLY for version in set(versions.values()) - {"none"}}
        self._compiled.mkdir(parents=True, exist_ok=True)
        with (self._compiled / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._compile(made)
        _link(self._host, self._compiled / _HOST)
        for server, version in versions.items():
            system = server.windows / "System32"
            _link(system / _EVENT_LOGS, self._compiled / _EVENT_LOGS)
            if version != "none":
                _link(system / "inetsrv" / _ASSEMBLY, made[version])

    def _compile(self, targets: Mapping[str, Path]) -> None:
        """What is not there yet, in one process, since most of the time is its start."""
        script = _quoted(_HERE / "windows" / "build.ps1")
        events, host = self._compiled / _EVENT_LOGS, self._compiled / _HOST
        source = _HERE / "powershell" / "WarmHost.cs"
        making = {dll: f"& {script} -OutputPath {_quoted(dll)} -FileVersion {v}.0.1" for v, dll in targets.items()}
        making[events] = f"& {script} -OutputPath {_quoted(events)} -EventLogs"
        making[host] = f"Add-Type -Path {_quoted(source)} -OutputAssembly {_quoted(host)} -OutputType Library"
        lines = [line for dll, line in making.items() if not dll.exists()]
        if not lines:
            return
        for dll in making:
            dll.parent.mkdir(exist_ok=True)
        lines.insert(0, "$ErrorActionPreference = 'Stop'")
        done = subprocess.run(
            [str(self._pwsh), "-NoProfile", "-NonInteractive", "-Command", "\n".join(lines)],
            env=self._common(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode != 0 or not all(dll.exists() for dll in making):
            why = one_line(done.stderr)
            raise RemediateError(f"{self._pwsh}: cannot compile the lab's stand-ins: {why}")

    def _common(self) -> dict[str, str]:
        return {
            "PATH": f"{self._scratch / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self._scratch / "home"),
            "NO_COLOR": "1", "TERM": "dumb", "LC_ALL": "C.UTF-8",
            "POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off",
        }  # fmt: skip

    def environment(self, server: Server) -> dict[str, str]:
        windows = str(server.windows)
        temp = server.windows / "Temp"
        temp.mkdir(exist_ok=True)
        return self._common() | time_zone_of(server.windows) | {
            "windir": windows, "SystemRoot": windows, "ProgramFiles": str(server.windows.parent / "Program Files"),
            "COMPUTERNAME": read_knobs(server.windows).get("computer"),
            "PSModulePath": str(_HERE / "windows" / "Modules"),
            "TEMP": str(temp), "TMP": str(temp), "TMPDIR": str(temp),
        }  # fmt: skip

    async def run(self, server: Server, line: str, stdin: asyncio.StreamReader, emit: Emit) -> int:
        try:
            program, *arguments = shlex.split(line)
        except ValueError:
            program, arguments = line, []
        if program.lower() not in _NAMES:
            emit("stderr", f"'{program}' is not recognized: the lab runs PowerShell only\r\n".encode())
            return 1
        mode = read_knobs(server.windows).get("language_mode", "FullLanguage")
        if mode != "FullLanguage" and arguments[-2:-1] == ["-EncodedCommand"]:
            arguments = [*arguments[:-1], _in_mode(mode, arguments[-1])]
        script = _script(arguments) if self._may_warm() and mode == "FullLanguage" else None
        head = b""
        if script is not None:
            head = await stdin.read(65536)
            if line == COMMAND_LINE or head.startswith(_PAYLOAD):
                head, stdin = head + await stdin.read(), _ended()
                if key := _key(server, line, head):
                    order = Order(script, self.environment(server), server.windows, head)
                    async with self._slots:
                        return await self._warm.run(key, order, emit)
        async with self._slots:
            return await self._run_cold(server, arguments, head, stdin, emit)

    async def close(self) -> None:
        """End the processes that rest."""
        await self._warm.close()

    async def _run_cold(
        self, server: Server, arguments: Sequence[str], head: bytes, stdin: asyncio.StreamReader, emit: Emit
    ) -> int:
        process = await asyncio.create_subprocess_exec(
            self._pwsh, *arguments, env=self.environment(server), cwd=server.windows,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            pass_fds=_lock_fds(),
        )  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        try:
            async with asyncio.TaskGroup() as tasks:
                feeding = tasks.create_task(_feed(head, stdin, process.stdin))
                tasks.create_task(_drain(process.stdout, "stdout", emit))
                tasks.create_task(_drain(process.stderr, "stderr", emit))
                code = await process.wait()
                feeding.cancel()
            return code
        finally:
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())

    def _may_warm(self) -> bool:
        """There is a host once `furnish` has made it."""
        return self._host.exists() and not os.environ.get("REMEDIATE_LAB_COLD")

    async def _start_host(self, orders: int, answers: int) -> asyncio.subprocess.Process:
        serve = f"Add-Type -Path {_quoted(self._host)}; [Remediate.Lab.WarmHost]::Serve({orders}, {answers})"
        return await asyncio.create_subprocess_exec(
            self._pwsh, "-NoProfile", "-NonInteractive", "-Command", serve, env=self._common(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            pass_fds=(*_lock_fds(), orders, answers),
        )  # fmt: skip


def _key(server: Server, line: str, given: bytes) -> str | None:
    """What this command shares with the like of it: all but its arguments. None: it is to have its own process."""
    knobs = read_knobs(server.windows)
    if any(knobs.get(name) not in ("", "0") for name in _COLD_KNOBS):
        return None
    try:
        scripts = {"inspection": given} if line == COMMAND_LINE else decode(given).scripts
    except NotAPayload:
        return None
    wrapper = given.partition(b"\n")[0]
    parts = [knobs.get("iis_version").encode(), line.encode(), wrapper, *(s for _, s in sorted(scripts.items()))]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _script(arguments: Sequence[str]) -> str | None:
    """What -EncodedCommand says, if it is a script that waits for all of its input."""
    encoded = _ENCODED.fullmatch(" " + " ".join(arguments))
    try:
        text = base64.b64decode(encoded[1]).decode("utf-16-le") if encoded else ""
    except ValueError:
        return None
    waits = arguments == COMMAND_LINE.split()[1:] or all(word in text for word in _BOOTSTRAP)
    return text if waits else None


def _in_mode(mode: str, encoded: str) -> str:
    """The same script in a session that may do less, as a policy of Windows makes it."""
    text = base64.b64decode(encoded).decode("utf-16-le")
    limited = f"$ExecutionContext.SessionState.LanguageMode = '{mode}'; {text}"
    return base64.b64encode(limited.encode("utf-16-le")).decode()


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _ended() -> asyncio.StreamReader:
    nothing = asyncio.StreamReader()
    nothing.feed_eof()
    return nothing


def _quoted(path: Path) -> str:
    """As PowerShell's literal text."""
    return "'" + str(path).replace("'", "''") + "'"


def _lock_fds() -> tuple[int, ...]:
    """The lab's lock goes to every child, so that it is free only when all of them have ended (see control.py)."""
    inherited = os.environ.get("REMEDIATE_LAB_LOCK_FD")
    return (int(inherited),) if inherited else ()


async def _feed(head: bytes, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        sink.write(head)
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # it ended without reading everything, as programs do


async def _drain(source: asyncio.StreamReader, stream: Literal["stdout", "stderr"], emit: Emit) -> None:
    while data := await source.read(32768):
        emit(stream, data)
