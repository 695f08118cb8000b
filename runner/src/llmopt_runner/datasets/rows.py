"""From one row of a user's data, by whatever names it calls its columns, to an item."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmopt_runner.datasets.base import Item

_QUESTIONS = ("question", "prompt", "input")
# A question of a megabyte fits no model's context.
MOST_CHARACTERS = 1 << 20
MOST_ITEMS = 200_000
_ANSWERS = ("answer", "output", "target")


class RowInvalid(ValueError):
    """Why a row is no item; whoever knows the row's place adds it."""


@dataclass(frozen=True)
class Columns:
    """What a row calls its parts; None: the first of the usual names that it has."""

    question: str | None = None
    answer: str | None = None
    choices: str = "choices"
    id: str = "id"
    kind: str = "kind"

    def item(self, row: Any) -> Item:
        """Return the item that `row` holds; raises RowInvalid.

        Without an id, the id is made from the question. The answer to an item with choices is the text of
        one, or its place: a whole number from 0, as on the hub.
        """
        if not isinstance(row, Mapping):
            raise RowInvalid(f"it is a {type(row).__name__}, not a row of columns")
        question = _text(row, self.question or _present(row, _QUESTIONS, "question"))
        choices = _choices(row.get(self.choices))
        answer = _answer(row, self.answer or _present(row, _ANSWERS, "answer"), choices)
        digest = hashlib.sha256(question.encode()).hexdigest()[:12]
        item_id = digest if row.get(self.id) is None else _text(row, self.id)
        kind = _text(row, self.kind) if row.get(self.kind) else "item"
        return Item(item_id, question, answer, kind, choices)


def _present(row: Mapping[str, Any], names: Sequence[str], part: str) -> str:
    for name in names:
        if row.get(name) is not None:
            return name
    keys = ", ".join(map(_shown, list(row)[:8])) or "nothing"
    raise RowInvalid(f"no {part}: it has {keys}; write one of {', '.join(names)}")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowInvalid(f"{name} is {_shown(value)}: write a text or a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise RowInvalid(f"{name} is {value}: write a text or a number")
    text = str(value)
    if not text.strip():
        raise RowInvalid(f"{name} is empty: write a text or remove the item")
    return _sound(name, text)


def _sound(name: str, text: str) -> str:
    """Return `text` as it is; raises RowInvalid where it could be neither sent nor stored."""
    if len(text) > MOST_CHARACTERS:
        raise RowInvalid(f"{name} is longer than {MOST_CHARACTERS:,} characters: no model's context is")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        reason = f"{name} holds half of a character at {error.start + 1} (a lone surrogate)"
        raise RowInvalid(f"{reason}: write the data set again as UTF-8") from error
    if "\0" in text:
        raise RowInvalid(f"{name} holds the character U+0000: remove it")
    return text


def _answer(row: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = row.get(name)
    if not choices or isinstance(value, str):
        return _text(row, name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(choices):
        return choices[value]
    raise RowInvalid(f"{name} is {_shown(value)}: write the text of a choice, or its place from 0")


def _choices(value: Any) -> tuple[str, ...]:
    # The hub's ARC and its like keep the texts in a struct with their labels.
    texts = value.get("text") if isinstance(value, Mapping) else value
    if texts is None:
        return ()
    if not isinstance(texts, list) or len(texts) < 2 or not all(isinstance(text, str) for text in texts):  # noqa: PLR2004 - one choice is none
        raise RowInvalid(f"choices is {_shown(value)}: write a list of two or more texts")
    if len(set(texts)) < len(texts):
        raise RowInvalid(f"choices is {_shown(value)}: each choice may stand there once")
    return tuple(_sound("choices", text) for text in texts)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except RecursionError:
        return "nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - enough to recognise it by
