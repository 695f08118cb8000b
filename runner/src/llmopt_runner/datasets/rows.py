"""From one row of a user's data, by whatever names it calls its columns, to an item."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmopt_runner.datasets.base import Item

_QUESTIONS = ("question", "prompt", "input")
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

    def item(self, row: Mapping[str, Any]) -> Item:
        """Return the item that `row` holds; raises RowInvalid.

        Without an id, the id is made from the question. The answer to an item with choices is the text of
        one, or its place: a whole number from 0, as on the hub.
        """
        question = _text(row, self.question or _present(row, _QUESTIONS, "question"))
        choices = _choices(row.get(self.choices))
        answer = _answer(row, self.answer or _present(row, _ANSWERS, "answer"), choices)
        given = row.get(self.id)
        digest = hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        item_id = digest if given is None else str(given)
        return Item(item_id, question, answer, str(row.get(self.kind) or "item"), choices)


def _present(row: Mapping[str, Any], names: Sequence[str], part: str) -> str:
    for name in names:
        if row.get(name) is not None:
            return name
    keys = ", ".join(map(repr, list(row)[:8])) or "nothing"
    raise RowInvalid(f"no {part}: it has {keys}; write one of {', '.join(names)}")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowInvalid(f"{name} is {_shown(value)}: write a text or a number")
    if not str(value).strip():
        raise RowInvalid(f"{name} is empty: write a text or remove the item")
    return str(value)


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
    return tuple(texts)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - enough to recognise it by
