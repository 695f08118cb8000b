"""The number that an answer gives, whatever words, units and steps stand around it."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from llmopt_runner.quality.reading.calculations import UNIT, Calculation
from llmopt_runner.quality.reading.number_words import signs_as_symbols, words_as_digits
from llmopt_runner.quality.reading.numerals import Numeral, numerals, without_currencies
from llmopt_runner.quality.reading.statements import Reading, Statement, Strength, read
from llmopt_runner.quality.reading.typography import typed_plainly, without_markdown

# Two numbers of which neither is the answer: 3 or 4, 3-4, from 3 to 4.
_EITHER = re.compile(
    rf"{UNIT}\s?,?\s?(?:or|and/or|또는|혹은|아니면|이나|나|부터|에서)\s?(?:maybe\s|[a-z]\s?=\s?)?",
    re.IGNORECASE,
)
# One calculation after another: 16 - 7 = 9 eggs, 9 * 2 = 18 dollars.
_THEN = re.compile(rf"{UNIT}\s?[,;]\s?(?:(?:and|so|then|그리고|그래서)\s)?", re.IGNORECASE)
_RANGE = re.compile(rf"{UNIT}\s?(?:[-~〜]|to|through|until|and|과|와)\s?", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|from|either)\s*$", re.IGNORECASE)
_DENIED_BEFORE = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot|\bneither|\bnor|\brather than|\binstead of"
    r"|\b(?:more|less|greater|fewer|larger|smaller|higher|lower) than|[<>≠])"
    r"(?:\s(?:equal to|exactly|be|simply|just|the|an?|answer|number))*\s*$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    rf"{UNIT}\s?(?:(?:은|는|이|가|도)?\s?(?:정답이\s|답이\s)?(?:아니|아닌|아닙|틀[리렸린립]|오답)|초과|미만|보다\s"
    r"|\s?[<>≤≥]\s?[A-Za-z]"
    r"|\s?(?:is|was)(?:\s?n't|\s(?:not|wrong|incorrect|false))\b|\s?\(?(?:wrong|incorrect)\b)",
    re.IGNORECASE,
)
_CONFIRMED_AFTER = re.compile(
    rf"{UNIT}\s?(?:(?:is|was)\s(?:the\s)?(?:(?:final|correct|right)\s)?(?:answer|solution|correct|right)\b"
    r"|(?:이|가|은|는)?\s?(?:정답|답)(?!이?\s?아니))",
    re.IGNORECASE,
)
# What restates or explains a number behind it: 90 (1.5 hours), 7 (3 + 4).
_ASIDE = re.compile(rf"(?<=\d)(?P<unit>{UNIT})(?:(?<!\d)|\s)\([^()\n]{{1,80}}\)(?=\s*(?:[.!]?\s*$|[.!]?\n))")
_OUT_OF = re.compile(
    rf"{UNIT}(?:\s[a-z]+){{0,3}}\s(?:out of|of (?:the|those|these))(?:\s[a-z]+)?\s", re.IGNORECASE
)
_DECIMAL_COMMA = re.compile(r"(?<![\d,.(\[{])(\d+),(\d{1,2}|(?<=\b0,)\d+)(?![\d,]|\.\d)(?!\s?[)\]}])")
_AFTER_TIME = re.compile(
    rf"{UNIT}(?:\s[a-z]+){{0,3}}\s(?:after|over)\s(?:the\s(?:course\sof\s|next\s|first\s)?)?", re.IGNORECASE
)
_TIME = re.compile(r"\s?(?:second|minute|hour|day|week|month|year)s?\b", re.IGNORECASE)
# What a rate counts by: 10 per 50 minutes; how long it lasts: 350 per month for 12 months.
_RATE = re.compile(
    rf"{UNIT}(?:\s[a-z]+){{0,2}}\sper\s"
    rf"|{UNIT}(?:\s[a-z]+){{0,2}}\s(?:per|an?|each|every)\s(?:second|minute|hour|day|week|month|year)"
    r"\sfor\s(?:the\s(?:next\s|first\s)?)?",
    re.IGNORECASE,
)
# All of an answer that counts the days of a year: There are 366 days in 2024.
_OF_A_YEAR = re.compile(
    r"\W*(?:there (?:are|were)\s|it (?:has|had)\s)?\d+ (?:second|minute|hour|day|week|month)s? in"
    r" (?:the year )?(?:1[5-9]|20)\d\d\W*",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    r"(?:(?:explanation|reason(?:ing)?|because|since|solution|calculation|working|steps?|why|how|here)\b"
    r"|(?:해설|설명|풀이|이유|왜냐하면|과정))",
    re.IGNORECASE,
)
_ONLY_SIGNS = re.compile(r"[\d .]{1,60}(?:[-+*/×÷][\d .]{1,60}){1,8}")
_SPACED_THOUSANDS = re.compile(r"\W{0,3}[1-9]\d{0,2}(?: \d{3})+(?!\d)\D{0,20}")
_ONLY_UNIT = re.compile(r"\s?[^\W\d_]*(?:[ /·]{1,2}[^\W\d_]+){0,3}(?:\^[23])?°?[.\s]*")
_LONGEST_UNIT = 40
_LOOK_BACK = 60
_LONGEST_STATEMENT = 400
_MOST_LOOKED_AT = 64
_TAIL = 4_000


@dataclass(frozen=True)
class Quantity:
    """A number, and whether it was given in percent; then it means `value` or a hundredth of it."""

    value: Fraction
    percent: bool = False

    def is_near(self, other: "Quantity", tolerance: Fraction = Fraction(0)) -> bool:
        """Say whether both mean the same within `tolerance`: 20 % is 20, and 0.2."""
        return any(abs(one - two) <= tolerance for one, two in self._compared(other))

    def _compared(self, other: "Quantity") -> list[tuple[Fraction, Fraction]]:
        pairs = [(self.value, other.value)]
        if self.percent and not other.percent:
            pairs.append((self.value / 100, other.value))
        if other.percent and not self.percent:
            pairs.append((self.value, other.value / 100))
        return pairs


@dataclass(frozen=True)
class _Found:
    """What a part of an answer says: a quantity, none (`unclear`), or nothing at all."""

    quantity: Quantity | None = None
    unclear: bool = False

    @property
    def decides(self) -> bool:
        return self.unclear or self.quantity is not None


_NOTHING, _UNCLEAR = _Found(), _Found(unclear=True)


def answered_number(text: str) -> Fraction | None:
    """Return the number that `text` gives as its answer, or None (`answered_quantity`)."""
    quantity = answered_quantity(text)
    return None if quantity is None else quantity.value


def answered_quantity(text: str) -> Quantity | None:
    r"""Return the number that `text` gives as its answer; None where it gives none, or leaves several.

    It is what stands in `\boxed{}` or answer tags, after `####`, after the last `answer is`, `정답은` or the
    like, in bold, before `is the answer`; else the first number after the last `=`; else the last number of
    all. Of a calculation (6 * 7 = 42) the result counts. Read are signs, separators of thousands, decimals,
    fractions, mixed numbers, powers, LaTeX, percent, and numbers in English and Korean words; currencies and
    units are ignored. A number that is denied (not 42), and the ends of a range, are no answer.
    """
    if _SPACED_THOUSANDS.fullmatch(text):
        text = re.sub(r"(?<=\d) (?=\d{3})", "", text)
    reading = read(_DECIMAL_COMMA.sub(r"\1.\2", text))
    for found in _candidates(reading):
        if found.decides:
            return found.quantity
    return None


def numbers(text: str) -> list[Fraction]:
    """Return all numbers that `text` has in digits, in the text's order."""
    return [each.value for each in numerals(without_currencies(typed_plainly(text)))]


def whole_quantity(text: str) -> Quantity | None:
    """Return the number that all of `text` is, with at most a unit; None where it says more."""
    written = _in_digits(text).lstrip(" (").rstrip(" .,!()")
    found = list(numerals(written))
    if not found or written[: found[0].start].strip() or not _is_unit(written[found[-1].end :]):
        return None
    calculation = Calculation.at_start(written, found)
    return _result(calculation).quantity if calculation.length == len(found) else None


def _in_digits(text: str) -> str:
    return without_currencies(words_as_digits(without_markdown(typed_plainly(text))))


def _is_unit(text: str) -> bool:
    return len(text) <= _LONGEST_UNIT and _ONLY_UNIT.fullmatch(text) is not None


def _candidates(reading: Reading) -> Iterator[_Found]:
    """Yield what each part of an answer says, the part that counts most first."""
    # A calculation without its result is no answer: neither of its numbers is.
    if _ONLY_SIGNS.fullmatch(reading.text) and len(list(numerals(reading.text))) > 1:
        yield _UNCLEAR
    for statement in reading.statements:
        yield _of_statement(statement)
    yield _opening(reading)
    # An answer that nothing marks stands at the end.
    text = _ASIDE.sub(r"\g<unit>", signs_as_symbols(without_currencies(reading.text[-_TAIL:])))
    found = _last_numerals(text)
    yield _confirmed(text, found)
    yield _after_equals(text, found, reading)
    yield _last(text, found)
    # Words count where nothing is in digits: they are easily more than a number (the one, 이 사람).
    spelled = words_as_digits(text)
    yield _last(spelled, _last_numerals(spelled))


def _of_statement(statement: Statement) -> _Found:
    if statement.strength is Strength.WHOLE:
        return _Found(whole_quantity(statement.text))
    return _stated(without_currencies(words_as_digits(statement.text)))


def _stated(text: str) -> _Found:
    """Return what a text says that begins with its answer: the result of its calculation, or its number."""
    found = list(numerals(text))
    held = [each for each in found if not _is_denied(text, each)]
    if not held:
        return _UNCLEAR if found else _NOTHING
    calculation = _last_calculation(text, held)
    if calculation.numbers[0] is held[0] and len(held) > 1:
        listed = text[held[0].end : held[1].start].strip() in {",", ";"}
        if listed or _is_one_of_several(text, held[0], held[1]):
            return _UNCLEAR
    return _result(calculation)


def _last_calculation(text: str, held: Sequence[Numeral]) -> Calculation:
    """Return the calculation at the start of `text`, or of several with results that follow it, the last."""
    calculation, at = Calculation.at_start(text, held), 0
    while calculation.has_result:
        at += calculation.length
        if at >= len(held) or not _THEN.fullmatch(text, held[at - 1].end, held[at].start):
            break
        following = Calculation.at_start(text, held[at:])
        if not following.has_result:
            break
        calculation = following
    return calculation


def _result(calculation: Calculation) -> _Found:
    value = calculation.value()
    return _UNCLEAR if value is None else _Found(Quantity(value, calculation.numbers[-1].percent))


def _last_numerals(text: str) -> list[Numeral]:
    return list(deque(numerals(text), maxlen=_MOST_LOOKED_AT))


def _confirmed(text: str, found: Sequence[Numeral]) -> _Found:
    for each in reversed(found):
        if _CONFIRMED_AFTER.match(text, each.end) and not _is_denied(text, each):
            return _Found(Quantity(each.value, each.percent))
    return _NOTHING


def _after_equals(text: str, found: Sequence[Numeral], reading: Reading) -> _Found:
    at = text.rfind("=") + 1
    if not at:
        return _NOTHING
    concluded = reading.concluded[0] if reading.concluded else None
    if concluded is not None and "=" not in reading.text[concluded.at :]:
        values = {each.value for each in numerals(without_currencies(concluded.text))}
        if len(values) == 1:
            return _stated(without_currencies(concluded.text))
    for one, two in pairwise(found):
        if one.end <= at <= two.start and _is_one_of_several(text, one, two):
            return _UNCLEAR
    return _stated(text[at : at + _LONGEST_STATEMENT])


def _last(text: str, found: Sequence[Numeral]) -> _Found:
    held = [each for each in found if not _is_denied(text, each)]
    if not held:
        return _UNCLEAR if found else _NOTHING
    if len(held) > 1 and _is_one_of_several(text, held[-2], held[-1]):
        return _UNCLEAR
    if len(held) > 1 and _is_of_the_whole(text, held[-2], held[-1]):
        held = held[:-1]
    return _Found(Quantity(held[-1].value, held[-1].percent))


def _opening(reading: Reading) -> _Found:
    """Return the number that is all of an answer's first line, where an explanation follows."""
    first, _, rest = reading.text.partition("\n")
    if not rest.strip() or reading.concluded or not _EXPLAINED.match(rest.strip()):
        return _NOTHING
    return _Found(whole_quantity(first))


def _is_of_the_whole(text: str, one: Numeral, two: Numeral) -> bool:
    """Say whether the first number was counted of the second, in it or by it: 3 out of 5, 42 after 3 days."""
    if _OUT_OF.fullmatch(text, one.end, two.start) or _OF_A_YEAR.fullmatch(text):
        return True
    if _RATE.fullmatch(text, one.end, two.start) and _TIME.match(text, two.end):
        return True
    return bool(_AFTER_TIME.fullmatch(text, one.end, two.start) and _TIME.match(text, two.end))


def _is_denied(text: str, each: Numeral) -> bool:
    before = text[max(0, each.start - _LOOK_BACK) : each.start]
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(text, each.end))


def _is_one_of_several(text: str, one: Numeral, two: Numeral) -> bool:
    """Say whether two neighbours are alternatives, the ends of a range, or a list."""
    if one.value == two.value:
        return False
    between = text[one.end : two.start]
    if _EITHER.fullmatch(between):
        return True
    if not _RANGE.fullmatch(between):
        return False
    if any(word in between.lower() for word in ("and", "과", "와")):
        return bool(_BETWEEN.search(text[max(0, one.start - _LOOK_BACK) : one.start]))
    return one.value < two.value or not any(sign in between for sign in "-~〜")
