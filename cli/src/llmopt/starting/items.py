"""A data set that is given as a list of items: written to a file, for runners are processes."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from llmopt.manifests import OptionInvalid
from llmopt_core.errors.files import file_problem

_WANTED = 'a mapping such as {"question": "1 + 1 = ?", "answer": "2"}'


def written_items(items: object, folder: Path) -> Path:
    """Return the file in `folder` that holds `items`, one JSON object a line; raises OptionInvalid.

    It is named by its content: the same items are the same data set, so that a study is found again.
    """
    text = "".join(f"{line}\n" for line in _lines(items))
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = (folder / f"items-{name}.jsonl").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OptionInvalid(f"dataset: its items cannot be written: {file_problem(error, path)}") from error
    return path


def _lines(items: object) -> Iterator[str]:
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, Sequence):
        raise OptionInvalid(
            f"dataset: a {type(items).__name__}: expected a name, a path to a .jsonl file, or a list of items"
        )
    if not items:
        raise OptionInvalid("dataset: an empty list: expected items")
    for place, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise OptionInvalid(f"dataset[{place}]: a {type(item).__name__}: expected {_WANTED}")
        try:
            yield json.dumps(dict(item))
        except (TypeError, ValueError) as error:
            raise OptionInvalid(f"dataset[{place}]: {error}: expected {_WANTED}") from error
