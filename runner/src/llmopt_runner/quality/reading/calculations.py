"""The result of a calculation that an answer writes down: of 6 * 7 = 42 it is 42, of 6 * 7 the product."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Self

from llmopt_runner.quality.reading.numerals import Numeral
from llmopt_runner.quality.reading.typography import small_letters

UNIT = r"(?:\s?[^\W\d_]{1,16}\.?|\s?°)?"
# What may stand between two numbers of one calculation: 3 apples * 4 = 12.
_JOINT = re.compile(
    rf"{UNIT}\s?(?P<close>\)?)\s?(?:(?P<operator>[-+×x*÷/·]|plus|minus|times|multiplied by|divided by"
    rf"|더하기|빼기|곱하기|나누기)"
    r"|(?P<equals>=|≈|→|equals|is equal to|makes|gives))\s?(?P<open>\(?)\s?",
    re.IGNORECASE,
)
_OPERATORS = {
    **dict.fromkeys(("×", "x", "·", "times", "multiplied by", "곱하기"), "*"),
    **dict.fromkeys(("÷", "divided by", "나누기"), "/"),
    **dict.fromkeys(("plus", "더하기"), "+"),
    **dict.fromkeys(("minus", "빼기"), "-"),
}
_MOST_NUMBERS = 40
_MOST_BITS = 2_000


@dataclass(frozen=True)
class Calculation:
    """Numbers that operators join, after the last equals sign; `length` counts those before it as well."""

    numbers: tuple[Numeral, ...]
    operators: tuple[str, ...]
    length: int
    bracketed: bool

    @classmethod
    def at_start(cls, text: str, found: Sequence[Numeral]) -> Self:
        """Return the calculation that begins with the first of the numbers `found` in `text`."""
        numbers, length, bracketed = [found[0]], 1, False
        operators: list[str] = []
        for before, after in pairwise(found[:_MOST_NUMBERS]):
            joint = _JOINT.fullmatch(text, before.end, after.start)
            if joint is None:
                break
            length += 1
            if joint["equals"]:
                numbers, operators, bracketed = [after], [], False
                continue
            bracketed = bracketed or bool(joint["open"] or joint["close"])
            numbers.append(after)
            operators.append(_OPERATORS.get(small_letters(joint["operator"]), joint["operator"]))
        return cls(tuple(numbers), tuple(operators), length, bracketed)

    @property
    def has_result(self) -> bool:
        """Whether it was calculated: an equals sign stands in it."""
        return self.length > len(self.numbers)

    def value(self) -> Fraction | None:
        """Return the result; None where it is not clear (brackets), not defined or too large."""
        if not self.operators:
            return self.numbers[0].value
        if self.bracketed:
            return None
        terms = [self.numbers[0].value]
        for operator, number in zip(self.operators, self.numbers[1:], strict=True):
            if operator in "+-":
                terms.append(number.value if operator == "+" else -number.value)
            elif operator == "*":
                terms[-1] *= number.value
            elif number.value:
                terms[-1] /= number.value
            else:
                return None
        total = sum(terms, Fraction(0))
        return total if total.numerator.bit_length() + total.denominator.bit_length() < _MOST_BITS else None
