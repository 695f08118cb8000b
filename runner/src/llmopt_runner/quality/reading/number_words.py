"""Numbers in words, English and Korean, written in digits: twenty-five, three quarters, 스물한 살."""

import re
from collections.abc import Sequence

from llmopt_runner.quality.reading.typography import small_letters

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * place for place, word in enumerate(_TENS, start=2)
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_TIMES = {"hundred": 100, "dozen": 12}
_WORD = rf"(?:{'|'.join(sorted((*_SMALL, *_SCALES, *_TIMES), key=len, reverse=True))})s?"
_ENGLISH = re.compile(
    rf"(?<!\d )\b(?:an?[ ](?=hundred|thousand|million|billion|trillion|dozen))?{_WORD}\b"
    rf"(?:(?:-|[ ](?:and[ ])?|(?:(?<=thousand)|(?<=million)|(?<=billion)),[ ](?:and[ ])?){_WORD}\b)*",
    re.IGNORECASE,
)
_DIGIT_WORDS = rf"(?:{'|'.join((*_ONES[:10], 'oh'))})"
_POINT = re.compile(rf"(?P<whole>\d+)[ ]point(?P<digits>(?:[ ](?:{_DIGIT_WORDS}|\d)\b)+)", re.IGNORECASE)
_PARTS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100,
}  # fmt: skip
_SHARE = re.compile(rf"\b(?P<over>an?|\d+)[ -](?P<under>{'|'.join(_PARTS)})s?\b", re.IGNORECASE)
_HALF = re.compile(r"\bhalf\b(?! (?:of|an?|the)\b)", re.IGNORECASE)
# After a number its parts are not taken for another: 1 and a quarter.
_MIXED = re.compile(
    rf"(?<=\d) and (?P<over>an?|one|\d+)[ -](?P<under>{'|'.join(_PARTS)})s?\b(?! of\b)", re.IGNORECASE
)
_NEGATIVE = re.compile(r"(?<![\d)] )\b(?:minus|negative)[ ](?=[\d.])|마이너스\s?(?=[\d.])", re.IGNORECASE)
_PERCENT = re.compile(r"\s?(?:\bpercent\b|\bper cent\b|\bpct\b|퍼센트|프로(?![가-힣]))", re.IGNORECASE)
# "the one", "no one", "one of them" and "one can see" count nothing.
_PRONOUN = re.compile(
    r"\b(?:the|this|that|which|each|every|any|no|some|another|the only)[ ]one\b"
    r"|\bone (?:of|can|could|may|might|must|should|has|is|who|that|which|by one)\b",
    re.IGNORECASE,
)

_SINO = {digit: value for value, digit in enumerate("영일이삼사오육칠팔구")} | {"륙": 6, "공": 0}
_SINO_UNITS = {"십": 10, "백": 100, "천": 1_000}
_SINO_SCALES = {"만": 10**4, "억": 10**8, "조": 10**12}
_SINO_LETTERS = "".join((*_SINO, *_SINO_UNITS, *_SINO_SCALES))
_NATIVE = {
    **dict(zip(["한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"], range(1, 10), strict=True)),
    **dict(zip(["하나", "둘", "셋", "넷"], range(1, 5), strict=True)),
    "석": 3, "서": 3, "넉": 4, "너": 4,
}  # fmt: skip
_NATIVE_TENS = dict(
    zip(["열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"], range(10, 100, 10), strict=True)
) | {"스무": 20}
_COUNTERS = (
    "개월|개|명|마리|권|자루|장|송이|켤레|살|원|달러|시간|시|분|초|일|주|달|년|월|번|쪽|점|대|그루|병|잔|줄|층|회|배|가지|"
    "킬로미터|킬로그램|센티미터|밀리미터|밀리리터|제곱미터|제곱센티미터|미터|그램|리터|퍼센트|도|등|통|봉지|상자|바구니|주머니|조각|사람|인|가구|벌|척|"
    "km|cm|mm|kg|m|g|L|ml|%"
)
_ENDING = r"(?:입니다|이에요|예요|이다|임|이요|요|이며|이고|으로|로|이|가|을|를|은|는)?"
_CLOSED = r"\s*(?:[.,!?)\]\n]|$)"
_ONLY_ENDING = re.compile(r"(?:입니다|이에요|예요|이다|이요|요)?[\s.!]*")
_LONGEST_WORD, _LONGEST_PHRASE = 20, 200
_NATIVE_WORD = rf"(?:(?:{'|'.join(_NATIVE_TENS)})(?:{'|'.join(_NATIVE)})?|{'|'.join(_NATIVE)})"
_SINO_RUN = rf"[{_SINO_LETTERS}]+(?:(?<=[십백천만억조])[ ][{_SINO_LETTERS}]+)*"
_KOREAN = re.compile(
    rf"(?<![\w가-힣])(?:(?P<hundreds>[{_SINO_LETTERS}]*[백천만])?(?P<native>{_NATIVE_WORD})|(?P<sino>{_SINO_RUN}))"
    rf"(?P<counter>(?=\s?(?:{_COUNTERS}){_ENDING}(?:\s|{_CLOSED})))?(?(counter)|(?={_ENDING}{_CLOSED}))"
)
_HALF_IN_KOREAN = re.compile(rf"(?<![\w가-힣])절반(?={_ENDING}{_CLOSED})")
# Tenths, hundredths and thousandths: 3할 2푼 5리.
_TENTHS = re.compile(rf"(?<![\d.,])(\d)할(?:\s?(\d)푼)?(?:\s?(\d)리)?(?={_ENDING}{_CLOSED})")
_SHARE_IN_KOREAN = re.compile(
    rf"(?P<under>\d+|(?<![가-힣])[{_SINO_LETTERS}]+)\s?분의\s?(?P<over>\d+|[{_SINO_LETTERS}]+)(?![{_SINO_LETTERS}])"
)


def words_as_digits(text: str) -> str:
    """Return `text` with the numbers that it has in words written in digits, percent as `%`.

    Words that only look like numbers stay where that is clear: `the one`, `이 사람`. A Korean numeral is
    read before a counter, or where nothing but an ending follows.
    """
    text = _PRONOUN.sub(lambda found: "_" * len(found[0]), text)
    text = _ENGLISH.sub(_english, text)
    text = _POINT.sub(_with_decimals, text)
    text = _HALF_IN_KOREAN.sub("1/2", _HALF.sub("1/2", _SHARE.sub(_share, _MIXED.sub(_share_after, text))))
    text = _SHARE_IN_KOREAN.sub(_korean_share, text)
    return signs_as_symbols(_KOREAN.sub(_korean, text))


def signs_as_symbols(text: str) -> str:
    """Return `text` with what stands around digits in words as symbols: 5 percent, minus 5, 3분의 2."""
    text = _MIXED.sub(_share_after, _SHARE_IN_KOREAN.sub(_korean_share, text))
    text = _TENTHS.sub(lambda found: f"0.{found[1]}{found[2] or '0'}{found[3] or '0'}", text)
    return _NEGATIVE.sub("-", _PERCENT.sub("%", text))


def _english(found: re.Match[str]) -> str:
    if len(found[0]) > _LONGEST_PHRASE:
        return found[0]
    text = small_letters(found[0])
    words = [word for word in re.split(r"[\s,-]+", text) if word not in {"and", "a", "an"}]
    value = _value(words)
    if value is None:
        value = _year(text)
    return found[0] if value is None else str(value)


def _year(text: str) -> int | None:
    """Return the year that `text` spells by its two halves, nineteen ninety-nine; None where it is none."""
    century, _, rest = text.partition(" ")
    words = re.split(r"[ -]", rest)
    if not all(word in _SMALL for word in words):
        return None
    first, second = _SMALL.get(century, 0), _value(words)
    if not 16 < first <= 20 or second is None or not 10 <= second < 100:  # noqa: PLR2004 - two halves
        return None
    return 100 * first + second


def _value(words: Sequence[str]) -> int | None:
    """Return what `words` count; None where they are no one number (`one two three`)."""
    total, part, largest = 0, 0, 10**15
    for word in words:
        singular = word if word in _SMALL else word.removesuffix("s")
        if (small := _SMALL.get(singular)) is not None:
            if not _fits(part, small):
                return None
            part += small
        elif singular in _TIMES:
            part = (part or 1) * _TIMES[singular]
        elif (scale := _SCALES[singular]) < largest:
            total, part, largest = total + (part or 1) * scale, 0, scale
        else:
            return None
    return total + part


def _fits(part: int, small: int) -> bool:
    """Say whether `small` may follow: five after twenty and after a hundred, never after six."""
    if part % 100 == 0:
        return part == 0 or small > 0
    return part % 10 == 0 and part % 100 >= 20 and 0 < small < 10  # noqa: PLR2004 - from twenty on, in tens


def _with_decimals(found: re.Match[str]) -> str:
    digits = (
        "0" if word == "oh" else str(_SMALL.get(word, word))
        for word in small_letters(found["digits"]).split()
    )
    return f"{found['whole']}.{''.join(digits)}"


def _share(found: re.Match[str]) -> str:
    over = found["over"] if found["over"].isdecimal() else "1"
    return f"{over}/{_PARTS[small_letters(found['under'])]}"


def _share_after(found: re.Match[str]) -> str:
    over = found["over"] if found["over"].isdecimal() else "1"
    return f" {over}/{_PARTS[small_letters(found['under'])]}"


def _korean(found: re.Match[str]) -> str:
    if found["native"]:
        hundreds = _sino(found["hundreds"]) if found["hundreds"] else 0
        return found[0] if hundreds is None else str(hundreds + _native(found["native"]))
    sino = found["sino"]
    # One syllable is more often a word (이 사람, 일, 만 원) than a number, unless its counter touches it.
    if len(sino) > _LONGEST_WORD:
        return sino
    if len(sino) == 1 and not (_is_alone(found) or _is_counting(found)):
        return sino
    return sino if (value := _sino(sino)) is None else str(value)


def _is_alone(found: re.Match[str]) -> bool:
    return (
        len(found.string) < _LONGEST_WORD
        and bool(_ONLY_ENDING.fullmatch(found.string, found.end()))
        and (not found.string[: found.start()].strip())
    )


def _is_counting(found: re.Match[str]) -> bool:
    """Say whether a counter follows that makes one syllable a number: 이개, 백 점, but not 이 사람."""
    if found["counter"] is None:
        return False
    touches = not found.string[found.end() : found.end() + 1].isspace()
    return touches if found["sino"] in _SINO else touches or found["sino"] in "십백천"


def _native(word: str) -> int:
    for tens, value in _NATIVE_TENS.items():
        if word.startswith(tens):
            return value + _NATIVE.get(word.removeprefix(tens), 0)
    return _NATIVE[word]


def _korean_share(found: re.Match[str]) -> str:
    if len(found[0]) > _LONGEST_WORD:
        return found[0]
    under, over = _whole(found["under"]), _whole(found["over"])
    return found[0] if under is None or over is None else f" {over}/{under}"


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else _sino(text)


def _sino(text: str) -> int | None:
    """Return what `text` counts: 삼만 오천 is 35,000, 일이삼 is no number."""
    total = section = digit = 0
    unit, before = 10**5, ""
    for letter in text.replace(" ", ""):
        if letter in _SINO:
            if before in _SINO and before:
                return None
            digit = _SINO[letter]
        elif letter in _SINO_UNITS:
            if _SINO_UNITS[letter] >= unit:
                return None
            unit = _SINO_UNITS[letter]
            section, digit = section + (digit or 1) * unit, 0
        else:
            total, section, digit, unit = total + (section + digit or 1) * _SINO_SCALES[letter], 0, 0, 10**5
        before = letter
    return total + section + digit
