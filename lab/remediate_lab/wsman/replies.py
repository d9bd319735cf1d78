"""Answers of the Windows remote shell: what to tell the client, as the bytes of a SOAP envelope.

Every answer says in RelatesTo which request it belongs to; pywinrm and Ansible compare it after Signal and Delete.
Everything that came from a client or from a server's name is escaped.

Read back by pywinrm 0.5.0 and by ansible-core 2.19.14, 2.21.5 and 2.22.0rc1; no other client was tried.
"""

import base64
import uuid
from collections.abc import Iterable
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from remediate_lab.wsman.faults import Fault
from remediate_lab.wsman.soap import ADDRESSING, CMD, NAMES, SHELL, TRANSFER

CONTENT_TYPE = "application/soap+xml;charset=UTF-8"

_ANONYMOUS = f"{ADDRESSING}/role/anonymous"
_FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_DECLARATIONS = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())


def created(relates_to: str, shell_id: str) -> bytes:
    """The answer to Create. pywinrm takes the id from the selector, other clients from the Shell."""
    return _reply(
        f"{TRANSFER}/CreateResponse",
        relates_to,
        f"<x:ResourceCreated><a:Address>{_ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{CMD}</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId><rsp:ResourceUri>{CMD}</rsp:ResourceUri></rsp:Shell>",
    )


def started(relates_to: str, command_id: str) -> bytes:
    """The answer to Command."""
    body = f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
    return _reply(f"{SHELL}/CommandResponse", relates_to, body)


def output(relates_to: str, command_id: str, streams: Iterable[tuple[str, bytes]], exit_code: int | None) -> bytes:
    """The answer to Receive: some output, and the exit code when there is no more to come."""
    parts = [
        f'<rsp:Stream Name="{name}" CommandId="{command_id}">{base64.b64encode(data).decode()}</rsp:Stream>'
        for name, data in streams
    ]
    if exit_code is None:
        parts.append(f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Running"/>')
    else:
        parts += [f'<rsp:Stream Name="{name}" CommandId="{command_id}" End="true"/>' for name in ("stdout", "stderr")]
        parts.append(
            f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{exit_code}</rsp:ExitCode></rsp:CommandState>"
        )
    body = f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
    return _reply(f"{SHELL}/ReceiveResponse", relates_to, body)


def done(relates_to: str, operation: Literal["Send", "Signal", "Delete"]) -> bytes:
    """The answer to what has nothing to tell but that it is done."""
    if operation == "Delete":
        return _reply(f"{TRANSFER}/DeleteResponse", relates_to, "")
    return _reply(f"{SHELL}/{operation}Response", relates_to, f"<rsp:{operation}Response/>")


def fault(relates_to: str, machine: str, what: Fault) -> bytes:
    """A fault, as Windows lays it out. ``machine`` is the name that the client knows the server by."""
    message = escape(what.message or what.reason)
    if what.wmi:
        detail = (
            f'<p:MSFT_WmiError xmlns:p="{_WMI_ERROR}"><p:Message>{message}</p:Message>'
            f"<p:MessageID>HRESULT 0x{what.code:08x}</p:MessageID><p:error_Code>{what.code}</p:error_Code>"
            f"<p:error_Type>HRESULT</p:error_Type></p:MSFT_WmiError>"
        )
    else:
        detail = (
            f'<f:WSManFault xmlns:f="{_WSMAN_FAULT}" Code="{what.code}" Machine={quoteattr(machine)}>'
            f"<f:Message>{message}</f:Message></f:WSManFault>"
        )
    return _reply(
        f"{ADDRESSING}/fault" if what.subcode.startswith("a:") else _FAULT,
        relates_to,
        f"<s:Fault><s:Code><s:Value>{what.blame}</s:Value><s:Subcode><s:Value>{what.subcode}</s:Value></s:Subcode>"
        f'</s:Code><s:Reason><s:Text xml:lang="en-US">{escape(what.reason)}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>",
    )


def _reply(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xml:lang="en-US" {_DECLARATIONS}><s:Header>'
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{_ANONYMOUS}</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
