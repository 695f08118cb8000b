"""An evaluator: it names its metric and scores one answer."""

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator


class Brevity(Evaluator):
    """1 for a single word, less for more, 0 for silence."""

    metric = "brevity"

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 / words."""
        del item
        words = len(answer.split())
        return 1 / words if words else 0.0
