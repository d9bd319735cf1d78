"""ELMAH's errors in XML: one in a file, as its XmlFileErrorLog keeps them, or many. Their times are UTC.

The attributes `application host type message detail time` are read, and of the server variables the client's address
and user agent and the application's path.
"""

from datetime import UTC
from functools import partial
from itertools import pairwise

from msgspec.structs import replace

from remediate.logs.fragments import Node, elements_with_code
from remediate.logs.origin import of_properties
from remediate.logs.tally import Tally
from remediate.logs.timestamps import moment
from remediate.logs.window import Window


def read_elmah(window: Window, tally: Tally) -> None:
    for line, nodes in elements_with_code(window, tally, "error"):
        _keep(nodes, line, tally)


def _keep(nodes: tuple[Node, ...], line: int, tally: Tally) -> None:
    attributes = nodes[0].attributes
    text = "\n".join(attributes.get(name, "") for name in ("type", "message", "detail"))
    occurrence = tally.judge(text)
    if occurrence is None:
        return
    variables = _variables(nodes)
    named = {"machinename": attributes.get("host", ""), "application": attributes.get("application", "")}
    time = moment(attributes.get("time", ""))
    tally.unparsed += time is None
    utc = None if time is None else time if time.tzinfo else time.replace(tzinfo=UTC)
    tally.keep(replace(occurrence, time=utc), partial(of_properties, variables | named, text), line)


def _variables(nodes: tuple[Node, ...]) -> dict[str, str]:
    """`<item name="REMOTE_ADDR"><value string="127.0.0.1" /></item>`; the names of headers and variables differ."""
    return {
        node.attributes["name"]: value.attributes["string"]
        for node, value in pairwise(nodes)
        if node.name == "item" and value.name == "value" and "name" in node.attributes and "string" in value.attributes
    }
