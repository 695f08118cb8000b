"""`arithmetic_conversations`: sums that go on for three turns, each on the result of the one before.

It lets loads of conversations (`workload.load.conversations`) be tried on a laptop's processor. Without them
only the first questions are asked, which are like those of `arithmetic`.
"""

from llmopt_runner.datasets.base import LaterTurn
from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import GeneratedDataset, Kind, Problem

_LATER_TURNS = 2
_MOST_ADDED = 9


def _one_digit(draw: Draw) -> Problem:
    return _conversation(draw, draw.integer(1, 9), draw.integer(1, 9))


def _two_digits(draw: Draw) -> Problem:
    return _conversation(draw, draw.integer(10, 99), draw.integer(10, 99))


def _conversation(draw: Draw, first: int, second: int) -> Problem:
    """Return a sum, and turns that each add to the result or take from it; none is below zero."""
    result, later = first + second, []
    for _ in range(_LATER_TURNS):
        before, number, adds = result, draw.integer(1, _MOST_ADDED), draw.one((True, False))
        adds = adds or number > before
        result = before + number if adds else before - number
        asked = f"Now add {number} to it." if adds else f"Now subtract {number} from it."
        later.append(LaterTurn(asked, f"{before} {'+' if adds else '-'} {number} = {result}"))
    question = draw.one(("What is {}?", "How much is {}?", "Calculate {}.")).format(f"{first} + {second}")
    text = f"Question: {question}\nAnswer: {first} + {second} ="
    return Problem(text, f"{first} + {second} = {first + second}", later=tuple(later))


def arithmetic_conversations() -> GeneratedDataset:
    """Return the data set; beyond some hundred items only sums of two digits are left."""
    return GeneratedDataset(
        "arithmetic_conversations",
        (Kind("one_digit", _one_digit, weight=3), Kind("two_digits", _two_digits)),
        instruction=None,
        evaluator="numeric",
        conversations=True,
        summary="English sums over several turns",
    )
