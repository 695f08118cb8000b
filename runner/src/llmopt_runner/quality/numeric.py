"""`numeric`: the answer gives the expected number."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Self

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid, EvaluatorSettings
from llmopt_runner.quality.numbers import Quantity, answered_quantity


class Numeric(Evaluator):
    """1 when the answer's number is within `tolerance` (absolute) of the expected one, else 0.

    Which number of an answer counts is said by `numbers.answered_quantity`.
    """

    metric = "accuracy"
    needs_answers = True

    def __init__(self, tolerance: Fraction = Fraction(0)) -> None:
        self._tolerance = tolerance

    @classmethod
    def from_settings(cls, settings: EvaluatorSettings) -> Self:
        """Take the argument `tolerance`, a decimal number that is not negative."""
        settings.refuse_unknown(("tolerance",))
        settings.refuse_endpoint()
        tolerance = settings.decimal("tolerance", "0")
        if tolerance < 0:
            raise EvaluatorInvalid(f"workload.evaluator.args.tolerance is {tolerance}: it must be 0 or more")
        return cls(Fraction(tolerance))

    def check(self, items: Sequence[Item]) -> None:
        """Raise EvaluatorInvalid for an item whose expected answer holds no number."""
        super().check(items)
        for item in items:
            _expected(item)

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        given = answered_quantity(answer)
        return float(given is not None and given.is_near(_expected(item), self._tolerance))


def _expected(item: Item) -> Quantity:
    number = answered_quantity(item.answer)
    if number is None:
        raise EvaluatorInvalid(
            f"item {item.id} expects {item.answer[:80]!r}, which holds no number: "
            "numeric cannot score it; set workload.evaluator.name to exact or token_f1"
        )
    return number
