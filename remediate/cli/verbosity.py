"""-v and -q. Every command takes them, before and after its name."""

import logging
import sys
from typing import Any

import click

_QUIET = "remediate.quiet"
_LOGGER = logging.getLogger("remediate")


class _ToStderr(logging.Handler):
    """Writes to the current standard error, since a progress bar replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:
            print(self.format(record), file=sys.stderr, flush=True)


def _verbose(_context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given and not _LOGGER.handlers:
        _LOGGER.addHandler(_ToStderr())
        _LOGGER.setLevel(logging.INFO)


def _quiet(context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given:
        context.meta[_QUIET] = True  # shared with the contexts of subcommands


def is_quiet() -> bool:
    """Whether -q was given to the command that runs."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def with_verbosity(command: click.Command) -> click.Command:
    """The command and its subcommands with both options. A second call adds nothing."""
    if not any(option.name == "verbose" for option in command.params):
        common: dict[str, Any] = {"is_flag": True, "expose_value": False, "is_eager": True}
        command.params += [
            click.Option(
                ["-v", "--verbose"], callback=_verbose, help="Show where in the program a bug occurred.", **common
            ),
            click.Option(["-q", "--quiet"], callback=_quiet, help="Show no progress.", **common),
        ]
    if isinstance(command, click.Group):
        for child in command.commands.values():
            with_verbosity(child)
    return command
