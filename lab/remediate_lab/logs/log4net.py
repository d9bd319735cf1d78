"""log4net's text: ``%date [%thread] %-5level %logger [%appdomain] - %message%newline%exception``."""

from remediate_lab.logs.entries import Entry, Layout


def render(entry: Entry, layout: Layout) -> str:
    time = layout.local(entry).strftime("%Y-%m-%d %H:%M:%S,") + f"{entry.time.microsecond // 1000:03}"
    where = f" [{entry.domain}]" if layout.told else ""
    text = f"{time} [{entry.thread}] {entry.level.upper():5} {entry.logger}{where} - {entry.message}\n"
    return text if entry.code is None else f"{text}{layout.thrown(entry.code).whole}\n"
