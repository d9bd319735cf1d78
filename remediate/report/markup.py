"""Markup by the templates beside this file. Every value is escaped on its way in, and a missing one is an error.

Names come from logs and servers: control and format characters are spelled out, too.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from remediate.report.text import printable


def _harmless(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined,
    finalize=_harmless, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
)  # fmt: skip


def markup(template: str, **values: Any) -> str:
    """The template, filled in."""
    return _TEMPLATES.get_template(template).render(values)
