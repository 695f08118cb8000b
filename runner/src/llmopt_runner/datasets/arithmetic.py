"""`arithmetic`: English sums so easy that even a model of 135 million parameters gets some of them right.

It lets the whole path, quality included, be tried on a laptop's processor: answers are a few tokens, and
few-shot examples and a low temperature really help.
"""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import GeneratedDataset, Kind, Problem

_ADDITION = ("What is {a} + {b}?", "What is {a} plus {b}?", "Add {a} and {b}.", "{a} + {b} = ?")
_SUBTRACTION = ("What is {a} - {b}?", "What is {a} minus {b}?", "Subtract {b} from {a}.", "{a} - {b} = ?")
_PRODUCT = ("What is {a} x {b}?", "What is {a} times {b}?", "Multiply {a} by {b}.", "{a} x {b} = ?")


def _one_digit_addition(draw: Draw) -> Problem:
    a, b = draw.integer(1, 9), draw.integer(1, 9)
    return Problem(draw.one(_ADDITION).format(a=a, b=b), str(a + b))


def _two_digit_addition(draw: Draw) -> Problem:
    a, b = draw.integer(10, 99), draw.integer(1, 99)
    return Problem(draw.one(_ADDITION).format(a=a, b=b), str(a + b))


def _subtraction(draw: Draw) -> Problem:
    b, difference = draw.integer(1, 20), draw.integer(0, 20)
    return Problem(draw.one(_SUBTRACTION).format(a=b + difference, b=b), str(difference))


def _product(draw: Draw) -> Problem:
    a, b = draw.integer(2, 9), draw.integer(2, 9)
    return Problem(draw.one(_PRODUCT).format(a=a, b=b), str(a * b))


def arithmetic() -> GeneratedDataset:
    """Return the data set."""
    return GeneratedDataset(
        "arithmetic",
        (
            Kind("one_digit_addition", _one_digit_addition, weight=4),
            Kind("two_digit_addition", _two_digit_addition, weight=2),
            Kind("subtraction", _subtraction),
            Kind("product", _product),
        ),
        instruction="Answer with the number only.",
        evaluator="numeric",
    )
