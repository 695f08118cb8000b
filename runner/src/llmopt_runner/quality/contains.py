"""`contains`: the answer says the expected text somewhere."""

from collections.abc import Sequence

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid
from llmopt_runner.quality.normalisation import normalise, normalise_answer


class Contains(Evaluator):
    """1 when the normalised answer holds the normalised expected text, else 0.

    A word of the expected text that begins or ends in a digit must stand alone there: 112 does not hold 12.
    An answer that lists everything scores too: prefer exact or choice where they fit.
    """

    metric = "accuracy"
    needs_answers = True

    def check(self, items: Sequence[Item]) -> None:
        """Raise EvaluatorInvalid for an item whose expected answer is only punctuation: all would hold it."""
        super().check(items)
        for item in items:
            if not normalise_answer(item.answer):
                raise EvaluatorInvalid(
                    f"item {item.id} expects {item.answer[:80]!r}, which every answer contains: "
                    "correct the item or set workload.evaluator.name to exact"
                )

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        return float(_holds(normalise(answer), normalise_answer(item.answer)))


def _holds(text: str, wanted: str) -> bool:
    at = text.find(wanted)
    while at >= 0:
        if not (
            _runs_on(text[at - 1 : at], wanted[:1]) or _runs_on(wanted[-1:], text[at + len(wanted) :][:1])
        ):
            return True
        at = text.find(wanted, at + 1)
    return False


def _runs_on(left: str, right: str) -> bool:
    return left.isdecimal() and right.isdecimal()
