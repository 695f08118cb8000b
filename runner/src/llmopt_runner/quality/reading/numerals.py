"""Numbers as they are written: signs, separators, fractions, powers, percent, units of counting."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from llmopt_runner.quality.reading.typography import small_letters

# Longer runs of digits are noise of a model gone astray; reading them would cost more than they say.
_MAX_DIGITS = 60
_MAX_EXPONENT = 300
_MAX_POWER_DIGITS = 400
_KOREAN_UNITS = {"십": 10, "백": 100, "천": 1_000, "만": 10**4, "억": 10**8, "조": 10**12}
_SCALES = {
    "hundred": 100,
    "dozen": 12,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_SMALL = 1_000

# 1,234.5 and 1'234 and 1.234,5 and 1.234.567 and 1,00,000; a comma between other counts of digits
# separates numbers.
_PLAIN = (
    r"(?:[1-9]\d{0,2}(?:,\d{3})+(?!\d)(?:\.\d+)?|[1-9]\d{0,2}(?:(?:'\d{3})+|(?:_\d{3})+)(?![\d'_])"
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)|\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)"
    r"|\d{1,3}(?:\.\d{3}){2,}(?![\d.])|\d+(?:\.\d+)?|(?<!\w)\.\d+)"
)
# 조 also begins the word for a piece (피자 3조각).
_UNIT = r"(?:[십백천만억]|조(?!각))"
_KOREAN = rf"(?:{_PLAIN}\s?{_UNIT}+\s?)+(?:{_PLAIN}(?!\s?[\d/]))?"
# A sign touches its number and nothing before it: 7-5 and 7 - 5 hold no negative number.
_SIGN = r"(?:(?<![\w)\].%])(?<!\d\s)[-+])?"
_EXPONENT = r"\(?(?P<{name}>[-+]?\d{{1,4}})\)?"
_BRACKETED = r"\((?:[^()\n]|\([^()\n]{0,40}\)){1,80}\)"
_NUMBER = re.compile(
    # Nothing is tried where none of all this could begin.
    r"(?=[\d(√±]|[-+.]\.?\d|[A-Za-z_^]\(?[-+]?\d)"
    # What holds digits and is no number that could be read: 2√3, 3π, 5x, x2, m^2, (x+1)/(2).
    rf"(?P<opaque>(?:{_PLAIN})?\s?√\s?(?:\([^()\n]{{0,80}}\)|\d+)|{_BRACKETED}\s?/\s?{_BRACKETED}"
    rf"|(?:{_PLAIN}\s?/\s?)?{_PLAIN}(?:\s?π|[xyzn](?!\w))|±\s?{_PLAIN}|(?:[A-Za-z_]|\^\(?)[-+]?\d[\d,.]*)"
    rf"|(?P<sign>{_SIGN})(?:"
    rf"(?P<korean>{_KOREAN})"
    rf"|(?P<whole>\d+)(?:\s(?:and\s)?|\s?[와과]\s{{1,2}})(?P<top>\d+)/(?P<bottom>\d+)(?![\d/])"
    rf"|(?P<over>{_PLAIN})\s?/\s?(?P<under>{_PLAIN})(?![\d/])"
    rf"|(?P<factor>{_PLAIN})\s?[×x·]\s?10\s?\^\s?{_EXPONENT.format(name='ten')}"
    rf"|(?P<base>{_PLAIN})\s?\^\s?{_EXPONENT.format(name='power')}"
    rf"|(?P<mantissa>{_PLAIN})e(?P<exponent>[-+]?\d{{1,4}})(?![\d.])"
    rf"|(?P<scaled>{_PLAIN})(?:\s?(?P<scale>hundred|thousand|million|billion|trillion|dozen)s?\b|(?P<kilo>k)(?!\w))"
    rf"|(?P<plain>{_PLAIN}))(?P<percent>\s?%)?",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"(?P<number>{_PLAIN})\s?(?P<units>{_UNIT}*)")
_NOISE = re.compile(r"\d[\d.,]{80,}")
_CURRENCY = re.compile(
    r"(?:\b(?:US|A|C|HK|NT|S))?[$€£¥₩₹]|\b(?:USD|KRW|EUR|GBP|JPY|CNY|INR|Rs\.?)\s?(?=[-+]?\d)", re.IGNORECASE
)
_OWED = re.compile(r"(?<![\w)])-\s?[$€£¥₩₹]\s?(?=[\d.])")


@dataclass(frozen=True)
class Numeral:
    """A number in a text, and where it stands. `percent`: a sign follows it; the value is not divided."""

    value: Fraction
    percent: bool
    start: int
    end: int


def without_currencies(text: str) -> str:
    """Return `text` without signs and codes of currencies, and without runs of digits that say nothing."""
    return _CURRENCY.sub("", _OWED.sub("-", _NOISE.sub("…", text)))


def numerals(text: str) -> Iterator[Numeral]:
    """Yield the numbers that are written in `text` in digits, in the text's order."""
    for match in _NUMBER.finditer(text):
        value = None if match["opaque"] else _value(match)
        if value is not None:
            yield Numeral(value, match["percent"] is not None, match.start(), match.end())


def _value(match: re.Match[str]) -> Fraction | None:
    if sum(character.isdecimal() for character in match[0]) > _MAX_DIGITS:
        return None
    sign = -1 if "-" in match["sign"] else 1
    size = _size(match)
    return None if size is None else sign * size


def _size(match: re.Match[str]) -> Fraction | None:
    if match["korean"]:
        return _korean(match["korean"])
    if match["whole"] or match["over"]:
        part = _quotient(match["top"] or match["over"], match["bottom"] or match["under"])
        return None if part is None else int(match["whole"] or 0) + part
    if match["factor"] or match["mantissa"]:
        return _scaled(match["factor"] or match["mantissa"], match["ten"] or match["exponent"])
    if match["base"]:
        return _power(_digits(match["base"]), int(match["power"]))
    if match["scaled"]:
        return _digits(match["scaled"]) * (
            _SMALL if match["kilo"] else _SCALES[small_letters(match["scale"])]
        )
    return _digits(match["plain"])


def _digits(text: str) -> Fraction:
    """Return the value of digits with separators of either custom."""
    if text.count(".") > 1 or ("," in text and text.rfind(".") < text.rfind(",") and "." in text):
        text = text.replace(".", "").replace(",", ".")
    return Fraction(re.sub("[,'_]", "", text))


def _quotient(over: str, under: str) -> Fraction | None:
    divisor = _digits(under)
    return _digits(over) / divisor if divisor else None


def _scaled(text: str, exponent: str) -> Fraction | None:
    return _digits(text) * Fraction(10) ** int(exponent) if abs(int(exponent)) <= _MAX_EXPONENT else None


def _power(base: Fraction, exponent: int) -> Fraction | None:
    digits = len(str(base.numerator)) + len(str(base.denominator))
    if digits * abs(exponent) > _MAX_POWER_DIGITS or (base == 0 and exponent < 0):
        return None
    return base**exponent


def _korean(text: str) -> Fraction:
    """Return the value of digits with unit words: 1억 2천만 is 120,000,000."""
    total = section = Fraction(0)
    for piece in _PIECE.finditer(text):
        value = _digits(piece["number"])
        for unit in piece["units"]:
            if _KOREAN_UNITS[unit] <= _SMALL:
                value *= _KOREAN_UNITS[unit]
            else:
                # 만, 억 and 조 multiply all that was said since the one before them.
                total += (section + value) * _KOREAN_UNITS[unit]
                section = value = Fraction(0)
        section += value
    return total + section
