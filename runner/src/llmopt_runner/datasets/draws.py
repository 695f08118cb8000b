"""Random choices that are the same in every process and every Python version."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_SMALLEST = 2.0**-53


class Draw:
    """A seeded stream of choices.

    Built on `Random.random` alone: of all the methods of `random`, its sequence is the one that Python
    promises to keep for a given seed.
    """

    def __init__(self, seed: int | str) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - reproducible items, no secrets

    def integer(self, low: int, high: int, step: int = 1) -> int:
        """Return one of low, low + step, … up to `high`, both ends included."""
        return low + step * int(self._next() * ((high - low) // step + 1))

    def fraction(self) -> float:
        """Return a number above 0 and below 1."""
        return max(self._next(), _SMALLEST)

    def one(self, values: Sequence[T]) -> T:
        """Return one of `values`."""
        return values[int(self._next() * len(values))]

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """Return `count` different members of `values` in a random order."""
        return self.shuffled(values)[:count]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """Return `values` in a random order (Fisher and Yates)."""
        mixed = list(values)
        for last in range(len(mixed) - 1, 0, -1):
            other = int(self._next() * (last + 1))
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed
