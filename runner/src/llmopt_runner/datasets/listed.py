"""Data sets that are a list: what a user brings, in a seeded order that no process or Python changes."""

import re
from collections.abc import Sequence
from statistics import fmean

from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item
from llmopt_runner.datasets.draws import Draw

# Answers of more words are compared by the words that they share.
_MOST_WORDS = 6
_NUMBER = re.compile(
    r"[-+\u2212]?[$\u20ac\u00a3\u20a9]?\s?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s?/\s?\d+|e[-+]?\d+)?\s?(?:%|[\u20a9$\u20ac])?"
    r"|-?\\[dt]?frac\{-?\d+\}\{\d+\}",
    re.IGNORECASE,
)


class ListedDataset(DatasetSource):
    """Items that exist already, sorted by their ids and then shuffled by the seed."""

    def __init__(self, name: str, items: Sequence[Item]) -> None:
        """Take `items` of distinct ids; what scores them follows from whether they have choices."""
        self.name = name
        self.evaluator = default_evaluator(items)
        self._items = sorted(items, key=lambda item: item.id)

    def evaluator_of(self, turns: Sequence[Item]) -> str:
        """Return what fits the answers of all `turns`: those to first questions may be of another sort."""
        return default_evaluator(turns)

    @property
    def size(self) -> int:
        """How many items there are."""
        return len(self._items)

    def items(self, count: int, seed: int) -> tuple[Item, ...]:
        """Return the first `count` items in the order of `seed`."""
        if count > self.size:
            raise DatasetInvalid(
                f"{self.name} has {self.size} items, not {count}: lower workload.dataset.samples"
            )
        return tuple(Draw(seed).shuffled(self._items)[:count])


def default_evaluator(items: Sequence[Item]) -> str:
    """Return the evaluator that fits the expected answers of `items`.

    Choices are picked (`choice`), several right answers and answers of whole sentences compared by the words
    that they share (`token_f1`), numbers as numbers (`numeric`), all others as they stand (`exact`).
    """
    if any(item.choices for item in items):
        return "choice"
    answers = [item.answer for item in items if item.answer]
    if not answers:
        return "exact"
    if any(item.alternatives for item in items):
        return "token_f1"
    if all(_NUMBER.fullmatch(answer.strip().strip("$")) for answer in answers):
        return "numeric"
    if fmean(len(text.split()) for text in answers) > _MOST_WORDS:
        return "token_f1"
    return "exact"
