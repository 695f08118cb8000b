"""`arithmetic`: English sums so easy that even a model of 135 million parameters gets some of them right.

It lets the whole path, quality included, be tried on a laptop's processor. The question begins the answer's
equation, and expected answers are whole equations: without either, such a model chats instead of answering.
SmolLM2-135M-Instruct (Q4_1) got 17 of 80 items right at llama.cpp's defaults, 20 of 40 at temperature 0, and
28 of 40 at the defaults with four examples before each question.
"""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import GeneratedDataset, Kind, Problem

_QUESTIONS = ("What is {sum}?", "How much is {sum}?", "Calculate {sum}.")


def _asked(draw: Draw, expression: str, value: int) -> Problem:
    question = draw.one(_QUESTIONS).format(sum=expression)
    return Problem(f"Question: {question}\nAnswer: {expression} =", f"{expression} = {value}")


def _one_digit_addition(draw: Draw) -> Problem:
    a, b = draw.integer(1, 9), draw.integer(1, 9)
    return _asked(draw, f"{a} + {b}", a + b)


def _small_addition(draw: Draw) -> Problem:
    a, b = draw.integer(10, 29), draw.integer(1, 9)
    return _asked(draw, f"{a} + {b}", a + b)


def _subtraction(draw: Draw) -> Problem:
    b, difference = draw.integer(1, 9), draw.integer(1, 9)
    return _asked(draw, f"{b + difference} - {b}", difference)


def _large_addition(draw: Draw) -> Problem:
    a, b = draw.integer(10, 99), draw.integer(10, 99)
    return _asked(draw, f"{a} + {b}", a + b)


def _product(draw: Draw) -> Problem:
    a, b = draw.integer(2, 9), draw.integer(2, 9)
    return _asked(draw, f"{a} x {b}", a * b)


def arithmetic() -> GeneratedDataset:
    """Return the data set; beyond some hundred items the easy kinds run out, and only large sums are left."""
    return GeneratedDataset(
        "arithmetic",
        (
            Kind("one_digit_addition", _one_digit_addition, weight=6),
            Kind("small_addition", _small_addition),
            Kind("subtraction", _subtraction),
            Kind("product", _product),
            Kind("large_addition", _large_addition),
        ),
        instruction=None,
        evaluator="numeric",
        summary="English sums, easy enough for the smallest models",
    )
