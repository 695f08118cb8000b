"""`choice`: the answer picks the expected one of an item's choices."""

import re
from collections.abc import Sequence

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid
from llmopt_runner.quality.exact import is_exact
from llmopt_runner.quality.normalisation import normalise_answer, unframed

_HANGUL_LABELS = "가나다라마바사아자차카타파하"
# A label alone, or before what it labels: 2, (2), 2번, B., 나). A cat and 3 apples begin with none.
_LABEL = re.compile(
    rf"^(?:보기\s*|choice\s+|option\s+)?\(?(\d{{1,2}}|[a-z]|[{_HANGUL_LABELS}])(?:번|\)|[.:,](?!\d)|\s*$)"
)
_CIRCLED_ONE = 0x2460
_CIRCLED = re.compile("[\u2460-\u2473]")


class Choice(Evaluator):
    """1 when the answer picks the right choice, else 0; an item without choices is compared as `exact` does.

    A choice is picked by its text, or by its place: 2, (2), 2번, ②, B, 나. When the answer says more, the one
    choice whose text it holds is the one picked; an answer that holds several, or none, picks nothing.
    """

    metric = "accuracy"

    def check(self, items: Sequence[Item]) -> None:
        """Raise EvaluatorInvalid for an item whose expected answer picks none of its choices."""
        for item in items:
            if item.choices and picked(item.answer, item.choices) is None:
                raise EvaluatorInvalid(
                    f"item {item.id} expects {item.answer[:80]!r}, which is none of its {len(item.choices)} "
                    "choices: write the text of one choice, or its number, as the answer"
                )

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        if not item.choices:
            return float(is_exact(item.answer, answer))
        expected = picked(item.answer, item.choices)
        return float(expected is not None and picked(answer, item.choices) == expected)


def picked(answer: str, choices: Sequence[str]) -> int | None:
    """Return the place of the choice that `answer` picks, from 0; None when it is not clear."""
    texts = [normalise_answer(choice) for choice in choices]
    given = normalise_answer(answer)
    if given in texts:
        return texts.index(given)
    place = _labelled(answer)
    if place is not None:
        return place if place < len(choices) else None
    return _only_named(given, texts)


def _labelled(answer: str) -> int | None:
    circled = _CIRCLED.findall(answer)
    if circled:
        return ord(circled[0]) - _CIRCLED_ONE if len(set(circled)) == 1 else None
    label = _LABEL.match(unframed(answer))
    return _place(label[1]) if label else None


def _place(label: str) -> int | None:
    if label.isdecimal():
        return int(label) - 1 if int(label) else None
    return ord(label) - ord("a") if label.isascii() else _HANGUL_LABELS.index(label)


def _only_named(given: str, texts: Sequence[str]) -> int | None:
    found = [at for at, text in enumerate(texts) if text and text in given]
    # 사과 is part of 사과나무: a text inside another found one does not count.
    whole = [at for at in found if not any(texts[at] in texts[other] for other in found if other != at)]
    return whole[0] if len(whole) == 1 else None
