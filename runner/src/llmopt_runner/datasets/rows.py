"""From one row of a user's data, by whatever names it calls its columns, to an item."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmopt_runner.datasets.base import Item
from llmopt_runner.datasets.cells import RowInvalid, text_in
from llmopt_runner.datasets.layouts import Parts, parts_of, plain

MOST_ITEMS = 200_000
_DIGEST = 12


@dataclass(frozen=True)
class Columns:
    """What a row calls its parts; None: as the public layouts do."""

    question: str | None = None
    answer: str | None = None
    choices: str | None = None
    id: str = "id"
    kind: str = "kind"

    def item(self, row: Any) -> Item:
        """Return the item that `row` holds; raises RowInvalid.

        Without an id, the id is made from the question. The answer to an item with choices is the text of
        one, its label, or its place: from 0 in a list, as on the hub, from 1 beside the columns A, B, ...
        """
        if not isinstance(row, Mapping):
            raise RowInvalid(f"it is a {type(row).__name__}, not a row of columns")
        parts = self._parts(row)
        item_id = digest(parts.question) if row.get(self.id) is None else text_in(row, self.id)
        kind = text_in(row, self.kind) if row.get(self.kind) else "item"
        return Item(
            item_id,
            parts.question,
            parts.answer,
            kind,
            parts.choices,
            parts.alternatives,
            parts.solution,
            later=parts.later,
        )

    def _parts(self, row: Mapping[str, Any]) -> Parts:
        if self.question is None and self.answer is None and self.choices is None:
            return parts_of(row)
        return plain(row, self.question, self.answer, self.choices or "choices")


def distinguished(item: Item) -> Item:
    """Return `item` with an id made from its choices too: some questions come again with other choices."""
    if not item.choices or item.id != digest(item.question):
        return item
    return replace(item, id=digest("\n".join((item.question, *item.choices))))


def digest(text: str) -> str:
    """Return the id of an item whose question is `text`, where the data set gives none."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
