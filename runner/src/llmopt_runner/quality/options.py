"""The choices of an item, and which of them an answer picks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmopt_runner.quality.normalisation import normalise, normalise_answer, unframed
from llmopt_runner.quality.numbers import Quantity, answered_quantity, whole_quantity
from llmopt_runner.quality.reading.affirmations import affirmation
from llmopt_runner.quality.reading.labels import (
    LEADING,
    has_letter_labels,
    labels,
    only_label,
    place_of,
)
from llmopt_runner.quality.reading.mentions import (
    Mention,
    decided,
    is_taken_back,
    is_undecided,
    left_over,
    picks_another,
)
from llmopt_runner.quality.reading.phrases import corrected
from llmopt_runner.quality.reading.statements import Reading, Statement, Strength, sentence, without_reasons
from llmopt_runner.quality.reading.typography import typed_plainly, without_markdown

# Particles and endings that follow a Korean noun without a space.
_ENDINGS = (
    "입니다|이에요|예요|이다|이고|이며|이라고|라고|이라|였습니다|이었습니다|은|는|이|가|을|를|과|와|도|만|의|에서|에게|에|으로|로|보다|부터|까지|처럼|이나|나"
    "|번|쪽|행|네요|죠|요|임|인|일|다"
)
_LONGEST_TEXT = 300
_BEYOND_TEXT = 200
_EXPLICIT = re.compile(r"[\[(]\s?\w{1,2}\s?[\])]|\w\s?번|option|choice|보기|선택지|선지", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_BETWEEN_WORDS = r"[\W_]{1,4}"
_UNDECIDED = -1
# A sentence that takes back the one before it.
_TURNS = re.compile(r"\s*(?:no|wait|actually|but|however|or|아니|하지만|그러나)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Options:
    """Choices with what finds them in a text. `quantities` are theirs where all are numbers."""

    texts: tuple[str, ...]
    normal: tuple[str, ...]
    patterns: tuple[re.Pattern[str] | None, ...]
    quantities: tuple[Quantity, ...]
    affirmations: tuple[bool | None, ...]

    def picked(self, reading: Reading) -> int | None:
        """Return the place of the option that an answer picks, from 0; None when it is not clear."""
        for place in self._candidates(reading):
            if place is not None:
                return None if place == _UNDECIDED else place
        return None

    def _candidates(self, reading: Reading) -> Iterator[int | None]:
        """Yield what each part of an answer picks, the part that counts most first."""
        yield self._whole(reading.text)
        for statement in (*reading.statements, *reading.concluded[:1]):
            yield self._stated(statement)
        yield self._leading(reading.text)
        yield self._whole(reading.text.rpartition("\n")[2])
        yield self._opening(reading.text)
        yield self._mentioned(reading.text)

    def _whole(self, text: str) -> int | None:
        """Return the option that all of `text` names, or what is left of it without what it takes back."""
        place = self._named(text)
        rest = corrected(text[-_BEYOND_TEXT:]) if place is None else text
        return place if rest in (text, text[-_BEYOND_TEXT:]) else self._named(rest)

    def _named(self, text: str) -> int | None:
        """Return the option that all of `text` is, by its text or its label."""
        if len(text) > max(map(len, self.texts)) + _BEYOND_TEXT:
            return None
        bare = text.strip().casefold()
        if bare in self.texts:
            return self.texts.index(bare)
        label = self._only_label(unframed(text))
        if label is not None and _EXPLICIT.search(text):
            return label
        given = normalise_answer(text)
        if given and given in self.normal:
            return self.normal.index(given)
        return label if label is not None else self._affirmed(text)

    def _only_label(self, text: str) -> int | None:
        label = only_label(text)
        if label is None or label >= len(self.texts):
            return None
        # Where choices are made of ㄱ and ㄴ, these are statements of the question.
        return None if has_letter_labels(text) and any(map(has_letter_labels, self.normal)) else label

    def _affirmed(self, text: str) -> int | None:
        said = affirmation(text)
        return (
            self.affirmations.index(said) if said is not None and self.affirmations.count(said) == 1 else None
        )

    def _stated(self, statement: Statement) -> int | None:
        for text in (statement.line, statement.text):
            if (place := self._whole(text)) is not None:
                return place
        if statement.strength is Strength.WHOLE:
            return self._leading(statement.text)
        text = statement.text
        if (place := self._leading(statement.line)) is not None:
            return place
        mentions = self._mentions(text)
        place = decided(text, mentions)
        if place is None and is_undecided(text, mentions):
            return _UNDECIDED
        return place if place is not None else self._counted(text)

    def _leading(self, text: str) -> int | None:
        """Return the option whose label begins `text`, unless it begins a list of them or is rejected."""
        first = LEADING.match(text)
        place = place_of(first["label"]) if first else None
        if first is None or place is None or place >= len(self.texts):
            return None
        if any(place_of(other["label"]) != place for other in LEADING.finditer(text, first.end())):
            return None
        rest = sentence(text[first.end() :])
        named = self._whole(rest)
        if named is not None and named != place:
            return _UNDECIDED
        return None if is_taken_back(rest) else place

    def _opening(self, text: str) -> int | None:
        """Return the option that is all of the first sentence, where no other sentence is or picks one."""
        opening = sentence(text)
        place = self._whole(opening) if text[len(opening) : len(opening) + 1] == "." else None
        rest = text[len(opening) + 1 :]
        if place is None or not rest.strip() or _TURNS.match(rest):
            return None
        if is_taken_back(rest.strip()) and not self._mentions(rest):
            return _UNDECIDED
        if any(self._whole(each) is not None for each in rest.split(".")):
            return None
        return None if picks_another(rest, self._mentions(rest), place) else place

    def _mentioned(self, text: str) -> int | None:
        text = without_reasons(text)
        mentions = self._mentions(text)
        place = decided(text, mentions)
        if place is None:
            place = left_over(text, mentions, len(self.texts))
        return place if place is not None else self._counted(text)

    def _counted(self, text: str) -> int | None:
        """Return the option whose number `text` gives, where all options are numbers."""
        given = answered_quantity(text) if self.quantities else None
        near = [at for at, each in enumerate(self.quantities) if given is not None and each.is_near(given)]
        return near[0] if len(near) == 1 else None

    def _mentions(self, text: str) -> list[Mention]:
        """Return which options `text` names, first to last; a text inside a longer one does not count."""
        found = [
            Mention(place, match.start(), match.end())
            for place, pattern in enumerate(self.patterns)
            if pattern is not None
            for match in pattern.finditer(text)
        ]
        found += [
            Mention(each.place, each.start, each.end) for each in labels(text) if each.place < len(self.texts)
        ]
        found += [
            Mention(place, match.start("label"), match.end())
            for match in LEADING.finditer(text)
            if not match["label"].isdecimal()
            and (place := place_of(match["label"])) is not None
            and place < len(self.texts)
        ]
        kept: list[Mention] = []
        for mention in sorted(found, key=lambda each: (each.start, -each.end)):
            if not kept or mention.start >= kept[-1].end:
                kept.append(mention)
        return kept


@lru_cache(maxsize=2048)
def options_of(choices: tuple[str, ...]) -> Options:
    """Return the options that `choices` are; the same choices are prepared once."""
    texts = _unlabelled(
        [_without_math(without_markdown(typed_plainly(choice)).strip()) for choice in choices]
    )
    # Numerals in words may be what is asked for: 서른두 마리 is not answered by 32마리.
    quantities = [whole_quantity(text) if _DIGIT.search(text) else None for text in texts]
    counted = tuple(each for each in quantities if each is not None)
    distinct = len(counted) == len(texts) == len({each.value for each in counted})
    return Options(
        tuple(text.casefold() for text in texts),
        tuple(normalise(text) for text in texts),
        tuple(None if quantity else _pattern(text) for text, quantity in zip(texts, quantities, strict=True)),
        counted if distinct else (),
        tuple(affirmation(text) if len(text.split()) == 1 else None for text in texts),
    )


def _without_math(text: str) -> str:
    """Return `text` without the signs that set all of it as mathematics: $1$."""
    inner = text.strip("$") if text.startswith("$") and text.endswith("$") else ""
    return inner if inner and "$" not in inner else text


def _unlabelled(texts: Sequence[str]) -> list[str]:
    """Return the texts without their own labels, where all begin with theirs: A. Paris, B. London."""
    leading = [LEADING.match(text) for text in texts]
    if all(match and place_of(match["label"]) == at for at, match in enumerate(leading)):
        return [
            text[match.end() :].strip() or text for text, match in zip(texts, leading, strict=True) if match
        ]
    return list(texts)


def _pattern(text: str) -> re.Pattern[str] | None:
    words = normalise(text).split()
    if not words or len(text) > _LONGEST_TEXT or len("".join(words)) == 1:
        return None
    last = words[-1][-1]
    if last.isascii():
        end = r"(?:'s)?(?!\d|[.,]\d)" if last.isdigit() else r"(?![A-Za-z0-9_]|-\w)"
    else:
        end = rf"(?=(?:{_ENDINGS}){{0,3}}(?!\w))"
    spelled = _BETWEEN_WORDS.join(map(re.escape, words))
    return re.compile(rf"(?<!\w)(?<!\d[.,]){spelled}{end}", re.IGNORECASE)
