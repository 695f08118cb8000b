"""`distinct`: how varied the answers are as a whole."""

from collections.abc import Mapping
from itertools import pairwise

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid
from llmopt_runner.quality.normalisation import normalise


class DistinctN(Evaluator):
    """Distinct unigrams and bigrams over all of them, across all answers (Li et al. 2016).

    Words are counted after normalisation. Both fall as answers grow longer, so compare only at the same
    `maxTokens`. The score of one item is that of its answer alone: the metric is not their mean, and two
    configurations cannot be compared item by item.
    """

    metric = "distinct_1"
    metrics = ("distinct_1", "distinct_2")
    pairable = False

    async def score(self, item: Item, answer: str) -> float:
        """Return the share of distinct words of this one answer; 0 for an empty one."""
        del item
        words = normalise(answer).split()
        return len(set(words)) / len(words) if words else 0.0

    def aggregate(self, scores: Mapping[str, float], answers: Mapping[str, str]) -> dict[str, float]:
        """Return `distinct_1` and `distinct_2` over `answers`; EvaluatorInvalid when there are none."""
        del scores
        if not answers:
            raise EvaluatorInvalid("distinct needs at least one answer")
        words = [normalise(answer).split() for answer in answers.values()]
        unigrams = [word for line in words for word in line]
        bigrams = [pair for line in words for pair in pairwise(line)]
        return {"distinct_1": _share(unigrams), "distinct_2": _share(bigrams)}


def _share(grams: list[str] | list[tuple[str, str]]) -> float:
    """Return the share of distinct ones; 0 where there are none, since silence is not variety."""
    return len(set(grams)) / len(grams) if grams else 0.0
