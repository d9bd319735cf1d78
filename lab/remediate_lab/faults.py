"""Faults that a server plays when its lab.txt says so, whatever engine runs its commands.

``fault=``: on the wire, for each request
    silent          takes the connection and the request, and never answers
    rubbish         answers 200 with what is no SOAP, as another service on that port would
    500             answers HTTP 500 with nothing
    locked          refuses the account, whoever asks
    offers:SCHEMES  refuses everything, and offers these in WWW-Authenticate: ``Negotiate, Kerberos``
    redirect:URL    sends the client there, with HTTP 302; ``redirect:307 URL`` with that, ``redirect:300`` nowhere
    redirect@handshake:..., redirect@Receive:...
                    the same in the middle of an NTLM handshake, or as the answer to that operation alone
    bomb:KIND       answers with what would fill the client's memory; wsman/bombs.py has the kinds
    soap:FAULT      answers with that WS-Management fault, CODE SUBCODE TEXT: ``5 w:AccessDenied Zugriff verweigert``
or in a command
    mute            ends at once with exit code 0, or that of ``exit=NUMBER``, and no output
    endless         never stops talking
    trickle         never stops talking, in words of two bytes
``before=FILE``, ``after=FILE``: each command prints that file's bytes first or last, as cmd's AutoRun and profiles do.
``answer=FILE``: the inspection's answer is that file's bytes.
``delay=SECONDS``: each command's answer is late by that much.
"""

import asyncio
from pathlib import Path

from remediate.fleet.script import COMMAND_LINE
from remediate_lab.engine import Emit, Engine, Server
from remediate_lab.knobs import read_knobs
from remediate_lab.wsman.bombs import KINDS

_WIRE_FAULTS = ("", "silent", "rubbish", "500", "locked", "offers", "redirect", "soap", "bomb")
_COMMAND_FAULTS = ("mute", "endless", "trickle")

# The command that an inspection runs; no other has this end.
_INSPECTION = COMMAND_LINE.rpartition(" ")[2]

_CHATTER = b"and so on and so on\r\n" * 1500
# After this much a client that still listens hears nothing more: the lab must not fill the memory for one that is gone.
_MOST_CHATTER = 8000


def wire_fault(server: Server) -> str:
    """The fault that the server plays before any command is looked at; ValueError for one that is not known."""
    fault = read_knobs(server.windows).get("fault")
    if fault in _COMMAND_FAULTS:
        return ""
    name, _, more = fault.partition(":")
    if name.partition("@")[0] not in _WIRE_FAULTS or (name == "bomb" and more not in KINDS):
        raise ValueError(f"{server.name}: lab.txt: fault={fault} is not known")
    return fault


class FaultyEngine:
    """An engine with those faults that lie in a command."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self, server: Server, line: str, stdin: asyncio.StreamReader, emit: Emit) -> int:
        knobs = read_knobs(server.windows)
        await asyncio.sleep(float(knobs.get("delay", "0")))
        fault, answer = knobs.get("fault"), knobs.get("answer")
        if fault in ("endless", "trickle"):
            for _ in range(_MOST_CHATTER):
                emit("stdout", _CHATTER if fault == "endless" else b"x\n")
                await asyncio.sleep(0.005)
            await asyncio.Event().wait()
        if fault == "mute":
            await stdin.read()
            return int(knobs.get("exit", "0"))
        await _print(knobs.get("before"), emit)
        if answer and line.endswith(_INSPECTION):
            await stdin.read()
            await _print(answer, emit)
            code = 0
        else:
            code = await self._engine.run(server, line, stdin, emit)
        await _print(knobs.get("after"), emit)
        return code


async def _print(file: str, emit: Emit) -> None:
    if file:
        emit("stdout", await asyncio.to_thread(Path(file).read_bytes))
