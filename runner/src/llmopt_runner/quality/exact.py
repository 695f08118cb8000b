"""`exact`: the answer is the expected one, but for form."""

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator
from llmopt_runner.quality.normalisation import normalise_answer


class Exact(Evaluator):
    """1 when the normalised answer equals the normalised expected one, else 0."""

    metric = "accuracy"

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        return float(is_exact(item.answer, answer))


def is_exact(expected: str, answer: str) -> bool:
    """Say whether both texts are the same but for form (`normalisation.normalise_answer`)."""
    return normalise_answer(answer) == normalise_answer(expected)
