"""`token_f1`: how many tokens the answer shares with the expected one."""

import re
import string
from collections import Counter

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator

_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TokenF1(Evaluator):
    """The harmonic mean of token precision and recall, as SQuAD computes it (Rajpurkar et al. 2016).

    Texts are compared in lower case, without ASCII punctuation and English articles, word by word; where an
    item has several right answers, the best of them counts. In Korean a word with another particle is another
    token: 사과를 shares nothing with 사과.
    """

    metric = "token_f1"
    needs_answers = True

    async def score(self, item: Item, answer: str) -> float:
        """Return the F1, 0 to 1."""
        return max(token_f1(expected, answer) for expected in (item.answer, *item.alternatives))


def token_f1(expected: str, answer: str) -> float:
    """Return the F1 of two texts' words; two texts without words are equal (1), one without is 0."""
    wanted, given = Counter(_tokens(expected)), Counter(_tokens(answer))
    if not wanted or not given:
        return float(wanted == given)
    return 2 * (wanted & given).total() / (wanted.total() + given.total())


def _tokens(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()
