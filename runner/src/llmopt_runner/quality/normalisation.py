"""When two texts say the same: Unicode form, case, white space and punctuation do not count."""

import re
import unicodedata

# What models put before an answer, and the copula that a Korean answer ends in.
_LEAD = re.compile(
    r"^(?:(?:the |final )*answer(?: is)?|정답(?:은|는)?|답(?:은|는)?)\s*[::]?\s+|^(?:answer|정답|답)\s*:\s*"
)
_COPULA = re.compile(r"(?<=\w)(?:입니다|이에요|예요)$")


def normalise(text: str) -> str:
    """Return `text` in NFKC, case-folded, punctuation as spaces, white space runs as one space.

    A point, comma or minus sign inside or before a number stays, so that 1.5 is not 15 or 1 5.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(_kept(folded, at) for at in range(len(folded))).split())


def normalise_answer(text: str) -> str:
    """Return `normalise(text)` without what frames an answer: `The answer is …`, `정답은 …`, `…입니다`."""
    plain = unicodedata.normalize("NFKC", text).casefold().strip()
    unframed = normalise(_LEAD.sub("", plain, count=1))
    return _COPULA.sub("", unframed) or normalise(text)


def _kept(text: str, at: int) -> str:
    character = text[at]
    if unicodedata.category(character)[0] not in "PZC" and character not in "`^":
        return character
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if character in ".," and before.isdecimal() and after.isdecimal():
        return "" if character == "," else character
    if character == "-" and after.isdecimal() and not (before.isalnum() or before == ")"):
        return character
    return " "
