"""The choices of a row, whatever layout has them, and which of them its answer means.

ARC and its like have texts and labels, MMLU a list and the place from 0, MMLU-Pro a list and a letter, KMMLU
the columns A to D and the place from 1.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from llmopt_runner.datasets.cells import RowInvalid, listed, shown, sound, text_of

_FEWEST, _MOST = 2, len(ascii_uppercase)
_WHOLE = re.compile(r"\d{1,2}")
_LABEL = re.compile(r"\(?([A-Za-z]|\d{1,2})\)?[.:]?")
# AQuA's `B)21`: a choice that begins with its own letter.
_WITH_LETTER = re.compile(r"\s*\(?(?P<letter>[A-Za-z])\s?[).:]\s*(?P<text>\S.*)", re.DOTALL)
# What comes before the letter in the columns of one choice each.
_PREFIXES = ("", "option_", "choice_", "option ", "option")


@dataclass(frozen=True)
class Choices:
    """Texts to choose from, their labels where the row has them, and the number of the first one."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    first_number: int = 0

    def chosen(self, name: str, value: Any) -> str:
        """Return the text that `value`, the column `name`, means: a text, a label or a number.

        A text that is none of them is left as it is: the evaluator says so. Raises RowInvalid, also where it
        may mean two of them.
        """
        meant = self._meant(name, value)
        if len(meant) > 1:
            raise RowInvalid(
                f"{name} is {shown(value)}, the text of one choice and the label of another: "
                "add answer_index, the place of the right one from 0"
            )
        return meant[0] if meant else text_of(name, value)

    def may_mean(self, name: str, value: Any, text: str) -> bool:
        """Say whether `value`, the column `name`, is `text` or a label or number of it; raises RowInvalid."""
        return text in self._meant(name, value)

    def at(self, name: str, value: Any) -> str:
        """Return the text at the place that `value` is, a number or its digits; raises RowInvalid."""
        text = text_of(name, value).strip()
        number = int(text) if _WHOLE.fullmatch(text) else -1
        return self._at(name, value, number - self.first_number)

    def _meant(self, name: str, value: Any) -> list[str]:
        """Return the texts that `value` may mean, each once."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if str(value) in self.labels:
            return [self.texts[self.labels.index(str(value))]]
        if isinstance(value, int) and not isinstance(value, bool):
            return [self._at(name, value, value - self.first_number)]
        text = text_of(name, value)
        own = _WITH_LETTER.fullmatch(text)
        if own is not None and text not in self.texts and own["text"] in self.texts:
            text = own["text"]
        same = [text] if text in self.texts else []
        label = _LABEL.fullmatch(text.strip())
        if label is None:
            return same
        place = self._place(label[1])
        if not same or 0 <= place < len(self.texts):
            same.append(self._at(name, value, place))
        return list(dict.fromkeys(same))

    def _place(self, label: str) -> int:
        """Return the place from 0 that a letter or digits name: these count as numbers do."""
        return int(label) - self.first_number if label.isdecimal() else ascii_uppercase.index(label.upper())

    def _at(self, name: str, value: Any, place: int) -> str:
        if 0 <= place < len(self.texts):
            return self.texts[place]
        first = self.first_number
        raise RowInvalid(
            f"{name} is {shown(value)}: write the text of a choice, its letter, or its place from {first}"
            f" to {first + len(self.texts) - 1}"
        )


def choices_in(row: Mapping[str, Any], name: str | None) -> Choices | None:
    """Return the choices of `row`: the column `name`, or one letter a column; None: it has none."""
    value = None if name is None else listed(row.get(name))
    if value is None:
        texts = _by_letter(row)
        return None if texts is None else Choices(checked("A, B, ...", texts), first_number=1)
    labels: tuple[str, ...] = ()
    if isinstance(value, Mapping) and "text" not in value and all(map(_LABEL.fullmatch, map(str, value))):
        labels, value = tuple(map(str, value)), list(value.values())  # MedQA
    elif isinstance(value, Mapping):
        labels, value = _labels(value.get("label")), value.get("text")
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        labels, value = _labels([each.get("label") for each in value]), [each.get("text") for each in value]
    if (
        not isinstance(value, list)
        or len(value) < _FEWEST
        or not all(isinstance(each, str) for each in value)
    ):
        raise RowInvalid(f"choices is {shown(row.get(name or ''))}: write a list of two or more texts")
    return Choices(checked("choices", _bare(value)), labels if len(labels) == len(value) else ())


def _bare(texts: list[str]) -> list[str]:
    """Return `texts` without their letters, where each begins with the one of its place."""
    found = [_WITH_LETTER.fullmatch(text) for text in texts]
    letters = "".join(each["letter"].upper() for each in found if each is not None)
    if letters != ascii_uppercase[: len(texts)]:
        return texts
    return [each["text"] for each in found if each is not None]


def _labels(labels: Any) -> tuple[str, ...]:
    return tuple(map(str, labels)) if isinstance(labels, list) else ()


def _by_letter(row: Mapping[str, Any]) -> list[str] | None:
    for prefix in _PREFIXES:
        for letters in (ascii_uppercase, ascii_uppercase.lower()):
            names = [f"{prefix}{letter}" for letter in letters]
            if not prefix and letters.islower():
                continue  # a column `a` is more often an answer
            given = [row.get(name) for name in names]
            count = next((at for at, value in enumerate(given) if value is None), len(given))
            if count >= _FEWEST:
                return [text_of(name, value) for name, value in zip(names, given[:count], strict=False)]
    return None


def checked(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return `texts`, the column `name`, where they can be choices; raises RowInvalid."""
    # Some rows of MMLU have a choice twice: harmless, as long as there is something to choose from.
    if len(set(texts)) < _FEWEST:
        raise RowInvalid(f"{name} is {shown(list(texts))}: each choice may stand there once")
    if len(texts) > _MOST:
        raise RowInvalid(f"{name} has {len(texts)} choices: a letter for each allows {_MOST}")
    return tuple(sound(name, text) for text in texts)
