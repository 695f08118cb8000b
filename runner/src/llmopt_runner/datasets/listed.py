"""Data sets that are a list: what a user brings, in a seeded order that no process or Python changes."""

from collections.abc import Sequence

from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item
from llmopt_runner.datasets.draws import Draw


class ListedDataset(DatasetSource):
    """Items that exist already, put in order by their ids and then shuffled by the seed."""

    def __init__(self, name: str, items: Sequence[Item]) -> None:
        """Take `items` of distinct ids; what scores them follows from whether they have choices."""
        self.name = name
        self.evaluator = "choice" if any(item.choices for item in items) else "exact"
        self._items = sorted(items, key=lambda item: item.id)

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
