"""Choices that are the same for a seed with every Python.

A text as the seed of random.Random, and its method random(), are what Python promises to keep. Its shuffle, sample
and choice are not, so they are made here.
"""

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Choices by random.Random.random() alone."""

    def __init__(self, *seed: object) -> None:
        self.share = random.Random("/".join(map(str, seed))).random  # noqa: S311  # variety, not secrets

    def below(self, count: int) -> int:
        return int(self.share() * count)

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        return [item for _, _, item in sorted((self.share(), n, item) for n, item in enumerate(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        return self.shuffled(items)[:count]
