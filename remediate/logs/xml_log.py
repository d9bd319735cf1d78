"""log4net's XmlLayout and XmlLayoutSchemaLog4J, and what other loggers write like log4j: one `event` for each entry.

    <log4net:event logger="..." timestamp="2026-11-25T14:00:01.1234567+01:00" level="ERROR" domain="/LM/W3SVC/..."
        username="IIS APPPOOL\\..."><log4net:message/><log4net:properties/><log4net:exception/></log4net:event>
    <log4j:event logger="..." timestamp="1795611601123" level="ERROR"><log4j:message/><log4j:throwable/> ...

A timestamp is ISO 8601, or milliseconds since 1970. The prefix of the elements may be any, or none.
"""

from datetime import datetime
from functools import partial

from msgspec.structs import replace

from remediate.logs.fragments import Node, elements_with_code
from remediate.logs.origin import of_properties
from remediate.logs.tally import Tally
from remediate.logs.timestamps import epoch, moment
from remediate.logs.window import Window


def read_xml_log(window: Window, tally: Tally) -> None:
    for line, nodes in elements_with_code(window, tally, "event", prefixed=True):
        _keep(nodes, line, tally)


def _keep(nodes: tuple[Node, ...], line: int, tally: Tally) -> None:
    text = "\n".join(node.text for node in nodes if node.text.strip())
    occurrence = tally.judge(text)
    if occurrence is None:
        return
    attributes = nodes[0].attributes
    named = {node.attributes.get("name", ""): node.attributes.get("value", "") for node in nodes if node.name == "data"}
    time = _time(attributes.get("timestamp", ""))
    tally.unparsed += time is None
    # The domain and the user stand in attributes, or among the properties.
    around = "\n".join(f'"{value}"' for value in (*attributes.values(), *named.values()))
    tally.keep(replace(occurrence, time=time), partial(of_properties, named, f"{around}\n{text}"), line)


def _time(text: str) -> datetime | None:
    return epoch(int(text), milliseconds=True) if text.isdecimal() and len(text) <= 15 else moment(text)
