"""The program: its commands, and the run of the command that the arguments name."""

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click
from click.shell_completion import CompletionItem

from remediate import __version__
from remediate.bugs import report
from remediate.cli.choices import meant
from remediate.cli.completion import answer_shell
from remediate.cli.exits import Exit
from remediate.cli.failures import end_with
from remediate.cli.verbosity import with_verbosity
from remediate.errors import RemediateError

# Each command is in a file of this package, under its name; a dash is an underscore there.
_COMMANDS = {
    "audit": "Find the pools that cause the error.",
    "plan": "Write a plan: the exact changes, for review.",
    "show": "Show a saved audit, plan, run or diagnosis.",
    "apply": "Apply a plan: write its changes, and verify them.",
    "rollback": "Write the plan that undoes a run.",
    "diagnose": "Report which pool causes the errors in logs.",
    "explain": "Explain a rule of the audit.",
    "log-filter": "Print a log filter that drops this error.",
    "completion": "Print the completion script of a shell.",
}
# Other distributions add commands by entry points of this group, one for each command.
_ADDED = "remediate.commands"
_OF_THE_LAB = {
    "lab": "Serve simulated IIS servers on this machine.",
    "demo": "Run every step on simulated servers.",
}
_GET_THE_LAB = "the simulated fleet is a package of its own: run `pip install ./lab` in a checkout of remediate"


def _added() -> dict[str, EntryPoint]:
    """The commands of other distributions, by name. None of them can have the name of a command above."""
    return {entry.name: entry for entry in entry_points(group=_ADDED) if entry.name not in _COMMANDS}


class _Commands(click.Group):
    """Loads the file of a command when it is needed: an inventory needs half of Ansible, `show` needs none of it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return [*_COMMANDS, *_added()]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the tables: click would load every command for its first sentence."""
        with formatter.section("Commands"):
            texts = _COMMANDS | _OF_THE_LAB
            formatter.write_dl([(name, texts.get(name, "")) for name in self.list_commands(ctx)])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  # as above
        command: click.Command
        if name in _COMMANDS:
            file = name.replace("-", "_")
            command = getattr(import_module(f"remediate.cli.{file}"), file)
        elif name in (added := _added()):
            command = added[name].load()
        elif name in _OF_THE_LAB:
            raise RemediateError(_GET_THE_LAB)
        else:
            return None
        return with_verbosity(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word, known = args[0], [*_COMMANDS, *_OF_THE_LAB]
        if not word.startswith("-") and word not in known and word not in _added() and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {word!r}{meant(word, known)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would end the process without a message.
            raise RemediateError("the reader of the output is gone, so the output is cut off") from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        texts = _COMMANDS | _OF_THE_LAB
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=texts.get(name, "")) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="remediate")
def cli() -> None:
    """Find, fix and prove the fix of IIS's 0x80070032 start-up errors on a fleet of servers.

    Only `apply` writes on a server. Exit codes: 0 done, 1 failure, 2 findings or changes pending, 3 incomplete,
    4 stale, 64 usage, 130 interrupted.
    """


with_verbosity(cli)


def run() -> int:
    """Run the command that the arguments name, and return its exit code."""
    # Python would print an exception that nobody can catch, as in a generator that a library drops, with a traceback.
    sys.unraisablehook = lambda dropped: report(dropped.exc_value) if dropped.exc_value is not None else None
    try:
        code: int | None = answer_shell(cli)
        if code is None:
            code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  # the last resort: a bug is reported in one line too
        code = end_with(error)
    return int(code or Exit.OK)
