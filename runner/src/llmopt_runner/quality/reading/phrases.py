"""What a short answer states once its sentence is taken away: The capital is Paris, 답은 축구공입니다."""

import re
from collections.abc import Iterator

from llmopt_runner.quality.normalisation import unframed
from llmopt_runner.quality.reading.statements import Reading, sentence

_MOST_WORDS = 25
_LEAD = re.compile(
    r"^\s*(?:(?:a|ans|output|response|result|결과|결론|q\d*\s*a)\s?[:=]\s*|\d{1,2}[.)]\s+(?=\D)"
    r"|(?:option|choice|answer|보기|선택지)\s(?=\(?[A-J1-9]\)?\W*$))",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]{1,80}[)\]]\s*$")
_POLITE = re.compile(
    r"^(?:(?:sure|certainly|of course|okay|ok|yes|네|예|물론입니다)[,!.:](?!\s*(?:no\b|not\b|아니))\s*"
    r"|(?:바로|총|모두|결과적으로|결론적으로|당연히)\s)",
    re.IGNORECASE,
)
# A line of the form `cheapest: the ball`.
_HEADED = re.compile(r"^(?:[^\W_]+ ){0,4}[^\W_]+\s?:\s(?P<rest>[^:\n]+)$")
_PASSIVE = re.compile(r"^\w+(?:ed|en|wn|on|t) (?:by|in|on|at)\s")
# 축구공이고 가격은 5,000원: what is said of something else.
_SAID_OF_MORE = re.compile(r"(?:이?며|이고),?\s\S+[은는]\s[^\n]*$")
# When and where: in 1912, on Monday, in the year 1912.
_PLACED = re.compile(
    r"^(?:in|on|at)\s(?:the\s(?:year|month|city|town|state)\s(?:of\s)?)?(?=\w)", re.IGNORECASE
)
_COPULA = re.compile(
    r"\b(?:is|are|was|were|equals|would be|must be|will be|has to be)\b(?:\s(?:called|named|likely"
    r"|probably|simply|just|exactly))?"
    r"|(?<=\b[Ii]t)'s\b|(?<=\b[Tt]hat)'s\b|(?<=\bhe)'s\b",
    re.IGNORECASE,
)
# What is denied, asked, supposed or left open states nothing.
_OPEN = re.compile(
    r"\?|\b(?:not|never|no|nor|neither|cannot|unclear|unknown|unsure|unlikely|whether|if|might|may|could|either|or|wrong"
    r"|incorrect|false|except|rather)\b|n't\b|아니|아닌|아닙|않|못\s|모르|모릅|없|틀[리렸린립]|말고|또는|혹은|오답|제외",
    re.IGNORECASE,
)
_TOPIC = re.compile(r"(?<=[가-힣])(?:은|는|이|가)\s+")
_KOREAN_COPULA = re.compile(r"(?:입니다|이에요|예요|이다|임|였습니다|이었습니다|이라고 합니다|라고 합니다)$")
# What was said first and taken back: A가 아니라 B, not A but B; and B, not A.
_TAKEN_BACK = re.compile(
    r"^[^\n.]{1,60}?(?:아니라|아니고|말고),?\s+|^[^\n.]{0,20}\bnot\s[^\n.]{1,60}?,?\s?but\s(?:rather\s)?",
    re.IGNORECASE,
)
_CONTRASTED = re.compile(r",\s(?:and\s)?(?:not|rather than|instead of)\s[^\n,]{1,60}$", re.IGNORECASE)
_WHEN = re.compile(r"^(?P<when>.{1,30}?)(?:에|까지|부터)\s[^\n]{1,20}[다요]$")
_SUBJECT = re.compile(r"^(?P<subject>.{1,80}?)\s(?:is|was|are|were)\s(?:the|correct|right)\b", re.IGNORECASE)
# Names that end in a consonant take an 이 of their own: 지영이가, 지영이입니다.
_OF_NAMES = r"(?:이(?=가|를|는|의|에게|입니다|예요|요|다))?"
# A word that brings in no other noun: 가장 싼 물건입니다, and not 영희보다 큽니다 or 부산으로 갑니다.
_OF_THE_SAME = r"(?!\S*(?:보다|으로|까지|에게|지만|[가고며와과],?)(?:\s|$))\S{1,12}"
_AFTER_NOUN = re.compile(
    rf"{_OF_NAMES}(?:행|역|쪽|\s?씨|\s?님)?(?:입니다|이에요|예요|이?다|이?죠|이?네요|이었습니다|였습니다"
    r"|이?라고 (?:합니다|생각합니다|봅니다)|요|이요|임|을|를|에서|에게|에|으로|로|이|가|의|행)?"
    r"(?:\s(?:기차|열차|버스|사람|물건|도시|동물|활동|색|요일)?(?:입니다|이에요|예요|이다)?)?"
)
_AFTER_NOUN_VERB = re.compile(
    rf"{_OF_NAMES}(?:행|행\s)?(?:을|를|에서|에게|에|으로|로|이|가|께|한테)(?:\s{_OF_THE_SAME}){{1,4}}(?<=[다요음임])"
)


def stated_phrases(reading: Reading) -> Iterator[str]:
    """Yield what an answer may be said to state, without what frames it; what is most explicit alone.

    A box, a tag or an announcement speaks for the whole answer. Without one, it is the whole text, the first
    line before an explanation, the last line after one, what is bold, or the conclusion.
    """
    decisive = reading.marked or reading.announced[:1]
    if decisive:
        for statement in decisive:
            for text in (statement.line, statement.text):
                yield from _forms(text)
        return
    for text in _free(reading):
        yield from _forms(text)


def corrected(text: str) -> str:
    """Return `text` without what it takes back: B of `A가 아니라 B`, of `not A but B` and of `B, not A`."""
    return _CONTRASTED.sub("", _TAKEN_BACK.sub("", text))


def is_noun_with_ending(phrase: str, noun: str) -> bool:
    """Say whether `phrase` is the Korean `noun` with particles, a copula or a short verb: 여수로 갑니다."""
    if not phrase.startswith(noun) or not noun or not "가" <= noun[-1] <= "힣":
        return False
    rest = phrase[len(noun) :].rstrip(" .!")
    if len(rest) > 40 or _OPEN.search(rest):  # noqa: PLR2004 - a short verb
        return False
    return bool(_AFTER_NOUN.fullmatch(rest) or _AFTER_NOUN_VERB.fullmatch(rest))


def _free(reading: Reading) -> Iterator[str]:
    text = reading.text
    yield text
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines:
        return
    first, last = lines[0], lines[-1]
    if len(lines) == 1:
        opening = sentence(first)
        if _is_prose(first[len(opening) + 1 :]) and not _OPEN.search(first):
            yield opening
    else:
        if all(map(_is_prose, lines[1:])) and not _OPEN.search(text):
            yield first
        if all(map(_is_prose, lines[:-1])):
            yield last
    bold = {statement.text.rstrip(":.").casefold(): statement.text for statement in reading.bold}
    if len(bold) == 1:
        yield from bold.values()
    yield from (statement.text for statement in reading.concluded[:1])


def _is_prose(line: str) -> bool:
    """Say whether `line` is a sentence around the answer, and not another answer."""
    line = line.strip()
    return line.endswith((".", ":", "!", "。")) and (len(line.split()) > 2 or line.endswith(":"))  # noqa: PLR2004


def _forms(text: str) -> Iterator[str]:
    """Yield `text` and what is left of it without lead, aside, article and the rest of its sentence."""
    yield text
    text = _POLITE.sub("", _LEAD.sub("", text.replace("$", "").strip())).strip()
    yield text
    bare = _ASIDE.sub("", text.rstrip(" .")).strip()
    bare = corrected(bare)
    yield bare
    if when := _WHEN.match(bare):
        yield when["when"]
    if not _OPEN.search(bare):
        yield _PLACED.sub("", bare)
        yield _SAID_OF_MORE.sub("", bare)
        if headed := _HEADED.match(bare):
            yield headed["rest"]
    if bare != text:
        yield from _predicates(text)
    yield from _predicates(bare)
    yield from _subjects(bare)


def _predicates(text: str) -> Iterator[str]:
    """Yield what a sentence with one copula says, in English and in Korean."""
    if _OPEN.search(text) or "\n" in text or len(text.split()) > _MOST_WORDS:
        return
    copulas = list(_COPULA.finditer(text))
    if len(copulas) == 1:
        said = text[copulas[0].end() :].strip(" :")
        yield said
        yield _PLACED.sub("", _PASSIVE.sub("", said))
    *_, topic = (None, *_TOPIC.finditer(text))
    if topic is not None:
        yield _KOREAN_COPULA.sub("", unframed(text[topic.end() :]).rstrip(" .!"))


def _subjects(text: str) -> Iterator[str]:
    found = _SUBJECT.match(text)
    if found and not _OPEN.search(text):
        yield found["subject"]
