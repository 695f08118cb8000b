"""Korean words as templates need them: with the right particle, with their counter, in native numerals."""

from dataclasses import dataclass

_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_FINALS = 28
_RIEUL = 8
_OTHER = 1
# The final consonant of each digit as it is read: 영 일 이 삼 사 오 육 칠 팔 구.
_DIGIT_FINALS = (_OTHER, _RIEUL, 0, _OTHER, 0, 0, _OTHER, _RIEUL, _RIEUL, 0)
# Each particle after a consonant, and its twin after a vowel.
_TWINS = {"은": "는", "이": "가", "을": "를", "과": "와", "으로": "로"}
_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")


@dataclass(frozen=True)
class Thing:
    """Something that is counted: `사과` in `개`. `containers` are what it is usually put in."""

    name: str
    counter: str
    containers: tuple[str, ...] = ()


def person(name: str) -> str:
    """Return a given name as a text uses it: 태현이, which ends in a consonant, but 민수."""
    return f"{name}이" if _final_consonant(name) else name


def with_particle(word: str, particle: str) -> str:
    """Return `word` followed by `particle` as its sound asks for (`particle_of`)."""
    return word + particle_of(word, particle)


def particle_of(word: str, particle: str) -> str:
    """Return `particle` (은, 이, 을, 과, 으로) in the form that stands after `word`.

    Numbers count as they are read (3을, 2를); 으로 becomes 로 after a vowel and after ㄹ. Closing brackets
    and quotes are not heard.
    """
    final = _final_consonant(word.rstrip(")'\"」』]"))
    vowel_like = final == 0 or (particle == "으로" and final == _RIEUL)
    return _TWINS[particle] if vowel_like else particle


def native_numeral(number: int) -> str:
    """Return 1 to 99 as it stands before a counter: 한, 두, 스무, 스물한 …."""
    if number == 20:  # noqa: PLR2004 - the one round number that changes before a counter
        return "스무"
    tens, ones = divmod(number, 10)
    return _NATIVE_TENS[tens] + _NATIVE_ONES[ones]


def _final_consonant(word: str) -> int:
    """Return which final consonant `word` ends in as it is read; 0 for a vowel."""
    last = word[-1]
    if last.isascii() and last.isdigit():
        return _number_final(word)
    if not _FIRST_SYLLABLE <= ord(last) <= _LAST_SYLLABLE:
        raise ValueError(f"{word!r} ends in {last!r}, whose sound is not known: end it in Hangul or a digit")
    return (ord(last) - _FIRST_SYLLABLE) % _FINALS


def _number_final(word: str) -> int:
    # 10, 100, 1000 … end in 십, 백, 천, 만, 억: a consonant as 영 does, and none of them is ㄹ.
    return _DIGIT_FINALS[int(word[-1])]
