"""Data sets of the Hugging Face hub, and folders in its layout, through its own library.

`workload.dataset.hf` is `owner/name`, with the library's options behind a question mark:
`openai/gsm8k?config=main&question=question&answer=answer`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, Self
from urllib.parse import parse_qsl

from llmopt_core.installation import install_command
from llmopt_runner.datasets.base import DatasetInvalid, Item
from llmopt_runner.datasets.cells import RowInvalid
from llmopt_runner.datasets.listed import ListedDataset
from llmopt_runner.datasets.rows import MOST_ITEMS, Columns, distinguished
from llmopt_runner.transport.messages import readable

_LOADING = ("config", "revision")
_COLUMNS = ("question", "answer", "choices", "id", "kind")


@dataclass(frozen=True)
class HubReference:
    """One data set of the hub: repository or local folder, its configuration, its columns."""

    path: str
    config: str | None
    revision: str | None
    columns: Columns

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what `text` names, such as `owner/name?config=main&answer=target`; raises DatasetInvalid."""
        path, _, query = text.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        for name, value in options.items():
            if name not in (*_LOADING, *_COLUMNS) or not value:
                raise DatasetInvalid(
                    f"workload.dataset.hf says {name}={value!r}: behind the question mark may stand "
                    f"{', '.join((*_LOADING, *_COLUMNS))}, each with a value"
                )
        columns = Columns(**{name: options[name] for name in _COLUMNS if name in options})
        return cls(path, options.get("config"), options.get("revision"), columns)


def load_from_hub(text: str, split: str | None) -> ListedDataset:
    """Return the data set `text` (see `HubReference`), its part `split` (`test` when None).

    Items that repeat a question with its choices are dropped: a shared one would stand on both sides of a
    split. Raises DatasetInvalid.
    """
    reference, part = HubReference.parse(text), split or "test"
    rows = _rows(reference, part)
    place = f"{reference.path} ({part})"
    items: dict[tuple[str, ...], Item] = {}
    questions: set[str] = set()
    for number, row in enumerate(rows):
        item = _item(place, number, row, reference.columns)
        asked = (item.question, *item.choices)
        if asked not in items:
            items[asked] = distinguished(item) if item.question in questions else item
        questions.add(item.question)
    if not items:
        raise DatasetInvalid(f"{place} holds no items: choose another workload.dataset.split")
    if len({item.id for item in items.values()}) < len(items):
        raise DatasetInvalid(f"{place} gives one id to several items: name another column with ?id=COLUMN")
    return ListedDataset(place, tuple(items.values()))


def _rows(reference: HubReference, part: str) -> Sequence[Any]:
    if find_spec("datasets") is None:
        raise DatasetInvalid(
            f"workload.dataset.hf is {reference.path!r}, but the library `datasets` is not installed: "
            f"{install_command('hf')}"
        )
    # By default the library shows progress bars in the runner's log.
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    library = import_module("datasets")
    try:
        rows = library.load_dataset(reference.path, reference.config, split=part, revision=reference.revision)
        found = list(islice(rows, MOST_ITEMS + 1))
    except Exception as error:  # the library and the hub's client raise errors of many kinds, each for itself
        raise DatasetInvalid(
            f"workload.dataset.hf: {reference.path!r}, split {part!r}, cannot be loaded "
            f"({type(error).__name__}: {_first_line(error)}): correct the name, ?config=, or "
            "workload.dataset.split, or log in to the hub"
        ) from error
    if len(found) > MOST_ITEMS:
        raise DatasetInvalid(
            f"workload.dataset.hf: {reference.path!r}, split {part!r}, has more than {MOST_ITEMS:,} rows:"
            " take a part of it, such as workload.dataset.split: 'test[:1000]'"
        )
    return found


def _first_line(error: Exception) -> str:
    return readable(str(error).partition("\n")[0][:300])


def _item(place: str, number: int, row: Any, columns: Columns) -> Item:
    try:
        return columns.item(row)
    except RowInvalid as error:
        raise DatasetInvalid(
            f"{place}: row {number}: {error}; name the columns like ?question=COLUMN&answer=COLUMN"
        ) from error
