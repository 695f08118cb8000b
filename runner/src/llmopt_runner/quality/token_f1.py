"""`token_f1`: how many tokens the answer shares with the expected one."""

from collections import Counter

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator
from llmopt_runner.quality.normalisation import normalise_answer


class TokenF1(Evaluator):
    """The harmonic mean of token precision and recall, as SQuAD computes it (Rajpurkar et al. 2016).

    Tokens are the words between white space after normalisation. Unlike SQuAD's, articles stay, and in
    Korean a word with another particle is another token: 사과를 shares nothing with 사과.
    """

    metric = "token_f1"

    async def score(self, item: Item, answer: str) -> float:
        """Return the F1 of both bags of words, 0 to 1."""
        return token_f1(item.answer, answer)


def token_f1(expected: str, answer: str) -> float:
    """Return the F1 of two texts' words; two texts without words are equal (1), one without is 0."""
    wanted, given = Counter(normalise_answer(expected).split()), Counter(normalise_answer(answer).split())
    if not wanted or not given:
        return float(wanted == given)
    return 2 * (wanted & given).total() / (wanted.total() + given.total())
