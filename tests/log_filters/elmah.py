"""ELMAH's assertions, as far as our filter uses them; written after its source (src/Assertions).

ELMAH itself needs System.Web, which only Windows has.
"""

import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree

# The names that a binding may have, with what .NET makes a text of.
Bindings = Mapping[str, str]


def dismisses(error_filter: str, bindings: Bindings) -> bool:
    """Whether ELMAH would leave out an exception with these texts: the first child of <test> decides."""
    (test,) = ElementTree.fromstring(error_filter).findall("test")
    return _holds(test[0], bindings)


def _holds(assertion: ElementTree.Element, bindings: Bindings) -> bool:
    return _ASSERTIONS[assertion.tag](assertion, bindings)


def _regex(assertion: ElementTree.Element, bindings: Bindings) -> bool:
    assert set(assertion.keys()) <= {"binding", "pattern", "caseSensitive", "dontCompile"}
    case = 0 if assertion.get("caseSensitive") == "true" else re.IGNORECASE
    return re.search(assertion.attrib["pattern"], bindings[assertion.attrib["binding"]], case) is not None


# Without operands nothing holds; `not` wants all of its operands not to hold.
_ASSERTIONS: dict[str, Callable[[ElementTree.Element, Bindings], bool]] = {
    "regex": _regex,
    "and": lambda given, bindings: len(given) > 0 and all(_holds(each, bindings) for each in given),
    "or": lambda given, bindings: any(_holds(each, bindings) for each in given),
    "not": lambda given, bindings: len(given) > 0 and not any(_holds(each, bindings) for each in given),
}
