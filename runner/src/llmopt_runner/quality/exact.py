"""`exact`: the answer is the expected one, but for form."""

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator
from llmopt_runner.quality.normalisation import normalise_answer


class Exact(Evaluator):
    """1 when the normalised answer equals the normalised expected one, else 0."""

    metric = "accuracy"

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        return float(normalise_answer(answer) == normalise_answer(item.answer))
