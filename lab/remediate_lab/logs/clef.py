"""Compact log event format of Serilog: a JSON object a line; no ``@l`` is Information, ``@x`` the exception's text."""

import json

from remediate_lab.logs.entries import Entry, Layout


def render(entry: Entry, layout: Layout) -> str:
    event = {"@t": f"{entry.time:%Y-%m-%dT%H:%M:%S}.{entry.time.microsecond * 10:07}Z", "@mt": entry.message}
    if entry.level != "Info":
        event["@l"] = entry.level
    if entry.code is not None:
        event["@x"] = layout.thrown(entry.code).whole.replace("\n", "\r\n")
    event["SourceContext"] = entry.logger
    if layout.told:
        event |= {"MachineName": entry.host, "Application": entry.app.path, "AppDomain": entry.domain}
    if layout.told and entry.client:
        event |= {"ClientIp": entry.client, "UserAgent": entry.agent}
    return json.dumps(event, ensure_ascii=False) + "\n"
