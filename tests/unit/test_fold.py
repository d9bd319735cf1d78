"""Names: how they compare (tests/powershell/test_names.py asks a real PowerShell), and which stand in sections."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.iis.names import iis_key
from remediate.iis.sections import SHAPES, Shape


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Shop", "SHOP", True), ("Ünï", "ÜNÏ", True), ("ΣΊΣΥΦΟΣ", "σίσυφος", True), ("ᾳ", "ᾼ", True),
        ("Straße", "STRASSE", False), ("ﬁn", "FIN", False), ("\u0131", "I", False), ("İ", "i", False),
        ("\u017f", "S", False),
        ("\u212a", "k", False), ("a\u00adb", "ab", False), ("名前", "名前", True),
    ],
)  # fmt: skip
def test_each_letter_by_itself(one: str, other: str, same: bool) -> None:
    """No letter becomes two, and none is dropped."""
    assert (iis_key(one) == iis_key(other)) is same
    assert len(iis_key(one)) == len(one)


def test_names_in_sections_are_those_of_the_stand_in() -> None:
    """Two tables of what IIS's schema names, for two engines, hold the same."""
    source = Path(__file__).parents[2].joinpath("lab/remediate_lab/windows/IisSchema.cs").read_text()
    words = {
        name: re.sub(r'"\s*\+\s*\w+\s*\+\s*@"', "", body)
        for name, body in re.findall(r'private const string (\w+) = @"(.*?)";', source, re.DOTALL)
    }
    sections = source[source.index("Sections = new") :]
    for name, body in words.items():
        sections = sections.replace(f'" + {name} + @"', body)
    found = re.findall(r'\["([\w./]+)"\] = @"(.*?)",\n', sections, re.DOTALL)
    assert {path for path, _ in found} == set(SHAPES)
    for path, body in found:
        lines = iter([line.split() for line in body.splitlines() if line.strip()])
        _compare(path, SHAPES[path], lines)


def _compare(where: str, shape: Shape, lines: Iterator[list[str]]) -> None:
    """One element's lines, up to its ``end``, against its shape."""
    attributes: dict[str, list[str]] = {}
    children: set[str] = set()
    item = None
    for line in lines:
        if line[0] == "end":
            break
        if line[0] in ("element", "collection"):
            children.add(line[1])
            item = line[1] if line[0] == "collection" else item
            _compare(f"{where}/{line[1]}", shape.children[line[1]], lines)
        elif line[0] == "opaque":
            children |= set(line[1].split(","))
        elif line[0] != "open":
            attributes[line[0]] = line[1:]
    narrower = {name for name, options in attributes.items() if "wide" in options}
    assert set(shape.attributes) == set(attributes) - narrower, where
    assert set(shape.refused) == narrower, where
    assert set(shape.required) == {name for name, options in attributes.items() if "required" in options}, where
    assert set(shape.keys) == {name for name, options in attributes.items() if "key" in options}, where
    named = {name for name, options in attributes.items() if "check=applicationPoolName" in options}
    assert set(shape.pools) == named, where
    assert set(shape.children) == children, where
    assert shape.item == item, where
