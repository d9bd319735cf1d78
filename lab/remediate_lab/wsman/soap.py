"""Requests of the Windows remote shell: bytes in, frozen values out.

The rule of this file: any bytes give a ``Request``, ``Malformed`` (not an envelope that could be answered: HTTP 400)
or ``Refused`` (an envelope that gets a SOAP fault), and nothing else. A document type is refused before its first
entity is read, so there is nothing to expand. Nothing here waits, and nothing here knows a shell.

The messages are those of [MS-WSMV] that pywinrm and Ansible send: Create, Command, Send, Receive, Signal, Delete.
Tried with what pywinrm 0.5.0 and ansible-core 2.19.14, 2.21.5 and 2.22.0rc1 send, and with mangled bytes.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from remediate_lab.wsman.faults import UNKNOWN_ACTION, UNKNOWN_RESOURCE, Refused, invalid

ENV = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = f"{SHELL}/cmd"
_TERMINATE = f"{SHELL}/signal/terminate"
NAMES = {"s": ENV, "a": ADDRESSING, "x": TRANSFER, "w": WSMAN, "rsp": SHELL}

# Windows waits a minute where a request does not say how long (the default of MaxTimeoutms). The lower bound is the
# lab's own: a client that asks for PT0S would spin without it.
_DEFAULT_TIMEOUT = 60.0
_SHORTEST_TIMEOUT = 0.5

# xs:duration without years and months, whose length in seconds nobody knows. Nine digits keep it a sane number.
_DURATION = re.compile(
    r"P(?=.)(?:([0-9]{1,9})D)?(?:T(?=.)(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?"
)


class Malformed(Exception):
    """The bytes are not a SOAP envelope that can be answered."""


@dataclass(frozen=True)
class CreateShell:
    """Open a shell. ``idle_timeout`` is in seconds, None where the client leaves it to the server."""

    environment: tuple[tuple[str, str], ...]
    codepage: int
    working_directory: str | None
    idle_timeout: float | None


@dataclass(frozen=True)
class RunCommand:
    """Start a command. ``line`` is Command and Arguments joined by a space, as winrs does."""

    shell_id: str
    line: str
    console_stdin: bool
    skip_cmd_shell: bool


@dataclass(frozen=True)
class SendInput:
    """Bytes for a command's standard input; ``end`` closes it."""

    shell_id: str
    command_id: str
    data: bytes
    end: bool


@dataclass(frozen=True)
class ReceiveOutput:
    """Ask for a command's output."""

    shell_id: str
    command_id: str


@dataclass(frozen=True)
class TerminateCommand:
    """The only signal that the lab knows: end the command and forget it."""

    shell_id: str
    command_id: str


@dataclass(frozen=True)
class DeleteShell:
    """Close a shell and end its commands."""

    shell_id: str


@dataclass(frozen=True)
class Envelope:
    """A SOAP envelope that can be answered: its MessageID, its header and its body."""

    message_id: str
    header: Element
    body: Element


@dataclass(frozen=True)
class Request:
    """What the client asks for, and how many seconds an answer may take."""

    operation: CreateShell | RunCommand | SendInput | ReceiveOutput | TerminateCommand | DeleteShell
    timeout: float


class _NoDoctype(TreeBuilder):
    """Builds the tree, and stops at a document type: entities are declared there and nowhere else."""

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> NoReturn:
        """Called when the declaration starts, before anything in it is read."""
        raise Malformed(f"document types are not accepted (<!DOCTYPE {name}>)")


def parse_envelope(message: bytes) -> Envelope:
    """Read the bytes as an envelope, or raise ``Malformed``. They are UTF-8, whatever they declare."""
    # The encoding is given so that a declared one cannot choose among Python's codecs.
    parser = XMLParser(target=_NoDoctype(), encoding="utf-8")  # noqa: S314  # document types are refused
    try:
        parser.feed(message)
        root = parser.close()
    except ParseError as error:
        raise Malformed(f"not well-formed XML: {error}") from None
    header, body = root.find("s:Header", NAMES), root.find("s:Body", NAMES)
    if root.tag != f"{{{ENV}}}Envelope" or header is None or body is None:
        raise Malformed("not a SOAP 1.2 envelope with a header and a body")
    message_id = _text(header, "a:MessageID")
    if not message_id:
        raise Malformed("the envelope has no MessageID")
    return Envelope(message_id, header, body)


def parse_request(envelope: Envelope) -> Request:
    """Read what the envelope asks for, or raise ``Refused``."""
    header, body = envelope.header, envelope.body
    if _text(header, "w:ResourceURI") != CMD:
        raise Refused(UNKNOWN_RESOURCE)
    timeout = _seconds(header, "w:OperationTimeout")
    timeout = _DEFAULT_TIMEOUT if timeout is None else max(timeout, _SHORTEST_TIMEOUT)
    options = {option.get("Name", ""): option.text or "" for option in header.iterfind("w:OptionSet/w:Option", NAMES)}
    action = _text(header, "a:Action")
    if action == f"{TRANSFER}/Create":
        return Request(_create(body, options), timeout)
    shell_id = _text(header, "w:SelectorSet/w:Selector[@Name='ShellId']")
    if action == f"{TRANSFER}/Delete":
        return Request(DeleteShell(shell_id), timeout)
    if action == f"{SHELL}/Command":
        return Request(_run(body, shell_id, options), timeout)
    if action == f"{SHELL}/Send":
        return Request(_send(body, shell_id), timeout)
    if action == f"{SHELL}/Receive":
        return Request(ReceiveOutput(shell_id, _command_id(body, "rsp:Receive/rsp:DesiredStream")), timeout)
    if action == f"{SHELL}/Signal":
        if _text(body, "rsp:Signal/rsp:Code") != _TERMINATE:
            raise Refused(invalid("Signal: the lab knows no other code than terminate."))
        return Request(TerminateCommand(shell_id, _command_id(body, "rsp:Signal")), timeout)
    raise Refused(UNKNOWN_ACTION)


def _create(body: Element, options: dict[str, str]) -> CreateShell:
    codepage = options.get("WINRS_CODEPAGE", "437")
    if not re.fullmatch("[0-9]{1,5}", codepage):
        raise Refused(invalid("WINRS_CODEPAGE is not the number of a code page."))
    variables = body.iterfind("rsp:Shell/rsp:Environment/rsp:Variable", NAMES)
    return CreateShell(
        environment=tuple((variable.get("Name", ""), variable.text or "") for variable in variables),
        codepage=int(codepage),
        working_directory=_text(body, "rsp:Shell/rsp:WorkingDirectory") or None,
        idle_timeout=_seconds(body, "rsp:Shell/rsp:IdleTimeOut"),
    )


def _run(body: Element, shell_id: str, options: dict[str, str]) -> RunCommand:
    command = _text(body, "rsp:CommandLine/rsp:Command")
    if not command:
        raise Refused(invalid("CommandLine has no Command."))
    arguments = [argument.text or "" for argument in body.iterfind("rsp:CommandLine/rsp:Arguments", NAMES)]
    return RunCommand(
        shell_id=shell_id,
        line=" ".join([command, *arguments]),
        console_stdin=_true(options.get("WINRS_CONSOLEMODE_STDIN", "TRUE")),
        skip_cmd_shell=_true(options.get("WINRS_SKIP_CMD_SHELL", "FALSE")),
    )


def _send(body: Element, shell_id: str) -> SendInput:
    streams = body.findall("rsp:Send/rsp:Stream", NAMES)
    if len(streams) != 1 or streams[0].get("Name") != "stdin":
        raise Refused(invalid("Send takes one Stream, named stdin."))
    try:
        # Whitespace is allowed in xs:base64Binary, anything else that is not base64 is not.
        data = base64.b64decode("".join((streams[0].text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(invalid("Send: the Stream is not base64.")) from None
    return SendInput(shell_id, _command_id(body, "rsp:Send/rsp:Stream"), data, _true(streams[0].get("End", "false")))


def _text(parent: Element, path: str) -> str:
    return parent.findtext(path, default="", namespaces=NAMES)


def _true(text: str) -> bool:
    return text.strip().lower() in ("true", "1")


def _command_id(body: Element, path: str) -> str:
    element = body.find(path, NAMES)
    command_id = None if element is None else element.get("CommandId")
    if not command_id:
        raise Refused(invalid(f"{path.removeprefix('rsp:')} has no CommandId."))
    return command_id


def _seconds(parent: Element, path: str) -> float | None:
    text = _text(parent, path).strip()
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Refused(invalid(f"{path} is not a duration like PT20S."))
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
