"""Editing one attribute leaves every other byte of the file alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.iis import xmlfile
from remediate.iis.schema import ConfigError
from remediate_lab.emulated import edit

TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<a>
    <!-- <b c="no"/> -->
    <b c = 'x&amp;y'
       d="1 > 0" />
    <b/>
</a>
"""
_LETTERS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(_LETTERS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["\n", "\r\n"]))
def test_set_and_delete(value: str, encoding: str, newline: str) -> None:
    declared = TEXT.replace("UTF-8", "UTF-16") if encoding == "utf-16" else TEXT
    data = declared.replace("\n", newline).encode(encoding)
    document = xmlfile.read(data)
    assert edit.to_bytes(document) == data
    first, second = document.root.all("b")
    assert first.attributes == {"c": "x&y", "d": "1 > 0"}
    for name, element in (("c", first), ("d", first), ("new", second)):
        changed = edit.set_attribute(document, element, name, value)
        again = xmlfile.read(edit.to_bytes(changed))
        index = 0 if element is first else 1
        assert again.root.all("b")[index].attributes == element.attributes | {name: value}
        if name == "new":
            assert edit.to_bytes(edit.delete_attribute(again, again.root.all("b")[1], "new")) == data
    added = edit.add_child(document, second, "z")
    assert [child.name for child in added.root.all("b")[1].children] == ["z"]


@pytest.mark.parametrize("text", ["", "<a>", "<a></b>", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "\ufeff"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        xmlfile.read(text.encode())


_LAYOUTS = {
    "tabs": "<a>\n\t<b>\n\t\t<c x='1' />\n\t</b>\n</a>\n",
    "two spaces": "<a>\n  <b>\n    <c x='1' />\n  </b>\n</a>\n",
    "four spaces and CRLF": "<a>\r\n    <b>\r\n        <c x='1' />\r\n    </b>\r\n</a>\r\n",
    "one line": "<a><b><c x='1' /></b></a>",
    "flat": "<a>\n<b>\n<c x='1' />\n</b>\n</a>\n",
}
_WITH_CHILD = {
    "tabs": "<c x='1'>\n\t\t\t<d />\n\t\t</c>",
    "two spaces": "<c x='1'>\n      <d />\n    </c>",
    "four spaces and CRLF": "<c x='1'>\r\n            <d />\r\n        </c>",
    "one line": "<c x='1'><d /></c>",
    "flat": "<c x='1'>\n    <d />\n</c>",
}


@pytest.mark.parametrize("layout", list(_LAYOUTS))
def test_a_new_element_follows_the_files_indentation(layout: str) -> None:
    """Its step of depth, its line ends, and no line of its own where the file has one line; the rest stays."""
    text = _LAYOUTS[layout]
    document = xmlfile.read(text.encode())
    (c,) = document.root.children[0].children
    assert edit.to_bytes(edit.add_child(document, c, "d")).decode() == text.replace("<c x='1' />", _WITH_CHILD[layout])
