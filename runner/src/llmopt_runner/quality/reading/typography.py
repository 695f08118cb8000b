"""One way to type what can be typed in several: circled labels, raised digits, fractions, LaTeX, markdown."""

import re
import unicodedata

from llmopt_runner.quality.reading.latex import plain_latex

# Longer answers are read at both ends: what states the answer stands there.
_MOST_CHARACTERS = 12_000
_HEAD = 2_000
_HANGUL_LABELS = "가나다라마바사아자차카타파하"


def _enclosed() -> dict[int, str]:
    """Return labels in circles and boxes as labels in brackets: ② is (2), Ⓑ is (B), ㉯ is (나)."""
    numbers = {
        first + at: f"({at + 1})"
        for first, count in ((0x2460, 20), (0x2776, 10), (0x2780, 10), (0x278A, 10), (0x24F5, 10))
        for at in range(count)
    }
    letters = {
        first + at: f"({chr(ord(base) + at)})"
        for first, base in ((0x24B6, "A"), (0x24D0, "a"), (0x1F150, "A"), (0x1F170, "A"))
        for at in range(26)
    }
    syllables = {0x326E + at: f"({syllable})" for at, syllable in enumerate(_HANGUL_LABELS)}
    return {**numbers, **letters, **syllables}


_ENCLOSED = _enclosed()
_KEYCAP = re.compile("([0-9])\ufe0f?\u20e3")
_RAISED = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
_VULGAR = re.compile("[¼-¾⅐-⅞↉]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]")
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63", "-"),
        **dict.fromkeys("\u2018\u2019\u02bc\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d", '"'),
        **dict.fromkeys("\u2044\u2215", "/"),
        **dict.fromkeys("∙⋅✕✖", "×"),
        "⇒": "→",
    }
)
# What a pattern with IGNORECASE takes for i, s and k beside both of their cases.
_OTHER_CASES = str.maketrans("\u0131\u0130\u017f\u212a", "iisk")
# A thin space between groups of three digits separates thousands; a plain one may separate numbers.
_THIN_THOUSANDS = re.compile("(?<=\\d)[\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
_LATEX_COMMA = re.compile(r"(?<=\d)\{,\}(?=\d)")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[*+•‣-][ \t]+)+", re.MULTILINE)
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|`{1,3}|~~")
_STRUCK = re.compile(r"~~[^~\n]{1,80}~~")
# A letter's power: x**2; 정답은**2** is bold.
_LETTER_POWER = re.compile(r"(?<=\b[A-Za-z])\*\*(?=[-\d(])(?![^*\n]{0,40}\*\*)")
_SUBSCRIPT = re.compile(r"(?<=[A-Za-z)])_\{?(\d{1,3})\}?(?![\d_])")
_COMPARISONS = (("<=", "≤"), (">=", "≥"), ("!=", "≠"))
_TAG = re.compile(r"</?(?:b|strong|i|em|u|code|p|span|div|br)\s?/?>", re.IGNORECASE)
_PRODUCT = re.compile(r"(?<=[\d)] )\*(?= [\d(])|(?<=[\d)])\*(?=[\d(])")
_POWER = re.compile(r"(?<=[\d)])\*\*(?=[-\d(])")


def shortened(text: str) -> str:
    """Return `text`, or the beginning and the end of one that is longer than any answer that is read."""
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_HEAD]}\n{text[_HEAD - _MOST_CHARACTERS :]}"


def typed_plainly(text: str) -> str:
    """Return `text` in NFKC with its case kept, LaTeX and enclosed labels written out, markdown as it is.

    A raised number follows `^`, a fraction that is one character becomes `1/2`, dashes and quotes are the
    plain ones. Converting twice changes nothing that the readers look at.
    """
    text = _LATEX_COMMA.sub(",", _THIN_THOUSANDS.sub("", text))
    text = _KEYCAP.sub(r"(\1)", text).translate(_ENCLOSED)
    text = _VULGAR.sub(lambda found: f" {unicodedata.normalize('NFKC', found[0])} ", text)
    text = _RAISED.sub(lambda found: f"^{unicodedata.normalize('NFKC', found[0])}", text)
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_LOOK_ALIKES)
    text = _SUBSCRIPT.sub(r"\1", plain_latex(text))
    for typed, sign in _COMPARISONS:
        text = text.replace(typed, sign)
    return text


def small_letters(text: str) -> str:
    """Return what a pattern with IGNORECASE found in the small letters that it is written in.

    The dotless i is one of i's cases to such a pattern, and stays what it is under `lower`.
    """
    return text.translate(_OTHER_CASES).lower()


def without_markdown(text: str) -> str:
    """Return `text` without marks of headings, lists, quotes, emphasis and code."""
    text = _LETTER_POWER.sub("^", _TAG.sub("", text))
    text = _POWER.sub("^", _PRODUCT.sub("×", _STRUCK.sub("", text)))
    return _EMPHASIS.sub("", _LINE_MARK.sub("", _FENCE.sub("", text)))
