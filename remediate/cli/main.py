"""The program: its commands, and how every failure becomes one line and an exit code."""

import os
import sys
from importlib import import_module

import click

from remediate import __version__
from remediate.cli.exits import Exit
from remediate.iis.inspection import one_line
from remediate.model import RemediateError

# Each verb is a file of this package, with a command of its name.
_VERBS = ("audit", "plan", "show", "apply", "rollback", "lab", "demo")


class _Verbs(click.Group):
    """Loads a verb's file when it is asked for: reading an inventory takes half of Ansible, `show` needs none of it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in _VERBS:
            return None
        command: click.Command = getattr(import_module(f"remediate.cli.{name}"), name)
        return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="remediate")
def cli() -> None:
    """Find, fix and prove the fix of IIS's 0x80070032 start-up errors on a fleet of servers.

    Only `apply` writes on a server. Exit codes: 0 done, 1 our failure, 2 findings or changes pending,
    3 incomplete, 4 stale, 64 usage, 130 interrupted.
    """


def main() -> None:
    """Entry point."""
    try:
        code = cli.main(standalone_mode=False)
    except click.UsageError as error:
        _say(f"{one_line(error.format_message())} (see `{error.ctx.command_path if error.ctx else 'remediate'} --help`)")
        code = Exit.USAGE
    except click.ClickException as error:
        _say(error.format_message())
        code = Exit.ERROR
    except RemediateError as error:
        _say(str(error))
        code = Exit.ERROR
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader went away; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.ERROR
    except Exception as error:  # the last resort: a bug is said in one line too
        if os.environ.get("REMEDIATE_DEBUG"):
            raise
        _say(one_line(f"a bug, please report it (REMEDIATE_DEBUG=1 shows where): {type(error).__name__}: {error}"))
        code = Exit.ERROR
    sys.stdout.flush()
    # Not waiting for threads that still hang on a server that does not answer.
    sys.stderr.flush()
    os._exit(int(code or 0))


def _say(text: str) -> None:
    print(f"remediate: {text}", file=sys.stderr)
