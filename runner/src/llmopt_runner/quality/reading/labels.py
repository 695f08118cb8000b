"""The labels of choices: their letters, numbers and Korean syllables, alone and in a sentence."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from llmopt_runner.quality.reading.typography import small_letters

HANGUL_LABELS = "가나다라마바사아자차카타파하"
# As NFKC writes ㄱ, ㄴ, ㄷ.
HANGUL_LETTERS = unicodedata.normalize("NFKC", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ")
_LABEL = rf"\d{{1,2}}|[A-Za-z]|[{HANGUL_LABELS}]"
_WORD = r"(?:option|choice|answer|letter|number|no\.|보기|선택지|선지|답안)"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_COUNTED = ("첫", "두", "세", "네", "다섯", "여섯")
# Alone, whatever marks stand around it: (B), B., 2번, "나"입니다.
_ALONE = re.compile(
    rf"[^\w]*(?:(?:the )?{_WORD}\s*[:#]?\s*)?[(\[]?\s?(?<![-+.])(?P<label>{_LABEL})\s?[)\]'\"]?\s?번?[.:,]?"
    r"(?:입니다|이에요|예요|이다)?[^\w]*",
    re.IGNORECASE,
)
_SPELLED = ("one", "two", "three", "four", "five", "six")
# Alone and in words: option two, the second one, 두 번째, and the letter of a choice.
_ALONE_IN_WORDS = re.compile(
    rf"[^\w]*(?:(?:the )?(?:option|choice|number) (?P<spelled>{'|'.join(_SPELLED)})"
    rf"|(?:the )?(?P<ordinal>{'|'.join(_ORDINALS)})(?: (?:one|option|choice|answer|alternative))?"
    rf"|(?:(?P<counted>{'|'.join(_COUNTED)}) ?번째(?: ?(?:보기|선택지|선지|것|항목))?"
    rf"|(?P<letter>[{HANGUL_LETTERS}]))(?:입니다|이에요|예요|이다)?)[^\w]*",
    re.IGNORECASE,
)
# Before what it labels, at the beginning of a line: B. London, (2) London, 나) 런던, B: London, B - London.
LEADING = re.compile(
    rf"^[ \t\"'(\[]*(?P<label>{_LABEL})(?:\s?번(?=[\s.:)]|$)|[)\]][.:]?(?=\s|$)|[.:](?=\s|$)|[ ][-—][ ]"
    rf"|[ ]*$)",
    re.MULTILINE,
)
# Chinese and Japanese set no space beside a label.
_CHINESE = "\u3040-\u30ff\u4e00-\u9fff"
_BOUND = rf"(?:[^\W{_CHINESE}]|['.-])"
# Within a sentence only what cannot be a word: a capital is one (A, I) unless something shows the label.
_WITHIN = re.compile(
    rf"\b{_WORD}\s*[:#]?\s*[(\[]?(?P<named>\d{{1,2}}|[A-Za-z])[)\]]?(?![A-Za-z0-9])"
    rf"|\((?P<bracketed>{_LABEL})\)"
    rf"|(?<![\w.])(?P<numbered>\d{{1,2}}|[A-Za-z])\s?번(?!째)"
    rf"|(?<![가-힣])(?P<syllable>[{HANGUL_LABELS}])\s?번(?!째)"
    rf"|\b(?P<ordinal>{'|'.join(_ORDINALS)}) (?:one|option|choice|answer|alternative)\b"
    rf"|(?<![가-힣])(?P<counted>{'|'.join(_COUNTED)}) ?번째 ?(?:보기|선택지|선지|것|항목)"
    rf"|(?<!{_BOUND})(?P<capital>[B-HJ-Z])(?![A-Za-z0-9_'+#]|-\w)"
    rf"|(?<!{_BOUND})(?P<article>[AI])(?=\s?[.,:;)/]|[{_CHINESE}]|\s*$|\s[B-J](?!\w)|\s(?:and|or|nor|but|is|are|was|instead|rather|because|since)\b"
    r"|\s?(?:이|가|은|는|을|를|와|과|도|입니다|이다)(?:\s|[.,]|$))",
    re.IGNORECASE,
)


# Vitamin B and plan B are no labels.
_OTHER = re.compile(
    r"\b(?:vitamin|plan|hepatitis|type|grade|class|section|part|group|figure|table|appendix|team|category|level|side|point"
    r"|line|step|case|set|matrix|event) $",
    re.IGNORECASE,
)


class Label(NamedTuple):
    """A label in a text: the place of the choice it names, from 0, and where it stands.

    `explicit`: it can only be a label (option B, 2번, (B)); a capital alone may be a word.
    """

    place: int
    start: int
    end: int
    explicit: bool


def only_label(text: str) -> int | None:
    """Return the place that `text` names if it is nothing but a label; else None."""
    if len(text) >= 40:  # noqa: PLR2004 - with marks and a copula
        return None
    if (found := _ALONE.fullmatch(text)) is not None:
        return place_of(found["label"])
    words = _ALONE_IN_WORDS.fullmatch(text)
    return None if words is None else _place(words.lastgroup or "", words[words.lastgroup or 0])


def has_letter_labels(text: str) -> bool:
    """Say whether `text` has letters such as ㄱ and ㄴ, which then label something else than choices."""
    return any(letter in HANGUL_LETTERS for letter in text)


def labels(text: str) -> Iterator[Label]:
    """Yield the labels that `text` names, in the text's order."""
    for found in _WITHIN.finditer(text):
        kind = found.lastgroup or ""
        label = found[kind]
        # Case counts here: `a` and `i` are words, and so is a small letter that stands alone.
        if kind in {"capital", "article"} and (
            not label.isupper() or _OTHER.search(text[: found.start()][-20:])
        ):
            continue
        if (place := _place(kind, label)) is not None:
            explicit = kind not in {"capital", "article"}
            yield Label(place, found.start(), found.end(kind), explicit)


def _place(kind: str, label: str) -> int | None:
    if kind == "ordinal":
        return _ORDINALS.index(small_letters(label))
    if kind == "spelled":
        return _SPELLED.index(small_letters(label))
    if kind == "letter":
        return HANGUL_LETTERS.index(label)
    return _COUNTED.index(label) if kind == "counted" else place_of(label)


def place_of(label: str) -> int | None:
    """Return the place of a choice from 0: 2, B, b and 나 are 1; None for 0."""
    if label.isdecimal():
        return int(label) - 1 if int(label) else None
    letter = small_letters(label)
    return ord(letter) - ord("a") if letter.isascii() else HANGUL_LABELS.index(label)
