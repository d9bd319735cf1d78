"""Hosts of which the same is to be said: one line for all of them, with their names."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def by_text(values: Iterable[T], text: Callable[[T], tuple[str, ...]]) -> list[tuple[tuple[str, ...], list[T]]]:
    """Each text with the values that have it, in the order of their first ones."""
    groups: dict[tuple[str, ...], list[T]] = {}
    for value in values:
        groups.setdefault(text(value), []).append(value)
    return list(groups.items())


def who(names: list[str]) -> str:
    """The host's name, or how many they are."""
    return names[0] if len(names) == 1 else f"{len(names)} hosts"


def with_names(detail: str, names: list[str]) -> str:
    """The detail, and where ``who`` gave a number, the names: all of them, since each is looked for."""
    return detail if len(names) == 1 else f"{detail}; on: {', '.join(names)}"
