"""The number that an answer gives, whatever words, units and steps stand around it."""

import re
import unicodedata
from fractions import Fraction

# Longer runs of digits are noise of a model gone astray; reading them would cost more than they say.
_MAX_DIGITS = 60
_UNITS = {"십": 10, "백": 100, "천": 1_000, "만": 10**4, "억": 10**8, "조": 10**12}
_SMALL = 1_000

_PLAIN = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
# 조 also begins the word for a piece (피자 3조각).
_WORD = r"(?:[십백천만억]|조(?!각))"
_KOREAN = rf"(?:(?:{_PLAIN})\s?{_WORD}+\s?)+(?:(?:{_PLAIN})(?!\s?[\d/]))?"
# A sign touches its number and nothing before it: 7-5 and 7 - 5 hold no negative number.
_SIGN = r"(?:(?<![\w)\].])(?<!\d\s)[-+])?"
_NUMBER = re.compile(
    rf"(?P<sign>{_SIGN})(?:(?P<korean>{_KOREAN})|(?P<over>\d+)/(?P<under>\d+)(?![\d/])"
    rf"|(?P<plain>{_PLAIN})(?P<power>e[-+]?\d{{1,2}}(?!\d))?)",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"(?P<number>{_PLAIN})\s?(?P<units>{_WORD}*)")
# Words that announce the answer count for more than an equals sign, which working-out is full of.
_MARKERS = (
    re.compile(r"\banswer\s*(?:is|:|=)|정답\s*(?:은|:)|답\s*(?:은|:)|####|\\boxed\{", re.IGNORECASE),
    re.compile(r"="),
)
_MINUS_SIGNS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2013", "-"))


def answered_number(text: str) -> Fraction | None:
    """Return the number that `text` gives as its answer, or None.

    It is the first number after the last `answer is`, `정답은`, `####` or the like; else the first after the
    last `=`; else the last number of all. Read are signs, thousands separators, decimals, simple fractions
    (3/4), powers (1e3) and Korean unit words behind digits (3만 5천); a currency or unit is ignored.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u2044", "/").translate(_MINUS_SIGNS)
    for marker in _MARKERS:
        *_, last = (None, *marker.finditer(plain))
        if last is not None and (after := numbers(plain[last.end() :])):
            return after[0]
    found = numbers(plain)
    return found[-1] if found else None


def numbers(text: str) -> list[Fraction]:
    """Return all numbers of `text`, in order."""
    values = (_value(match) for match in _NUMBER.finditer(text))
    return [value for value in values if value is not None]


def _value(match: re.Match[str]) -> Fraction | None:
    if sum(character.isdecimal() for character in match[0]) > _MAX_DIGITS:
        return None
    sign = -1 if "-" in match["sign"] else 1
    if match["korean"]:
        return sign * _korean(match["korean"])
    if match["over"]:
        return sign * Fraction(int(match["over"]), int(match["under"])) if int(match["under"]) else None
    return sign * Fraction(match["plain"].replace(",", "") + (match["power"] or ""))


def _korean(text: str) -> Fraction:
    """Return the value of digits with unit words: 1억 2천만 is 120,000,000."""
    total = section = Fraction(0)
    for piece in _PIECE.finditer(text):
        value = Fraction(piece["number"].replace(",", ""))
        for unit in piece["units"]:
            if _UNITS[unit] <= _SMALL:
                value *= _UNITS[unit]
            else:
                # 만, 억 and 조 multiply all that was said since the one before them.
                total += (section + value) * _UNITS[unit]
                section = value = Fraction(0)
        section += value
    return total + section
