"""When two texts say the same: Unicode form, case, white space and punctuation do not count."""

import re
import unicodedata

# What models put before an answer, and how a Korean answer in a whole sentence ends.
_LEAD = re.compile(
    r"^(?:(?:the )?(?:final |correct )?answer is|정답은|답은)\s*:?\s*|^(?:(?:final )?answer|정답|답)\s*:\s*"
)
# What follows a separator of thousands; other commas separate numbers: 1,2 is not 12.
_THOUSANDS = re.compile(r"\d{3}(?!\d)")
_COPULA = re.compile(r"(?<=\w)(?:입니다|이에요|예요)[.!]*$")


def normalise(text: str) -> str:
    """Return `text` in NFKC, case-folded, punctuation as spaces, white space runs as one space.

    Inside a number a decimal point stays and a thousands separator goes; before one a minus sign stays: 1.5
    is neither 15 nor 1 5.
    """
    folded = _folded(text)
    return " ".join("".join(_kept(folded, at) for at in range(len(folded))).split())


def unframed(text: str) -> str:
    """Return `text` folded, without what frames an answer: `The answer is …`, `정답은 …`, `…입니다`."""
    return _COPULA.sub("", _LEAD.sub("", _folded(text).strip(), count=1))


def normalise_answer(text: str) -> str:
    """Return `text` unframed and normalised; an answer that is nothing but a frame stays as it is."""
    return normalise(unframed(text)) or normalise(text)


def _folded(text: str) -> str:
    # Folding can leave a form that NFKC would still change, and the other way round.
    composed = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", composed).replace("\u2212", "-")


def _kept(text: str, at: int) -> str:
    character = text[at]
    if unicodedata.category(character)[0] not in "PZC":
        return character
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if character in ".," and before.isdecimal() and after.isdecimal():
        if character == ".":
            return character
        return "" if _THOUSANDS.match(text, at + 1) else " "
    if character == "-" and after.isdecimal() and not (before.isalnum() or before == ")"):
        return character
    return " "
