"""`choice`: the answer picks the expected one of an item's choices."""

from collections.abc import Sequence

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid
from llmopt_runner.quality.exact import is_right
from llmopt_runner.quality.options import options_of
from llmopt_runner.quality.reading.statements import read


class Choice(Evaluator):
    """1 when the answer picks the right choice, else 0; an item without choices is compared as `exact` does.

    A choice is picked by its text, or by its place: 2, (2), 2번, ②, B, 나; also in a sentence, in bold, boxed
    or after `the answer is`. One that is rejected (not A, A가 아니라) is not picked; an answer that leaves
    several, or none, picks nothing.
    """

    metric = "accuracy"
    needs_answers = True

    def check(self, items: Sequence[Item]) -> None:
        """Raise EvaluatorInvalid for an item whose expected answer picks none of its choices."""
        super().check(items)
        for item in items:
            if item.choices and picked(item.answer, item.choices) is None:
                raise EvaluatorInvalid(
                    f"item {item.id} expects {item.answer[:80]!r}, which is none of its {len(item.choices)} "
                    "choices: write the text of one choice, or its number, as the answer"
                )

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        if not item.choices:
            return float(is_right(item, answer))
        expected = picked(item.answer, item.choices)
        return float(expected is not None and picked(answer, item.choices) == expected)


def picked(answer: str, choices: Sequence[str]) -> int | None:
    """Return the place of the choice that `answer` picks, from 0; None when it is not clear."""
    if answer in choices:
        return choices.index(answer)
    return options_of(tuple(choices)).picked(read(answer))
