"""NLog's text: its default layout, ``${longdate}|${level:uppercase=true}|${logger}|${message:withexception=true}``,
with ``${machinename}|${appdomain}`` before the message where the log tells them."""

from remediate_lab.logs.entries import Entry, Layout


def render(entry: Entry, layout: Layout) -> str:
    time = layout.local(entry).strftime("%Y-%m-%d %H:%M:%S.") + f"{entry.time.microsecond // 100:04}"
    where = f"{entry.host}|0002:{entry.domain}|" if layout.told else ""
    text = f"{time}|{entry.level.upper()}|{entry.logger}|{where}{entry.message}"
    return f"{text}\n" if entry.code is None else f"{text}|{layout.thrown(entry.code).whole}\n"
