"""Data sets in a file: JSON lines, one JSON list, or a table of comma-separated values."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from llmopt_core.errors.files import file_problem
from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item
from llmopt_runner.datasets.cells import ColumnMissing, RowInvalid
from llmopt_runner.datasets.listed import ListedDataset
from llmopt_runner.datasets.rows import MOST_ITEMS, Columns, distinguished
from llmopt_runner.datasets.tables import TableInvalid, rows_of_table
from llmopt_runner.datasets.traces import TraceDataset, is_trace, traced_item

# A question of a megabyte fits no model's context; a file without line ends would be read whole.
_MAX_LINE_BYTES = 1 << 20
_MAX_BYTES = 1 << 30
_LOOK_AHEAD = 1024
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_TABLES = {".csv": ",", ".tsv": "\t"}
_ROW_WANTED = "write a first line that names the columns, such as question,answer, then a line for each item"
_WANTED = 'write one JSON object a line, such as {"question": "1 + 1 = ?", "answer": "2"}'


def read_file(path: Path) -> DatasetSource:
    """Return the data set in the file `path`: CSV or TSV by its name, else JSON lines or one JSON list.

    Raises DatasetInvalid with the file, the line (of a list: which of its items) and what to do.
    """
    kind = path.suffix.lower()
    if kind == ".parquet":
        raise DatasetInvalid(
            f"{path}: Parquet is read through workload.dataset.hf: name its folder there, or save the data as"
            " JSON lines or CSV"
        )
    rows = _table_rows(path) if kind in _TABLES else _json_rows(path)
    first = next(rows, None)
    rows = chain([] if first is None else [first], rows)
    return _trace(path, rows) if first is not None and is_trace(first[1]) else _collected(path, rows)


def _trace(path: Path, rows: Iterator[tuple[int, dict[str, Any]]]) -> TraceDataset:
    items = []
    for number, row in rows:
        try:
            items.append(traced_item(number, row))
        except RowInvalid as error:
            raise _fault(path, number, str(error)) from error
        if len(items) > MOST_ITEMS:
            raise _fault(path, number, f"more than {MOST_ITEMS:,} requests: keep the ones you need")
    return TraceDataset(str(path), items)


def _collected(path: Path, rows: Iterator[tuple[int, dict[str, Any]]]) -> ListedDataset:
    items: dict[str, Item] = {}
    questions: dict[str, int] = {}
    asked: dict[tuple[str, ...], int] = {}
    for number, row in rows:
        item = _item(path, number, row)
        first = asked.setdefault((item.question, *item.choices), number)
        if first != number:
            raise _fault(path, number, f"the question of line {first} again: remove one of them")
        if questions.setdefault(item.question, number) != number:
            item = distinguished(item)
        if item.id in items:
            raise _fault(
                path, number, f"the id {item.id!r} is there already: give each item an id of its own"
            )
        items[item.id] = item
        if len(items) > MOST_ITEMS:
            raise _fault(path, number, f"more than {MOST_ITEMS:,} items: keep the ones you need")
    if not items:
        table = path.suffix.lower() in _TABLES
        raise DatasetInvalid(f"{path} holds no items: {_ROW_WANTED if table else _WANTED}")
    return ListedDataset(str(path), tuple(items.values()))


def _table_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = (text for _, text in _lines(path, keep_ends=True))
    try:
        yield from rows_of_table(lines, _TABLES[path.suffix.lower()])
    except TableInvalid as error:
        raise _fault(path, error.line, str(error)) from error


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if _is_list(path):
        for number, row in enumerate(_parsed(path, 1, _whole(path)), start=1):
            yield number, _checked(path, number, row)
        return
    for number, line in _lines(path):
        yield number, _checked(path, number, _parsed(path, number, line.rstrip()))


def _is_list(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_LOOK_AHEAD)
    except OSError as error:
        raise DatasetInvalid(f"workload.dataset.path: {file_problem(error, path)}") from error
    return start.removeprefix(BOM_UTF8).lstrip()[:1] == b"["


def _whole(path: Path) -> str:
    if path.stat().st_size > _MAX_BYTES:
        raise _fault(path, 1, f"more than {_MAX_BYTES:,} bytes: keep the items you need")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of the file is not UTF-8: save the file as UTF-8 text"
        raise _fault(path, 1, reason) from error


def _lines(path: Path, *, keep_ends: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line; with `keep_ends` also of blank ones, which a cell may hold."""
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_MAX_LINE_BYTES + 1):
                number += 1
                if file.tell() > _MAX_BYTES:
                    raise _fault(path, number, f"more than {_MAX_BYTES:,} bytes: keep the items you need")
                text = _decoded(path, number, raw)
                if text.strip() or keep_ends:
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


def _parsed(path: Path, number: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
        raise _fault(path, number, f"not JSON at {place} ({error.msg}): {_WANTED}") from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise _fault(path, number, f"not usable JSON ({error}): {_WANTED}") from error


def _checked(path: Path, number: int, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise _fault(path, number, f"a {type(row).__name__}, not an object: {_WANTED}")
    return row


def _item(path: Path, number: int, row: dict[str, Any]) -> Item:
    try:
        return Columns().item(row)
    except ColumnMissing as error:
        header = " (the first line of the file names the columns)" if path.suffix.lower() in _TABLES else ""
        raise _fault(path, number, f"{error}{header}") from error
    except RowInvalid as error:
        raise _fault(path, number, str(error)) from error


def _fault(path: Path, number: int, reason: str) -> DatasetInvalid:
    return DatasetInvalid(f"{path}:{number}: {reason}")
