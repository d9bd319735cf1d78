"""A word from a known set. The error for a wrong word names the set, and the word that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import click
from click.shell_completion import CompletionItem


def meant(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'audit'?``, or an empty text where no known word is near."""
    spelled = {name.casefold(): name for name in known}
    word = word.casefold()
    begun = [name for name in spelled if len(word) > 1 and name.startswith(word)]
    near = begun or get_close_matches(word, spelled, n=1)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""


class OneOf(click.Choice[str]):
    """click's Choice, with a suggestion in its error."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's signature
        known = [str(choice) for choice in self.choices]
        return f"{str(value)!r} is not one of {', '.join(map(repr, known))}{meant(str(value), known)}"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """In the spelling of the choice: where case does not count click gives small letters."""
        spelled = {str(choice).casefold(): str(choice) for choice in self.choices}
        found = super().shell_complete(ctx, param, incomplete)
        return [CompletionItem(spelled[item.value.casefold()]) for item in found]
