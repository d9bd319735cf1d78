"""The program: its commands, and how every failure becomes one line and an exit code."""

import errno
import sys
from contextlib import suppress
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from remediate import __version__
from remediate.bugs import place, report
from remediate.cli.choices import meant
from remediate.cli.completion import answer_shell
from remediate.cli.exits import Exit
from remediate.cli.verbosity import with_verbosity
from remediate.iis.inspection import one_line
from remediate.inspect.shown import without_account
from remediate.model import IncompleteError, RemediateError, StaleError

# Each verb is a file of this package, with a command of its name; a dash is an underscore there.
_VERBS = (
    "audit", "plan", "show", "apply", "rollback", "diagnose", "explain", "log-filter", "completion", "lab", "demo",
)  # fmt: skip


class _Verbs(click.Group):
    """Loads a verb's file when it is asked for: to read an inventory takes half of Ansible, `show` needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if name not in _VERBS:
            return None
        file = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"remediate.cli.{file}"), file)
        return with_verbosity(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if not word.startswith("-") and word not in _VERBS and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {word!r}{meant(word, _VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would end the process, without a word.
            raise RemediateError("whoever read the output went away, so it is cut off") from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The names alone at TAB: their help texts are in files that take a second to load."""
        verbs = [CompletionItem(verb) for verb in _VERBS if verb.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="remediate")
def cli() -> None:
    """Find, fix and prove the fix of IIS's 0x80070032 start-up errors on a fleet of servers.

    Only `apply` writes on a server. Exit codes: 0 done, 1 our failure, 2 findings or changes pending,
    3 incomplete, 4 stale, 64 usage, 130 interrupted.
    """


with_verbosity(cli)

_EXITS: dict[type[RemediateError], Exit] = {IncompleteError: Exit.INCOMPLETE, StaleError: Exit.STALE}


def run() -> int:
    """Run the command that the arguments name; its exit code."""
    # What Python cannot hand to anybody, in a generator that a library drops, it would print with a traceback.
    sys.unraisablehook = lambda dropped: report(dropped.exc_value) if dropped.exc_value is not None else None
    code: int | None
    try:
        code = answer_shell(cli)
        if code is None:
            code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        # A group alone: its commands, one a line.
        click.echo(error.format_message(), err=True)
        code = Exit.USAGE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "remediate"
        code = _say(f"{error.format_message()} (see `{command} --help`)", Exit.USAGE)
    except click.ClickException as error:
        code = _say(error.format_message(), Exit.ERROR)
    except RemediateError as error:
        code = _say(str(error), _EXITS.get(type(error), Exit.ERROR))
    except (KeyboardInterrupt, click.Abort) as error:
        code = _say(str(error) or "interrupted", Exit.INTERRUPTED)
    except BrokenPipeError:
        # Of the last words; there is nobody to tell.
        code = Exit.ERROR
    except OSError as error:
        closed = error.filename is None and error.errno == errno.EBADF
        what = "standard output is closed; give --out a file, or > a file"
        code = _say(what if closed else f"{error.filename or 'standard output'}: {error.strerror}", Exit.ERROR)
    except SystemExit as error:
        # Ansible ends the process when it cannot even be loaded.
        code = _say(f"Ansible does not start here: {error.code} (a UTF-8 locale? LC_ALL=C.UTF-8)", Exit.ERROR)
    except Exception as error:  # noqa: BLE001  # the last resort: a bug is said in one line too
        report(error)
        ours = not type(error).__module__.startswith("ansible")
        bug = f"a bug, please report it with what -v shows: {place(error)}"
        code = _say(bug if ours else f"{type(error).__name__}: {error}", Exit.ERROR)
    return int(code or Exit.OK)


def _say(text: str, code: Exit) -> Exit:
    with suppress(BrokenPipeError):  # nobody is there to read it
        print(f"remediate: {without_account(one_line(text, 2000))}", file=sys.stderr, flush=True)
    return code
