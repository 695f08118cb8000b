"""Units behind numbers: which of them are one, and which make two quantities different."""

import re

from llmopt_runner.quality.reading.typography import typed_plainly, without_markdown

_ALIKE = (
    "km kilometer kilometre 킬로미터", "m meter metre 미터", "cm centimeter centimetre 센티미터",
    "mm millimeter millimetre 밀리미터", "kg kilogram kilo 킬로그램", "g gram 그램", "l liter litre 리터",
    "ml milliliter millilitre 밀리리터", "h hr hour 시간", "시", "min minute 분", "s sec second 초", "day 일",
    "week wk 주", "month 개월 달", "year yr 년", "% percent 퍼센트 프로", "$ dollar usd 달러",
    "₩ won krw 원", "€ euro eur 유로", "° degree 도", "mi mile 마일",
)  # fmt: skip
_NAMES = {name: words.split()[0] for words in _ALIKE for name in words.split()}
_SIGN_BEFORE = re.compile(r"^\W*?([$₩€])")
_AFTER_DIGITS = re.compile(r"\d[\d.,/ ]*\s?([^\W\d_]+|%|°)\W*$")


def same_unit(one: str, two: str) -> bool:
    """Say whether two quantities have the same unit, or one of them none that is known."""
    first, second = _unit(one), _unit(two)
    return first is None or second is None or first == second


def _unit(text: str) -> str | None:
    text = without_markdown(typed_plainly(text))
    found = _SIGN_BEFORE.search(text) or _AFTER_DIGITS.search(text.strip()[:80])
    if found is None:
        return None
    name = found[1].casefold().removesuffix("입니다")
    return _NAMES.get(name) or _NAMES.get(name.removesuffix("s"))
