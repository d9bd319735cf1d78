"""The faults that the lab's WS-Management service answers with.

A fault's code, blame and subcode are what Windows sends, because clients decide by them: pywinrm by the code
2150858793, Ansible by the code 170 and by the WMI form of 2150859174. Names and numbers are those of Microsoft's
wsmerror.h. What each entry was checked against is said beside it; none was captured by this project.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """One SOAP fault.

    ``reason`` is the general sentence of the code, ``message`` what happened here (empty: the same sentence).
    ``wmi`` puts the code into an ``MSFT_WmiError`` detail instead of a ``WSManFault``.
    """

    code: int
    blame: Literal["s:Sender", "s:Receiver"]
    subcode: str
    reason: str
    message: str = ""
    wmi: bool = False


class Refused(Exception):
    """The request is answered with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message or fault.reason)
        self.fault = fault


# ERROR_WSMAN_OPERATION_TIMEDOUT. The fault's text and shape: pywinrm's tests, from a Windows Server 2022.
TIMED_OUT = Fault(
    2150858793,
    "s:Receiver",
    "w:TimedOut",
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
)

# ERROR_OPERATION_ABORTED, what reports of interrupted commands show; the subcode is a guess.
ABORTED = Fault(
    995,
    "s:Receiver",
    "w:InternalError",
    "The I/O operation has been aborted because of either a thread exit or an application request. ",
)

# ERROR_BROKEN_PIPE, whose text Ansible users report when PowerShell ended before its input; the subcode is a guess.
INPUT_CLOSED = Fault(109, "s:Receiver", "w:InternalError", "The pipe has been ended. ")

# ERROR_WSMAN_ACTION_NOT_SUPPORTED; code and subcode from wsmerror.h and its comments.
UNKNOWN_ACTION = Fault(
    2150858771,
    "s:Sender",
    "a:ActionNotSupported",
    "The WS-Management service does not support the action specified in the request. ",
)

# ERROR_WSMAN_RESOURCE_NOT_FOUND from wsmerror.h; the subcode is WS-Addressing's for a resource that is not there.
UNKNOWN_RESOURCE = Fault(
    2150858752,
    "s:Sender",
    "a:DestinationUnreachable",
    "The WS-Management service cannot process the request. "
    "The service cannot find the resource identified by the resource URI and selectors. ",
    "The lab serves http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd and nothing else.",
)

_SELECTORS = (
    "The WS-Management service cannot process the request because the request contained invalid selectors "
    "for the resource. "
)

# ERROR_WSMAN_UNEXPECTED_SELECTORS. The same code for a command as for a shell: pypsrp's tests, against Windows.
UNKNOWN_COMMAND = Fault(
    2150858843,
    "s:Sender",
    "w:InvalidSelectors",
    _SELECTORS,
    "The Windows Remote Shell received a request to perform an operation on a command identifier that does not "
    "exist. Either the command has completed execution or the client specified an invalid command identifier. ",
)


def unknown_shell(shell_id: str) -> Fault:
    """ERROR_WSMAN_UNEXPECTED_SELECTORS; the text is from reports of WinRM clients."""
    return Fault(
        2150858843,
        "s:Sender",
        "w:InvalidSelectors",
        _SELECTORS,
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found "
        "on the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on "
        "the server. Provide the correct ShellId or create a new shell and retry the operation. ",
    )


def too_many_shells(limit: int) -> Fault:
    """ERROR_WSMAN_QUOTA_MAX_SHELLS; the text and the subcode are from reports of WinRM clients."""
    return Fault(
        2150859173,
        "s:Sender",
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this "
        "user has been exceeded. Close existing shells or raise the quota for this user. ",
        f"The WS-Management service cannot process the request. This user is allowed a maximum number of {limit} "
        "concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
    )


def too_many_operations(limit: int) -> Fault:
    """ERROR_WSMAN_QUOTA_MAX_OPERATIONS, in the WMI form by which Ansible knows to open a new shell."""
    return Fault(
        2150859174,
        "s:Receiver",
        "w:InternalError",
        f"The WS-Management service cannot process the request. This user is allowed a maximum number of {limit} "
        "concurrent operations, which has been exceeded. "
        "Close existing operations for this user, or raise the quota for this user. ",
        wmi=True,
    )


def invalid(what: str) -> Fault:
    """ERROR_WSMAN_SCHEMA_VALIDATION_ERROR; ``what`` says which part of the request is not as it must be."""
    return Fault(
        2150858817,
        "s:Sender",
        "w:SchemaValidationError",
        "The SOAP XML in the message does not match the corresponding XML schema definition. "
        "Change the XML and retry. ",
        what,
    )


def spelled(text: str) -> Fault:
    """A fault written as ``CODE SUBCODE TEXT``, for a server that plays it; the text is in whatever language."""
    code, subcode, said = text.split(" ", 2)
    return Fault(int(code, 0), "s:Receiver", subcode, said)
