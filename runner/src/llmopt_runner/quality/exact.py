"""`exact`: the answer is the expected one, but for form."""

import re

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator
from llmopt_runner.quality.normalisation import normalise, normalise_answer
from llmopt_runner.quality.numbers import whole_quantity
from llmopt_runner.quality.reading.affirmations import affirmation
from llmopt_runner.quality.reading.durations import minutes
from llmopt_runner.quality.reading.expressions import same_formula
from llmopt_runner.quality.reading.moments import moment
from llmopt_runner.quality.reading.phrases import is_noun_with_ending, stated_phrases
from llmopt_runner.quality.reading.statements import read
from llmopt_runner.quality.reading.units import same_unit

# A minus before a number is part of it; one before a name counts here. So does what joins two numbers.
_SYMBOLS = re.compile(
    r"[<>≤≥≠]|(?<=\w)(?:\+\+|#)(?!\w)|(?<=\d)\s?[/:]\s?(?=\d)|(?:^|(?<=[(=,\[{$]))\s?-(?=[^\s\d-])"
)
_NAME = re.compile(r"^[A-Za-z](?:\([a-z]\))?\s?=\s?(?=\S)")
# An interval that is closed on one side: which one counts.
_HALF_OPEN = re.compile(r"(?P<left>\[)[^\[\]()]*,[^\[\]()]*\)|(?P<right>\()[^\[\]()]*,[^\[\]()]*\]")
_FREE_SPACE = re.compile(r"(?<=[가-힣]) | (?=[가-힣])|(?<=[^\w\s.]) | (?=[^\w\s.])")
_ARTICLE = re.compile(r"^(?:an?|the) (?=[^\W\d])")
_SHORT = {"mt": "mount", "st": "saint", "ft": "fort", "dr": "doctor"}
_SHORTENED = re.compile(rf"\b(?:{'|'.join(_SHORT)})(?= [^\W\d])")
# A longer expected answer is compared as a whole only.
_LONGEST_PHRASE = 400


class Exact(Evaluator):
    """1 when the answer is the expected one or an alternative of it, else 0.

    Form does not count: case, punctuation, quotes, markdown, LaTeX, what announces an answer, the sentence
    that holds nothing else, the space between Korean words, the order of a formula's terms and factors.
    Numbers, times, dates, yes and no count by what they mean.
    """

    metric = "accuracy"
    needs_answers = True

    async def score(self, item: Item, answer: str) -> float:
        """Return 1 or 0."""
        return float(is_right(item, answer))


def is_right(item: Item, answer: str) -> bool:
    """Say whether `answer` is the expected one of `item` or one of its alternatives."""
    return any(is_exact(expected, answer) for expected in (item.answer, *item.alternatives))


def is_exact(expected: str, answer: str) -> bool:
    """Say whether `answer` says `expected` and nothing else, in any of the usual forms."""
    if answer.strip() == expected.strip() or _same_text(expected, answer):
        return True
    if len(expected) > _LONGEST_PHRASE:
        return False
    wanted = dict.fromkeys((expected, read(expected).text))
    return any(_same(*_unnamed(each, phrase)) for phrase in stated_phrases(read(answer)) for each in wanted)


def _unnamed(expected: str, phrase: str) -> tuple[str, str]:
    """Return both without the variable that only one of them names: x = 5 is 5, and not y = 5."""
    one, two = _NAME.match(expected), _NAME.match(phrase)
    if (one is None) == (two is None):
        return expected, phrase
    return (expected, phrase[two.end() :]) if two else (expected[one.end() :] if one else expected, phrase)


def _same_text(one: str, two: str) -> bool:
    if len(two) > 4 * len(one) + _LONGEST_PHRASE or _signs(one) != _signs(two):
        return False
    first, second = normalise_answer(one), normalise_answer(two)
    # Two texts of nothing but punctuation are the same only if they are.
    return bool(first) and _squeezed(first) == _squeezed(second)


def _signs(text: str) -> tuple[list[str], list[str | None]]:
    """Return what of the form counts: comparisons, names such as C++, the closed side of intervals."""
    return [sign.strip() for sign in _SYMBOLS.findall(text)], [
        found.lastgroup for found in _HALF_OPEN.finditer(text)
    ]


def _squeezed(text: str) -> str:
    """Return the normalised `text` without an article, and without spaces beside symbols and Hangul.

    Korean writers set them as they like: 6월20일. What begins a name is written out: Mt. Everest.
    """
    text = _SHORTENED.sub(lambda found: _SHORT[found[0]], text)
    return _FREE_SPACE.sub("", _ARTICLE.sub("", text))


def _same(expected: str, phrase: str) -> bool:
    if len(phrase) > 2 * len(expected) + _LONGEST_PHRASE:
        return False
    if _same_text(expected, phrase) or _same_meaning(expected, phrase) or same_formula(expected, phrase):
        return True
    # 예 is a yes and no noun: 예를 들어 answers nothing.
    return (len(expected.split()) != 1 or affirmation(expected) is None) and (
        is_noun_with_ending(_squeezed_start(phrase, expected), normalise(expected))
    )


def _squeezed_start(phrase: str, expected: str) -> str:
    """Return the normalised `phrase`, its beginning spaced as `expected` is, if it is the same."""
    text, wanted = normalise(phrase), normalise(expected)
    squeezed = _squeezed(wanted)
    if text.startswith(wanted) or not text.startswith(squeezed):
        return text
    return wanted + text[len(squeezed) :]


def _same_meaning(expected: str, phrase: str) -> bool:
    said = affirmation(expected) if len(expected.split()) == 1 else None
    if said is not None:
        return affirmation(phrase) is said
    when = moment(expected)
    there = moment(phrase) if when is not None else None
    if when is not None and there is not None and when.is_same(there) and not (when.bare and there.bare):
        return True
    if when is not None and not when.bare:
        return False
    duration = minutes(expected)
    if duration is not None and duration == minutes(phrase):
        return True
    wanted, given = whole_quantity(expected), whole_quantity(phrase)
    return wanted is not None and given is not None and wanted.is_near(given) and same_unit(expected, phrase)
