"""The failures that end a command. Each one is a line on standard error and an exit code."""

import errno
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from remediate.bugs import place, report
from remediate.cli.exits import Exit
from remediate.errors import IncompleteError, RemediateError, StaleError
from remediate.fleet.shown import without_account
from remediate.iis.inspection import one_line


def end_with(error: BaseException) -> Exit:
    """Report the failure in one line, and return the exit code."""
    words, code = next((words, code) for kind, words, code in _ENDS if isinstance(error, kind))
    text = words(error)
    if text:
        with suppress(BrokenPipeError):  # nobody is there to read it
            print(f"remediate: {without_account(one_line(text, 2000))}", file=sys.stderr, flush=True)
    return code


def _usage(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "remediate"
    return f"{error.format_message()} (see `{command} --help`)"


def _list_of_commands(error: click.exceptions.NoArgsIsHelpError) -> str:
    """A group was called without a command: print its help text, which has several lines."""
    click.echo(error.format_message(), err=True)
    return ""


def _of_system(error: OSError) -> str:
    if error.filename is None and error.errno == errno.EBADF:
        return "standard output is closed; give --out a file, or > a file"
    return f"{error.filename or 'standard output'}: {error.strerror}"


def _of_ansible(error: SystemExit) -> str:
    """Ansible ends the process where it cannot be loaded."""
    return f"Ansible does not start here: {error.code} (it needs a UTF-8 locale, such as LC_ALL=C.UTF-8)"


def _bug(error: Exception) -> str:
    report(error)
    if type(error).__module__.startswith("ansible"):
        return f"{type(error).__name__}: {error}"
    return f"a bug, please report it with what -v shows: {place(error)}"


# The first row that matches counts.
_ENDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[Any], str], Exit], ...] = (
    (click.exceptions.NoArgsIsHelpError, _list_of_commands, Exit.USAGE),
    (click.UsageError, _usage, Exit.USAGE),
    (click.ClickException, lambda error: str(error.format_message()), Exit.ERROR),
    (IncompleteError, str, Exit.INCOMPLETE),
    (StaleError, str, Exit.STALE),
    (RemediateError, str, Exit.ERROR),
    ((KeyboardInterrupt, click.Abort), lambda error: str(error) or "interrupted", Exit.INTERRUPTED),
    # The reader of the last words is gone.
    (BrokenPipeError, lambda _: "", Exit.ERROR),
    (OSError, _of_system, Exit.ERROR),
    (SystemExit, _of_ansible, Exit.ERROR),
    (Exception, _bug, Exit.ERROR),
)  # fmt: skip
