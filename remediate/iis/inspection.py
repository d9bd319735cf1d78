"""The inspection script's JSON -> an Inspection. What a server sends is not to be trusted: the shape is checked."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from remediate.iis.answer import plain_words, split
from remediate.iis.attributes import CONDITION, IDLE_ACTION, IDLE_TIMEOUT, MEANINGS, seconds
from remediate.iis.evidence import EvidenceAnswer, read_evidence
from remediate.iis.time_zone import zone_of
from remediate.json_words import NOT_JSON, what_is_wrong
from remediate.values.fleet import Failed, Inspection, Pool, TimeZone, Value

# Of what a server printed beside its answer, or instead of it.
_MOST_SAID = 200
# Of a failure that PowerShell itself tells: the lines of the script, and then the reason.
_MOST_ERROR = 600
_POLICY = "the inspection needs FullLanguage (a policy of AppLocker or App Control, or a restricted session, does that)"
# Of a failure's reason: the words of a shared configuration that is denied are the longest.
_MOST_REASON = 900


# Above all that a server of any size has. What is longer is no answer, and is not kept.
_MOST_POOLS = 20_000
_MOST_APPLICATIONS = 100_000
_MOST_ATTRIBUTES = 100
_LONGEST_NAME = 2_000
_LONGEST_VALUE = 32_767
# An exit code of Windows, with a sign or without.
_EXIT_CODES = range(-(1 << 31), 1 << 32)

_Word = Annotated[str, Meta(max_length=100)]
_Path = Annotated[str, Meta(max_length=_LONGEST_VALUE)]


class _Error(Struct):
    type: str
    hresult: str
    message: str


class _Answer(Struct):
    format: str
    format_version: int
    error: _Error | None = None
    machine: Annotated[str, Meta(max_length=255)] = ""
    iis_version: _Word | None = None
    windows_version: _Word | None = None
    powershell_version: _Word | None = None
    language_mode: _Word | None = None
    clock: _Word | None = None
    time_zone: TimeZone | None = None
    appinit_module: bool = False
    shared_config: _Path | None = None
    defaults: dict[str, Value] = {}
    pools: tuple[Pool, ...] = ()
    evidence: EvidenceAnswer | None = None


# Made here, by one thread (see answer.py).
_ANSWER = msgspec.json.Decoder(_Answer)


def parse_printed(host: str, stdout: bytes, stderr: bytes, code: int, host_vars: dict[str, str]) -> Inspection | Failed:
    """What the inspection's process printed until it ended with that exit code."""
    if code not in _EXIT_CODES:
        return Failed(host, "the inspection ended with a number that is no exit code of Windows")
    said = one_line(plain_words(stderr), _MOST_ERROR)
    if not stdout.strip() and (code != 0 or said):
        return Failed(host, f"the inspection ended with exit code {code}: {said or 'it printed nothing'}")
    return parse_answer(host, stdout, host_vars)


def parse_answer(host: str, text: bytes, host_vars: dict[str, str] | None = None) -> Inspection | Failed:
    """One host's answer, whatever it holds: an Inspection, or a Failed that says in one line what was wrong.

    What else was printed is in the Inspection's warning, and so is a time zone that cannot be used.
    """
    printed = split(text)
    said = one_line(printed.words, _MOST_SAID)
    if printed.answer is None and not said:
        return Failed(host, "the inspection printed nothing; something on the server discards PowerShell's output")
    if printed.answer is None:
        return Failed(host, f"the inspection's answer cannot be read: it is not in what the server printed: {said}")
    try:
        answer = _ANSWER.decode(printed.answer)
    except NOT_JSON as error:
        return Failed(host, one_line(f"the inspection's answer cannot be read: {what_is_wrong(error)}"))
    if answer.format != "remediate.inspection" or answer.format_version != 1:
        return Failed(host, "the answer is not of the inspection script of this version")
    if answer.language_mode not in (None, "FullLanguage"):
        return Failed(host, one_line(f"PowerShell runs there in {one_line(answer.language_mode, 40)} mode; {_POLICY}"))
    if answer.error is not None:
        return Failed(
            host, one_line(f"{answer.error.message} ({answer.error.type}, {answer.error.hresult})", _MOST_REASON)
        )
    if not answer.machine:
        return Failed(host, "the server did not say its computer name")
    detail = "IIS is not installed" if answer.iis_version is None else None
    warnings = (
        f"beside its answer the server printed: {said}" if said else None,
        zone_of(answer.time_zone, answer.clock)[1],
    )
    inspection = Inspection(
        host=host, detail=detail, warning="; ".join(filter(None, warnings)) or None,
        machine=answer.machine, iis_version=answer.iis_version,
        windows_version=answer.windows_version, powershell_version=answer.powershell_version,
        clock=answer.clock, time_zone=answer.time_zone, appinit_module=answer.appinit_module,
        shared_config=answer.shared_config, vars=host_vars or {}, defaults=answer.defaults,
        pools=answer.pools, evidence=None if answer.evidence is None else read_evidence(answer.evidence, answer.pools),
    )  # fmt: skip
    return checked(inspection)


def checked(inspection: Inspection) -> Inspection | Failed:
    """The inspection, or a Failed where what the rules count on is missing or means nothing: it would pass for well."""
    wrong = next(_wrong(inspection), None)
    return inspection if wrong is None else Failed(inspection.host, one_line(wrong))


def _wrong(inspection: Inspection) -> Iterator[str]:
    texts = (inspection.machine, inspection.iis_version, inspection.windows_version, inspection.powershell_version)
    if any(len(text or "") > _LONGEST_NAME for text in texts):
        yield "the answer has a computer name or version that is too long"
    if len(inspection.pools) > _MOST_POOLS:
        yield f"the answer has more than {_MOST_POOLS} application pools"
    if sum(len(pool.applications) for pool in inspection.pools) > _MOST_APPLICATIONS:
        yield f"the answer has more than {_MOST_APPLICATIONS} applications"
    for pool in inspection.pools:
        if len(pool.name) > _LONGEST_NAME or any(len(a.path) > _LONGEST_VALUE for a in pool.applications):
            yield f"pool {pool.name[:40]!r}: its name or an application's path is too long"
        yield from _wrong_attributes(f"pool {pool.name!r}", pool.attributes)
    if inspection.defaults:
        yield from _wrong_attributes("applicationPoolDefaults", inspection.defaults)


def _wrong_attributes(where: str, attributes: dict[str, Value]) -> Iterator[str]:
    if len(attributes) > _MOST_ATTRIBUTES:
        yield f"{where}: the answer has more than {_MOST_ATTRIBUTES} attributes"
    for name, found in attributes.items():
        if len(name) > _LONGEST_NAME or len(found.value) > _LONGEST_VALUE:
            yield f"{where}: {name[:40]}: it is too long"
    for name in CONDITION:
        condition = attributes.get(name)
        # Before 8.5 there is no idleTimeoutAction.
        if condition is None and name != IDLE_ACTION:
            yield f"{where}: the answer has no {name}"
        try:
            if condition is not None:
                _check(name, condition.value)
        except ValueError as error:
            yield f"{where}: {name}: {error}"


def _check(name: str, value: str) -> None:
    if name == IDLE_TIMEOUT:
        seconds(value)
    elif value not in MEANINGS[name]:
        raise ValueError(f"{value!r} is none of {', '.join(MEANINGS[name])}")


def one_line(text: str, limit: int = 300) -> str:
    """Text from elsewhere for a report: one line, nothing that steers a terminal, bounded."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
