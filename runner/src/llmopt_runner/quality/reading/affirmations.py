"""Yes and no in the words that models use for them: true, 예, 네, 맞습니다; false, 아니요, 틀립니다."""

import re

_YES = (
    r"yes|yeah|yep|yup|true|correct|right|예|네(?!\s(?:개|명|마리|시|번|살|가지|권|장|대|사람))|넵|응|그래요|그렇습니다|그렇다|그렇지요|맞습니다"
    r"|맞아요|맞았습니다|맞았다|맞다|맞음|맞는|참|있습니다|있어요|옳습니다"
)
_NO = (
    r"no(?!\s(?:idea|doubt|problem|one|way|clue|matter|answer|longer)\b)|nope|nah|false|incorrect|wrong|untrue"
    r"|not (?:true|correct|right)|아니요|아니오|아뇨|아니|아닙니다|아니에요"
    r"|아니다|그렇지 않습니다|그렇지 않아요"
    r"|그렇지 않다|틀립니다|틀렸습니다|틀렸다|틀렸어요|틀려요|틀림|틀리다"
    r"|맞지 않습니다|맞지 않아요|맞지 않다|거짓"
    r"|없습니다|없어요|들어 있지 않습니다|옳지 않습니다"
)
_ENDING = r"(?:입니다|이에요|예요|이다|이요|요)?"
# The statement is false: a no as false is.
_OF_IT = r"(?:(?:it|that|this|the (?:statement|claim|sentence))(?:'s| is| is also)\s)?"
_FIRST = re.compile(rf"[^\w]*{_OF_IT}(?:(?P<no>{_NO})|(?P<yes>{_YES})){_ENDING}(?!\w)", re.IGNORECASE)
_OPPOSITE = {
    True: re.compile(rf"(?<!\w)(?:{_NO}){_ENDING}(?!\w)", re.IGNORECASE),
    False: re.compile(rf"(?<!\w)(?:{_YES}){_ENDING}(?!\w)", re.IGNORECASE),
}
# "Yes or no", "예/아니요": two words apart at most, nothing is affirmed.
_BOTH = re.compile(r"[\s\"')]*(?:,|/|or|and|또는|혹은|,\s*그리고|와|과|이자)?[\s\"'(]*", re.IGNORECASE)


def affirmation(text: str) -> bool | None:
    """Return whether `text` begins with a yes (True) or a no (False); None where it does neither, or both."""
    first = _FIRST.match(text)
    if first is None:
        return None
    if text[first.end() : first.end() + 1] == "?":
        return affirmation(text[first.end() + 1 :])
    is_yes = first["yes"] is not None
    other = _OPPOSITE[is_yes].search(text, first.end(), first.end() + 40)
    if other is not None and _BOTH.fullmatch(text[first.end() : other.start()]):
        return None if not _explains(text, first.end(), other.end()) else is_yes
    return is_yes


def _explains(text: str, at: int, end: int) -> bool:
    """Say whether the word up to `end` repeats a no or a yes in a sentence: 예, 맞습니다 and No, not true."""
    return text[at : at + 1] == "," and bool(text[end:].strip(" .!\"')"))
