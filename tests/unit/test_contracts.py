"""The values in saved files say what their fields mean: a sentence for each, in the docstring of its class."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from remediate.values.diagnoses import Diagnosis
from remediate.values.findings import Audit
from remediate.values.plans import Plan
from remediate.values.runs import Run

# ``name``: A sentence, over one line or more, up to the next name, an empty line or the end.
CONTRACT = re.compile(r"^``(\w+)``: (.+?)$(?=\n``|\n\n|\Z)", re.MULTILINE | re.DOTALL)
SENTENCES = re.compile(r"[A-Z`].*\.", re.DOTALL)


def _below(found: object) -> Iterator[type[msgspec.Struct]]:
    """Every Struct in a type that msgspec describes, each after those that it holds."""
    if isinstance(found, tuple):
        for part in found:
            yield from _below(part)
    elif isinstance(found, msgspec.inspect.Type | msgspec.inspect.Field):
        for name in found.__struct_fields__:
            yield from _below(getattr(found, name))
        if isinstance(found, msgspec.inspect.StructType):
            yield found.cls


SAVED = dict.fromkeys(_below(msgspec.inspect.multi_type_info((Audit, Plan, Run, Diagnosis))))


def _declared(kind: type[msgspec.Struct]) -> set[str]:
    """The fields of a class but those that it inherits from another saved one."""
    inherited = (set(above.__struct_fields__) for above in kind.__mro__[1:] if above in SAVED)
    return set(kind.__struct_fields__).difference(*inherited)


@pytest.mark.parametrize("kind", SAVED, ids=lambda kind: kind.__name__)
def test_each_saved_field_has_a_contract(kind: Any) -> None:
    """The docstring has a line ``name``: for each field of the class, and for nothing else, and sentences behind it."""
    contracts = dict(CONTRACT.findall(inspect.cleandoc(kind.__doc__ or "")))
    assert contracts.keys() == _declared(kind)
    assert [name for name, text in contracts.items() if not SENTENCES.fullmatch(text)] == []


@pytest.mark.parametrize("kind", SAVED, ids=lambda kind: kind.__name__)
def test_the_contract_of_a_field_that_may_be_null_says_what_null_means(kind: Any) -> None:
    """The contract has the word None."""
    contracts = dict(CONTRACT.findall(inspect.cleandoc(kind.__doc__ or "")))
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    may_be_null = [
        field.name
        for field in described.fields
        if isinstance(field.type, msgspec.inspect.UnionType) and field.type.includes_none
    ]
    assert [name for name in may_be_null if name in contracts and "None" not in contracts[name]] == []


def test_all_that_is_saved_is_looked_at() -> None:
    """The walk comes to the values at the ends: in lists, in dictionaries, in unions and in fields that may be null."""
    names = {kind.__name__ for kind in SAVED}
    assert {"TimeZone", "LoggedException", "EventLog", "Value", "Skipped", "Mark", "HostProof", "Change"} <= names
