"""Which choices an answer speaks of, and whether it picks or rejects them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

_TOGETHER = re.compile(
    r"[\s\"')\]]*(?:,\s*(?:and|or)?|and|or|nor|&|/|및|와|과|이나|나|또는|혹은|하고|이랑|랑|或者?|还是|還是|和|与|か|または|と)[\s\"'(\[]*"
    r"(?:(?:the|an?|option|choice)\s)?[\s\"'(\[]*",
    re.IGNORECASE,
)
# "Anything but B" contrasts nothing.
_CONTRAST = r"(?<!anything )(?<!everything )(?<!all )\bbut\b"
_CLAUSE_STARTS = re.compile(
    rf"[.;:!?\n,]|{_CONTRAST}|\b(?:because|since|so|therefore|thus|hence|while|whereas|although|it's"
    rf"|it is|that's)\b"
    r"|(?:아니라|아니고|아닌|말고|이고|이며|하고|니까|므로|지만)\s",
    re.IGNORECASE,
)
_CLAUSE_ENDS = re.compile(
    r"[.;:!?\n,]|\b(?:but|because|since|so|therefore|thus|hence|while|whereas|although)\b", re.IGNORECASE
)
_REJECTED_BEFORE = re.compile(
    r"\bnot\b|n't\b|\bnever\b|\bneither\b|\bnor\b|\brather than\b|\binstead of\b"
    r"|(?<!none )\bother than\b|\bexcept\b"
    r"|\bunlike\b|\b(?:anything|everything|all) but\b|\bas opposed to\b|\b(?:wrong|incorrect)\b"
    r"|\b(?:eliminat|exclud|discard|reject)\w*"
    r"|不是|并非|而非|\brul\w* out\b|\bcannot\b|\b(?:initially|originally|first|thought|considered)\b|처음",
    re.IGNORECASE,
)
_REJECTED_AFTER = re.compile(
    r"\bnot\b|n't\b|\bwrong\b|\bincorrect\b|\bfalse\b|\bruled out\b|\beliminated\b|\bexcluded\b"
    r"|\bcannot\b|\buntrue\b|\btempting\b|\bfirst guess\b"
    r"|아니|아닌|아닙|아님|틀[리렸린립림]|오답|제외|않|잘못|거짓|말고|수(?:가|는)?\s?없|리(?:가|는)?\s?없"
    r"|ではな|ではあり|じゃな|でない|でもな|間違|誤り|不正解|不对|不是|不正确|错",
    re.IGNORECASE,
)
_PICKED_AFTER = re.compile(
    r"^[\s\"')\]]*(?:(?:is|are|was|would be|must be|seems)\s(?:(?:clearly|indeed|definitely|therefore"
    r"|thus|also)\s)?"
    r"(?:the\s)?(?:(?:most|only|best|right|correct|final|true)\s?){0,2}(?:answer|choice|option|one|correct|right|true|better|best)\b"
    r"|(?:이|가|은|는|번이|번은)?\s*(?:정답|답|맞|옳|올바르|적절|정확))",
    re.IGNORECASE,
)
_DOUBLE = re.compile(r"(?:\s?n't|\bnot)\s(?:wrong|incorrect|false)\b", re.IGNORECASE)
# Belongs to what follows it: in "B, not A" it says nothing of B.
_OF_THE_NEXT = re.compile(
    r"(?:\b(?:not|rather than|instead of|never)|n't)\s*(?:option|choice|the|an?|be|is|\W)*$", re.IGNORECASE
)
_ADDED = re.compile(r"\s*(?:and|or|nor|&|/|및|와|과|또는|혹은|이나)\b", re.IGNORECASE)
_CLOSING = re.compile(r"\b(?:and|or|nor)\b|&|및", re.IGNORECASE)
_VERB = re.compile(r"\s(?:is|was|isn't|wasn't|has)\b", re.IGNORECASE)
_LOOK_AROUND = 120
_FEW_WORDS = 5
_FEWEST_REJECTED = 2


class Stance(Enum):
    """What an answer says of a choice that it mentions."""

    PICKED = "is the answer"
    NAMED = "is mentioned"
    REJECTED = "is not the answer"


@dataclass(frozen=True)
class Mention:
    """A choice that a text mentions, by its place from 0, and where."""

    place: int
    start: int
    end: int


def decided(text: str, mentions: Sequence[Mention]) -> int | None:
    """Return the place of the one choice that `text` picks, by `mentions` in their order; None if not clear.

    A choice called the answer comes before those that are only named; several of one kind decide nothing.
    """
    stances = _stances(text, mentions)
    for wanted in (Stance.PICKED, Stance.NAMED):
        places = {mention.place for mention, stance in stances if stance is wanted}
        if places:
            return places.pop() if len(places) == 1 else None
    return None


def left_over(text: str, mentions: Sequence[Mention], count: int) -> int | None:
    """Return the one of `count` choices that is left where `text` rejects all others and picks none."""
    stances = _stances(text, mentions)
    if any(stance is not Stance.REJECTED for _, stance in stances) or count <= _FEWEST_REJECTED:
        return None
    left = set(range(count)) - {mention.place for mention, _ in stances}
    return left.pop() if len(left) == 1 else None


def picks_another(text: str, mentions: Sequence[Mention], place: int) -> bool:
    """Say whether `text` calls a choice other than that at `place` the answer, or rejects that one."""
    return any(
        stance is (Stance.REJECTED if mention.place == place else Stance.PICKED)
        for mention, stance in _stances(text, mentions)
    )


def is_undecided(text: str, mentions: Sequence[Mention]) -> bool:
    """Say whether `text` picks or names several choices, so that no other part of the answer can decide."""
    named = {mention.place for mention, stance in _stances(text, mentions) if stance is not Stance.REJECTED}
    return len(named) > 1


def is_taken_back(text: str) -> bool:
    """Say whether `text`, which follows a label, rejects it or adds another: is wrong, or B."""
    if _ADDED.match(text):
        return True
    ends = _CLAUSE_ENDS.search(text)
    clause = text[: ends.start()] if ends else text
    return len(clause.split()) <= _FEW_WORDS and bool(_REJECTED_AFTER.search(_DOUBLE.sub(" right", clause)))


def _stances(text: str, mentions: Sequence[Mention]) -> list[tuple[Mention, Stance]]:
    found: list[tuple[Mention, Stance]] = []
    for first, last in _groups(text, mentions):
        stance = _stance(text, mentions, first, last)
        found += [(mention, stance) for mention in mentions[first : last + 1]]
    return found


def _groups(text: str, mentions: Sequence[Mention]) -> list[tuple[int, int]]:
    """Return the first and last place of each run of mentions that `and`, `or` or a comma joins."""
    groups: list[tuple[int, int]] = []
    for at in range(len(mentions)):
        if groups and _belong(text, mentions, at):
            groups[-1] = (groups[-1][0], at)
        else:
            groups.append((at, at))
    return groups


def _belong(text: str, mentions: Sequence[Mention], at: int) -> bool:
    """Say whether the mention at `at` goes with the one before it: joined, or a label and its text."""
    one, two = mentions[at - 1], mentions[at]
    between = text[one.end : two.start]
    if one.place == two.place and not between.strip(" .:)]-"):
        return True
    if not _TOGETHER.fullmatch(between):
        return False
    if between.strip() != ",":
        return True
    # A, B and C, D is left: the word before the last one closes a list. C, B is wrong: a sentence of its own.
    before = text[mentions[at - 2].end : one.start] if at > 1 else ""
    return not _CLOSING.search(before) and not _VERB.match(text, two.end)


def _stance(text: str, mentions: Sequence[Mention], first: int, last: int) -> Stance:
    since = mentions[first - 1].end if first else 0
    until = mentions[last + 1].start if last + 1 < len(mentions) else len(text)
    before = text[max(since, mentions[first].start - _LOOK_AROUND) : mentions[first].start]
    after = text[mentions[last].end : min(until, mentions[last].end + _LOOK_AROUND)]
    before = before[_last_end(_CLAUSE_STARTS, before) :]
    ends = _CLAUSE_ENDS.search(after)
    after = _OF_THE_NEXT.sub("", _DOUBLE.sub(" right", after[: ends.start()] if ends else after))
    if _REJECTED_BEFORE.search(before) or _REJECTED_AFTER.search(after):
        return Stance.REJECTED
    return Stance.PICKED if _PICKED_AFTER.search(after) else Stance.NAMED


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    return max((found.end() for found in pattern.finditer(text)), default=0)
