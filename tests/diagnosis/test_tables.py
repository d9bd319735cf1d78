"""The documentation shows the rules that run."""

from tests.conftest import remediate
from tests.generated_docs import DOCUMENT, TABLES, filled


def test_the_tables_of_the_documentation_are_those_of_the_rules() -> None:
    """`make docs` writes them anew; each table stands there once."""
    text = DOCUMENT.read_text()
    assert [text.count(f"<!-- table: {name} -->") for name in TABLES] == [1] * len(TABLES)
    assert filled(text) == text, "run `make docs`"


def test_explain_says_the_same_as_the_documentation() -> None:
    """Of what confirms, with its seconds."""
    confirms = "within 60 s after an idle stop, a recycle or a boot"
    assert confirms in DOCUMENT.read_text()
    assert confirms in remediate("explain", "RM001", expect=0).stdout
