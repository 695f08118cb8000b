"""Data sets in a JSONL file: one JSON object a line, with a question and its answer."""

import json
from collections.abc import Iterator
from pathlib import Path

from llmopt_core.errors.files import file_problem
from llmopt_runner.datasets.base import DatasetInvalid, Item
from llmopt_runner.datasets.listed import ListedDataset
from llmopt_runner.datasets.rows import MOST_ITEMS, Columns, RowInvalid

# A question of a megabyte fits no model's context; a file without line ends would be read whole.
_MAX_LINE_BYTES = 1 << 20
_MAX_BYTES = 1 << 30
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_WANTED = 'write one JSON object a line, such as {"question": "1 + 1 = ?", "answer": "2"}'


def read_jsonl(path: Path) -> ListedDataset:
    """Return the data set in the file `path`; raises DatasetInvalid with the file, the line, what to do."""
    items: dict[str, Item] = {}
    questions: dict[str, int] = {}
    for number, line in _lines(path):
        item = _item(path, number, line)
        first = questions.setdefault(item.question, number)
        if first != number:
            raise _fault(path, number, f"the question of line {first} again: remove one of them")
        if item.id in items:
            raise _fault(
                path, number, f"the id {item.id!r} is there already: give each item an id of its own"
            )
        items[item.id] = item
        if len(items) > MOST_ITEMS:
            raise _fault(path, number, f"more than {MOST_ITEMS:,} items: keep the ones you need")
    if not items:
        raise DatasetInvalid(f"{path} holds no items: {_WANTED}")
    return ListedDataset(str(path), tuple(items.values()))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line that is not blank."""
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_MAX_LINE_BYTES + 1):
                number += 1
                if file.tell() > _MAX_BYTES:
                    raise _fault(path, number, f"more than {_MAX_BYTES:,} bytes: keep the items you need")
                text = _decoded(path, number, raw)
                if text.strip():
                    yield number, text
    except OSError as error:
        raise DatasetInvalid(f"workload.dataset.path: {file_problem(error, path)}") from error


def _decoded(path: Path, number: int, raw: bytes) -> str:
    if number == 1 and raw[:2] in _BYTE_ORDER_MARKS:
        raise _fault(path, number, f"the file is {_BYTE_ORDER_MARKS[raw[:2]]}: save it as UTF-8")
    if len(raw) > _MAX_LINE_BYTES:
        raise _fault(path, number, f"the line is longer than {_MAX_LINE_BYTES:,} bytes: {_WANTED}")
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of the line is not UTF-8: save the file as UTF-8 text, {_WANTED}"
        raise _fault(path, number, reason) from error


def _item(path: Path, number: int, line: str) -> Item:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise _fault(path, number, f"not JSON at column {error.colno} ({error.msg}): {_WANTED}") from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise _fault(path, number, f"not usable JSON ({error}): {_WANTED}") from error
    if not isinstance(row, dict):
        raise _fault(path, number, f"a {type(row).__name__}, not an object: {_WANTED}")
    try:
        return Columns().item(row)
    except RowInvalid as error:
        raise _fault(path, number, str(error)) from error


def _fault(path: Path, number: int, reason: str) -> DatasetInvalid:
    return DatasetInvalid(f"{path}:{number}: {reason}")
