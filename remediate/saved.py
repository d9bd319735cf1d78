"""A value that was saved as JSON, read back; one line of error for whatever is not one."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from remediate.bounded import SAVED, Unreadable, read_file
from remediate.errors import RemediateError
from remediate.json_words import NOT_JSON, what_is_wrong
from remediate.values.diagnoses import Diagnosis
from remediate.values.findings import Audit
from remediate.values.plans import Plan

T = TypeVar("T", Audit, Diagnosis, Plan)

_HINTS = {
    "remediate.audit": "give a file that `remediate audit --save` wrote",
    "remediate.diagnosis": "give a file that `remediate diagnose --format json --out` wrote",
    "remediate.plan": "give the folder that `remediate plan --out` wrote",
}
_ANY = (
    "give what `audit --save` or `diagnose --format json --out` wrote, the folder of a plan, or that of a run "
    "(PLAN/runs/RUN)"
)


class _Head(msgspec.Struct):
    format: str = ""
    format_version: int = 0
    tool_version: str = ""


def load(path: Path, kind: type[T]) -> T:
    """The value in that file. Unknown keys are ignored; another format or a newer version is refused."""
    return decoded(read_saved(path, _HINTS[_format(kind)]), path, kind)


def load_any(path: Path) -> Audit | Diagnosis | Plan:
    """The same of a file of any kind, told by what stands in it. It is read once: it may be a pipe."""
    data = read_saved(path, _ANY)
    form = _head(data).format
    if form == _format(Audit):
        return decoded(data, path, Audit)
    if form == _format(Diagnosis):
        return decoded(data, path, Diagnosis)
    if form == _format(Plan):
        return decoded(data, path, Plan)
    raise RemediateError(f"{path}: is not a file that remediate wrote; {_ANY}")


def read_saved(path: Path, hint: str = _HINTS["remediate.audit"]) -> bytes:
    """The file's bytes, unless it is no file or too large; ``hint`` says what to give instead."""
    try:
        return read_file(path, SAVED)
    except OSError as error:
        raise RemediateError(f"{path}: {error.strerror}; {hint}") from error
    except Unreadable as error:
        raise RemediateError(f"{path}: {error}; {hint}") from error


def decoded(data: bytes, path: Path, kind: type[T]) -> T:
    """The value in a file's bytes; see ``load``."""
    wanted = _format(kind)
    head = _head(data)
    try:
        if head.format and head.format != wanted:
            raise RemediateError(f"{path}: is a {head.format}; {_HINTS[wanted]}")
        if head.format_version > 1:
            raise RemediateError(f"{path}: was written by a newer remediate ({head.tool_version}); use that one")
        value = msgspec.json.decode(data, type=kind)
    except NOT_JSON as error:
        raise RemediateError(f"{path}: is not a {wanted}: {_what(error)}; {_HINTS[wanted]}") from error
    if not head.format:
        raise RemediateError(f"{path}: is a file of another kind; {_HINTS[wanted]}")
    return value


def _format(kind: type[Audit | Diagnosis | Plan]) -> str:
    return str(kind.__struct_defaults__[0])


def _head(data: bytes) -> _Head:
    """What the file says it is; empty where it says nothing."""
    try:
        return msgspec.json.decode(data, type=_Head)
    except NOT_JSON:
        return _Head()


def _what(error: Exception) -> str:
    said = what_is_wrong(error)
    return f"it {said}" if said.startswith("is ") else said


def encode(value: Struct) -> bytes:
    """Indented JSON with a newline at the end. It can always be read again."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(spelled_out(msgspec.to_builtins(value)))
    return msgspec.json.format(data, indent=2) + b"\n"


def spelled_out(value: Any) -> Any:
    """The same, with halves of UTF-16's pairs as escapes: UTF-8 has none, and the name of a file may hold some."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {spelled_out(key): spelled_out(inner) for key, inner in value.items()}
    return [spelled_out(inner) for inner in value] if isinstance(value, list | tuple) else value
