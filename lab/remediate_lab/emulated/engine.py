"""Recognises what arrives by its hash, answers it in Python, and refuses all else loudly."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from remediate.collection import collection
from remediate.fleet.script import COMMAND_LINE, MOST_DAYS, inspection_script, stop_script
from remediate.iis.schema import ConfigError
from remediate_lab.emulated.change import Killed, app_pool_settings
from remediate_lab.emulated.iis import NoApi, config_path, failure
from remediate_lab.emulated.inspection import inspection
from remediate_lab.emulated.lock import stop
from remediate_lab.emulated.payload import NotAPayload, decode
from remediate_lab.engine import Emit, Server
from remediate_lab.knobs import read_knobs

_INSPECTION_BOOTSTRAP = COMMAND_LINE.rpartition(" ")[2]
_RUN = re.compile(rb"^\$stopped = '([A-Za-z0-9-]{1,80})'$", re.MULTILINE)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class EmulatedEngine:
    """Knows the files of this package as they were when it was made."""

    def __init__(self) -> None:
        plugins = collection() / "plugins"
        # The script for each number of days that an audit may ask for; 0: it asks for no event.
        self._inspections = {_sha(inspection_script(days)): days for days in range(MOST_DAYS + 1)}
        self._modules = {path.stem: _sha(path.read_bytes()) for path in plugins.glob("modules/*.ps1")}
        self._utils = {_sha(path.read_bytes()) for path in plugins.glob("module_utils/*.psm1")}

    async def run(self, server: Server, line: str, stdin: asyncio.StreamReader, emit: Emit) -> int:
        text = await stdin.read()
        days = self._inspections.get(_sha(text))
        if line.endswith(_INSPECTION_BOOTSTRAP) and days is not None:
            return _inspect(server.windows, days, emit)
        if line.endswith(_INSPECTION_BOOTSTRAP) and (run := _RUN.search(text)):
            name = run[1].decode()
            if text == stop_script(name):
                if stop(config_path(server.windows)[0].parent, name):
                    emit("stdout", b"asked\r\n")
                return 0
        try:
            payload = decode(text)
        except NotAPayload as error:
            return _refuse(line, str(error), emit)
        name = payload.module.removeprefix("ansible_collections.remediate.iis.plugins.modules.").removesuffix(".ps1")
        name = name.rpartition(".")[2]
        if self._modules.get(name) != _sha(payload.scripts.get(payload.module, b"")):
            return _refuse(line, f"the module {payload.module} is not one of ours, or was changed", emit)
        unknown = [
            key
            for key, script in payload.scripts.items()
            if "module_utils.Iis" in key and _sha(script) not in self._utils
        ]
        if unknown:
            return _refuse(line, f"{unknown[0]} was changed", emit)
        try:
            result = await _module(server.windows, name, payload.arguments)
        except Killed:
            return 9
        # A server that lies: what it adds to the module's answer, or puts in the place of it.
        result |= json.loads(read_knobs(server.windows).get("lie", "{}"))
        emit("stdout", (json.dumps(result) + "\n").encode())
        return 1 if result.get("failed") else 0


async def _module(windows: Path, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if name == "app_pool_info":
        try:
            return {"changed": False, "inspection": inspection(windows, int(arguments.get("evidence_days") or 0))}
        except (ConfigError, OSError, ValueError) as error:
            return {
                "changed": False,
                "failed": True,
                "msg": f"the configuration could not be read: {failure(windows, error)}",
            }
    return await app_pool_settings(windows, arguments)


def _inspect(windows: Path, days: int, emit: Emit) -> int:
    mode = read_knobs(windows).get("language_mode", "FullLanguage")
    if mode != "FullLanguage":
        answer: dict[str, Any] = {"format": "remediate.inspection", "format_version": 1, "language_mode": mode}
        emit("stdout", (json.dumps(answer) + "\r\n").encode("ascii"))
        return 0
    try:
        answer = inspection(windows, days)
    except (ConfigError, OSError, ValueError) as error:
        kind, number = "System.Runtime.InteropServices.COMException", "0x8007000D"
        if isinstance(error, NoApi):
            kind, number = "System.Management.Automation.RuntimeException", "0x80131501"
        if isinstance(error, PermissionError):
            kind, number = "System.UnauthorizedAccessException", "0x80070005"
        answer = {
            "format": "remediate.inspection", "format_version": 1,
            "error": {"type": kind, "hresult": number, "message": failure(windows, error)},
        }  # fmt: skip
    emit("stdout", (json.dumps(answer) + "\r\n").encode("ascii"))
    return 0


def _refuse(line: str, why: str, emit: Emit) -> int:
    shown = line if len(line) <= 60 else line[:60] + "..."
    encoded = line.rpartition(" ")[2]
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        shown = base64.b64decode(encoded, validate=True).decode("utf-16-le")[:120]
    emit(
        "stderr",
        f"The lab's emulated engine knows only remediate's own scripts and modules ({why}): {shown!r}\n".encode(),
    )
    return 1
