"""A data set: a list of items is enough."""

from llmopt_runner.datasets.base import Item
from llmopt_runner.datasets.listed import ListedDataset

_MIXTURES = {
    ("red", "yellow"): "orange",
    ("blue", "yellow"): "green",
    ("blue", "red"): "purple",
    ("black", "white"): "grey",
    ("red", "white"): "pink",
}


class Colours(ListedDataset):
    """Which colour two colours make, asked in two ways."""

    def __init__(self) -> None:
        """Write the items down."""
        items = [
            Item(f"{first}-{second}-{at}", question.format(first, second), mixture, "mixture")
            for (first, second), mixture in _MIXTURES.items()
            for at, question in enumerate(("What do {} and {} paint make?", "Mix {} with {}: which colour?"))
        ]
        super().__init__("colours", items)
        self.instruction = "Answer with one word."
        self.evaluator = "brevity"
