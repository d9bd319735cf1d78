"""Bare stack traces, as the article shows its own: the message, the type, the frames, and the inner one behind them."""

from remediate_lab.clock.life import FAULT
from remediate_lab.logs.entries import Entry, Layout


def render(entry: Entry, layout: Layout) -> str:
    time = layout.local(entry).strftime("%Y-%m-%d %H:%M:%S")
    if entry.code is None:
        return f"{time} {entry.message}\n"
    error = layout.thrown(entry.code)
    inner = f" {error.base_message} {error.base_type}" if entry.code == FAULT else ""
    where = f"{entry.host} {entry.domain} " if layout.told else ""
    return f"{time} {where}{error.message} {error.type}\n{error.frames}{inner}\n"
