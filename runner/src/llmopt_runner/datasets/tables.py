"""Tables of comma-separated values as rows: a header, texts, and JSON in the cells that hold lists."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llmopt_runner.datasets.cells import listed
from llmopt_runner.datasets.layouts import ANSWERS, CHOICES, CONVERSATIONS

_MOST_IN_A_CELL = 1 << 20
# MMLU's own files have no header: a question, four choices, a letter.
_MMLU = ("question", "A", "B", "C", "D", "answer")
_LISTS = frozenset(
    (
        *CHOICES,
        *CONVERSATIONS,
        "answers",
        "turns",
        "reference",
        "prompt",
        "completion",
        "endings",
        "mc1_targets",
    )
)
# What Excel writes above a table whose separator is not the country's.
_SEPARATOR_LINE = re.compile(r"\"?sep=(?P<separator>[,;\t|])\"?\s*")
# 18.0 where other rows of the column are empty.
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.0)?")
_SEPARATORS = (",", ";", "\t")


class TableInvalid(ValueError):
    """What is wrong with a table, and in which `line`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def rows_of_table(lines: Iterable[str], separator: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row of a table with the number of the line that it ends in; empty cells are left out.

    A header that has no `separator` but semicolons is read with those. Raises TableInvalid.
    """
    whole = iter(lines)
    first = next(whole, "")
    declared = _SEPARATOR_LINE.fullmatch(first)
    if declared is not None:
        first, separator = next(whole, ""), declared["separator"]
    elif separator not in first:
        separator = max(_SEPARATORS, key=first.count) if any(map(first.count, _SEPARATORS)) else separator
    skipped = int(declared is not None)
    spaced = f"{separator} " in first
    reader = csv.reader(_with(first, whole), delimiter=separator, strict=True, skipinitialspace=spaced)
    csv.field_size_limit(_MOST_IN_A_CELL)
    try:
        header, kept = _header(next(reader, []))
        if kept:
            yield 1, _row(1, header, kept)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num + skipped, _row(reader.line_num + skipped, header, cells)
    except csv.Error as error:
        raise TableInvalid(
            (reader.line_num or 1) + skipped, f"not a table ({error}): quote cells as CSV does"
        ) from error


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _header(cells: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the names of the columns, and the first line's cells where it is a row of MMLU already."""
    if len(cells) == len(_MMLU) and cells[-1].strip() in _MMLU[1:-1] and "question" not in cells:
        return _MMLU, cells
    names = [cell.strip() for cell in cells]
    for name in names:
        if name and names.count(name) > 1:
            raise TableInvalid(1, f"the column {name!r} is there twice: name each column once")
    return names, ()


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    if len(cells) > len(header):
        raise TableInvalid(
            line,
            f"{len(cells)} cells, but the first line names {len(header)} columns: quote cells with commas",
        )
    return {
        name: _value(name, cell) for name, cell in zip(header, cells, strict=False) if name and cell.strip()
    }


def _value(name: str, cell: str) -> Any:
    """Return a cell's text; the list that it holds, in JSON or as Python prints it; an answer's number."""
    if name.casefold() in ANSWERS and _WHOLE.fullmatch(cell):
        return int(cell.partition(".")[0])
    return listed(cell) if name in _LISTS else cell
