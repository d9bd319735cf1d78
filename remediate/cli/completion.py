"""remediate completion: the script by which a shell completes commands, options and their values at TAB."""

import os

import click
from click.shell_completion import get_completion_class, shell_complete

from remediate.cli.choices import OneOf
from remediate.cli.options import emit

_NAME = "remediate"
# The shell's script asks through this variable, and names the words in others; click reads them.
_VARIABLE = "_REMEDIATE_COMPLETE"


@click.command()
@click.argument("shell", metavar="SHELL", type=OneOf(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish.

    \b
    bash: eval "$(remediate completion bash)" in ~/.bashrc
    zsh:  eval "$(remediate completion zsh)" in ~/.zshrc, after compinit
    fish: remediate completion fish > ~/.config/fish/completions/remediate.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    emit((kind(context.find_root().command, {}, _NAME, _VARIABLE).source() + "\n").encode(), None)


def answer_shell(program: click.Command) -> int | None:
    """Answer a shell that asks at TAB: the exit code, or None where no shell asks."""
    asked = os.environ.get(_VARIABLE)
    if not asked:
        return None
    try:
        return shell_complete(program, {}, _NAME, _VARIABLE, asked)
    except (Exception, SystemExit):  # noqa: BLE001  # an error would be printed into the line that is being typed
        return 1
