"""Serilog's text: the file sink's default template, ``{Timestamp:yyyy-MM-dd HH:mm:ss.fff zzz} [{Level:u3}]
{Message:lj}{NewLine}{Exception}``, with ``{MachineName} {Application}`` before the message where the log tells them."""

from remediate_lab.logs.entries import Entry, Layout

_LEVELS = {"Info": "INF", "Error": "ERR"}


def render(entry: Entry, layout: Layout) -> str:
    local = layout.local(entry)
    zone = local.strftime("%z")
    time = f"{local:%Y-%m-%d %H:%M:%S}.{entry.time.microsecond // 1000:03} {zone[:3]}:{zone[3:5]}"
    where = f"{entry.host} {entry.domain} " if layout.told else ""
    text = f"{time} [{_LEVELS[entry.level]}] {where}{entry.message}\n"
    return text if entry.code is None else f"{text}{layout.thrown(entry.code).whole}\n"
