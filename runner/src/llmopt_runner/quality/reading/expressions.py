"""Short formulas that differ in nothing but their order: x+1 and 1+x, 4/3π and (4π)/(3).

Nothing is expanded, factored or collected: (x+1)(x-1) is another answer than x^2-1, since one may be the
question of which the other is the answer. What is not read as a formula as a whole is none.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, isqrt

from llmopt_runner.quality.reading.typography import typed_plainly, without_markdown

_LONGEST = 100
_DEEPEST = 6
_MOST_POWER = 20
_MOST_UNDER_ROOT = 10**6
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,9}(?:\.\d{1,6})?)(?![\d.])|(?P<letter>[A-Za-z\u03b1-\u03c9])|(?P<sign>[-+*×·/^()√]))"
)
# Words, letters in a row, f(x): what stands side by side is more than a product.
_OTHER = re.compile(r"[A-Za-z]\s*[A-Za-z(]")
# Letters alone may be an order, such as A-B-C.
_IN_ORDER, _DIGIT = re.compile(r"[-/]"), re.compile(r"[\d√π]")

# A coefficient and its factors with their powers; such terms in their one order.
_Product = tuple[Fraction, tuple[tuple[str, int], ...]]
_Sum = tuple[_Product, ...]


class _NoFormula(Exception):
    """A text is no formula that is read."""


@dataclass(frozen=True)
class Formula:
    """A formula in the one order that all its orders share. `reduced`: no number of it could be shorter."""

    sides: tuple[_Sum, ...]
    reduced: bool


@dataclass
class _Term:
    """A product: its numbers, above and below the line, and its other factors with their powers."""

    above: list[Fraction] = field(default_factory=list)
    below: list[Fraction] = field(default_factory=list)
    factors: Counter[str] = field(default_factory=Counter)
    sign: int = 1


def same_formula(expected: str, given: str) -> bool:
    """Say whether `given` is the formula `expected` in another order, its numbers as short as they can be."""
    one = _formula(expected)
    two = None if one is None else _formula(given)
    return one is not None and two is not None and one.sides == two.sides and two.reduced


def _formula(text: str) -> Formula | None:
    """Return the formula that all of `text` is; None where it is none, or only a number."""
    if len(text) > _LONGEST:
        return None
    plain = without_markdown(typed_plainly(text)).strip(" $.")
    sides = plain.split("=")
    if len(plain) > _LONGEST or len(sides) > 2 or _OTHER.search(plain):  # noqa: PLR2004 - an equation has two
        return None
    if not _DIGIT.search(plain) and _IN_ORDER.search(plain):
        return None
    try:
        readers = [_Reader(_tokens(side)) for side in sides]
        read = tuple(reader.whole() for reader in readers)
    except _NoFormula:
        return None
    if not any(reader.symbols for reader in readers):
        return None
    return Formula(read, all(reader.reduced for reader in readers))


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _NoFormula
        kind = token.lastgroup or ""
        if kind == "number" and found and found[-1][0] in {"number", "letter"}:
            raise _NoFormula  # two numbers side by side, or an index
        found.append((kind, token[kind]))
        at = token.end()
    return found


class _Reader:
    """Reads one side by recursive descent."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.symbols = False
        self.reduced = True

    def whole(self) -> _Sum:
        terms = self._sum()
        if self._at != len(self._tokens):
            raise _NoFormula
        return terms

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _takes(self, signs: str) -> str:
        kind, text = self._next()
        if kind != "sign" or text not in signs:
            return ""
        self._at += 1
        return text

    def _sum(self) -> _Sum:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NoFormula
        sign = -1 if self._takes("-+") == "-" else 1
        terms = [self._term(sign)]
        while operator := self._takes("-+"):
            terms.append(self._term(-1 if operator == "-" else 1))
        self._depth -= 1
        kinds = [factors for _, factors in terms]
        if len(set(kinds)) != len(kinds):
            raise _NoFormula  # like terms, which are not collected
        return tuple(sorted(terms, key=repr))

    def _term(self, sign: int) -> _Product:
        term = _Term(sign=sign)
        self._factor(term, 1)
        while True:
            if operator := self._takes("*×·/"):
                self._factor(term, -1 if operator == "/" else 1)
                kind, text = self._next()
                if operator == "/" and (text in {"(", "√"} or (kind == "letter" and text != "π")):
                    raise _NoFormula  # 1/2x: which of two, nobody can say
            elif self._next()[0] in {"number", "letter"} or self._next()[1] in {"(", "√"}:
                self._factor(term, 1)
            else:
                return self._written(term)

    def _written(self, term: _Term) -> _Product:
        value = Fraction(term.sign)
        for number in term.above:
            value *= number
        for number in term.below:
            value /= number
        self.reduced &= len(term.above) <= 1 and len(term.below) <= 1 and _in_lowest_terms(term)
        return value, tuple(sorted((name, power) for name, power in term.factors.items() if power))

    def _factor(self, term: _Term, direction: int) -> None:
        kind, text = self._next()
        self._at += 1
        if kind == "number":
            number, power = Fraction(text), self._power()
            if not number:
                raise _NoFormula
            (term.above if direction > 0 else term.below).append(number**power)
        elif kind == "letter":
            self.symbols = True
            term.factors[text] += direction * self._power()
        elif text == "√":
            self._root(term, direction)
        elif text == "(":
            self._bracket(term, direction)
        else:
            raise _NoFormula

    def _power(self) -> int:
        if not self._takes("^"):
            return 1
        bracket, sign = self._takes("("), -1 if self._takes("-") else 1
        kind, text = self._next()
        if kind != "number" or not text.isdecimal() or int(text) > _MOST_POWER:
            raise _NoFormula
        self._at += 1
        if bracket and not self._takes(")"):
            raise _NoFormula
        return sign * int(text)

    def _root(self, term: _Term, direction: int) -> None:
        bracket = self._takes("(")
        kind, text = self._next()
        self._at += 1
        if kind != "number" or not text.isdecimal() or not 0 < int(text) <= _MOST_UNDER_ROOT:
            raise _NoFormula
        if (bracket and not self._takes(")")) or self._next()[1] == "^":
            raise _NoFormula
        whole = next(each for each in range(isqrt(int(text)), 0, -1) if int(text) % each**2 == 0)
        left = int(text) // whole**2
        self.symbols = True
        self.reduced &= whole == 1 and direction > 0
        if whole > 1:
            (term.above if direction > 0 else term.below).append(Fraction(whole))
        if left > 1:
            term.factors[f"√{left}"] += direction

    def _bracket(self, term: _Term, direction: int) -> None:
        inner = self._sum()
        if not self._takes(")"):
            raise _NoFormula
        power = direction * self._power()
        if len(inner) > 1:
            term.factors[repr(inner)] += power
            return
        ((value, factors),) = inner
        if abs(power) != 1:
            raise _NoFormula
        (term.above if power > 0 else term.below).extend([] if value == 1 else [value])
        for name, each in factors:
            term.factors[name] += power * each


def _in_lowest_terms(term: _Term) -> bool:
    if not term.below:
        return True
    above, below = (term.above or [Fraction(1)])[0], term.below[0]
    whole = above.denominator == below.denominator == 1
    return whole and abs(below) > 1 and gcd(above.numerator, below.numerator) == 1
