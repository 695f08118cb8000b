"""Traces of real services: when requests arrived and how long they were, in the public layouts.

| layout | columns | time |
|---|---|---|
| BurstGPT | Timestamp, Request tokens, Response tokens | seconds |
| Azure LLM inference | TIMESTAMP, ContextTokens, GeneratedTokens | date and time |
| Mooncake | timestamp, input_length, output_length, hash_ids (blocks of 512 tokens) | milliseconds |
| Qwen-Bailian | chat_id, timestamp, input_length, output_length, hash_ids (of 16 tokens) | seconds |
| own | timestamp with prompt or input_tokens; output_tokens | seconds |

A trace keeps its order: a study searches on its first requests and verifies on those that follow. Prompts of
which only the length is known are made up: see `synthetic_prompts`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item, Traced
from llmopt_runner.datasets.cells import RowInvalid, shown, sound, text_of

_MOST_TOKENS = 10_000_000
_MS = 1000.0
_BEYOND_MICROSECONDS = re.compile(r"(?<=\.\d{6})\d+")


@dataclass(frozen=True)
class _Layout:
    """What a layout calls its columns; `unit` is how many of its time's units a second has.

    `blocks` is the column that names a prompt's blocks of `block_tokens`. `also` is a column that it has
    beside those, by which it is known.
    """

    time: str
    prompt_tokens: str
    output_tokens: str
    unit: float = 1.0
    blocks: str = ""
    block_tokens: int = 0
    also: str = ""


_LAYOUTS = (
    _Layout("Timestamp", "Request tokens", "Response tokens"),
    _Layout("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    _Layout("timestamp", "input_length", "output_length", 1.0, "hash_ids", 16, also="chat_id"),
    _Layout("timestamp", "input_length", "output_length", _MS, "hash_ids", 512),
    _Layout("timestamp", "input_tokens", "output_tokens"),
    _Layout("timestamp", "prompt", "output_tokens"),
)


def is_trace(row: Mapping[str, Any]) -> bool:
    """Say whether `row` is one of a trace."""
    return _layout(row) is not None


def traced_item(number: int, row: Mapping[str, Any]) -> Item:
    """Return the request in `row`, the `number`th of its file; raises RowInvalid."""
    layout = _layout(row)
    if layout is None:
        raise RowInvalid("no arrival time beside the others: write the columns of the first row in every row")
    arrival = _seconds(layout, row[layout.time])
    prompt = row[layout.prompt_tokens]
    length = None if layout.prompt_tokens == "prompt" else _tokens(layout.prompt_tokens, prompt)
    output = row.get(layout.output_tokens)
    blocks = _blocks(row.get(layout.blocks))
    traced = Traced(
        arrival,
        prompt_tokens=length,
        output_tokens=None if output is None else max(1, _tokens(layout.output_tokens, output)),
        blocks=blocks,
        block_tokens=layout.block_tokens if blocks else 0,
    )
    question = text_of("prompt", prompt) if length is None else ""
    return Item(f"request-{number}", question, "", "trace", traced=traced)


def _layout(row: Mapping[str, Any]) -> _Layout | None:
    return next((each for each in _LAYOUTS if _has(row, each)), None)


def _has(row: Mapping[str, Any], layout: _Layout) -> bool:
    if layout.also and layout.also not in row:
        return False
    return row.get(layout.time) is not None and row.get(layout.prompt_tokens) is not None


def _blocks(names: Any) -> tuple[str, ...]:
    """Return the names of blocks, which a table has as the text of a list; raises RowInvalid."""
    if isinstance(names, str) and names.lstrip().startswith("["):
        names = names.strip(" []").replace(",", " ").split()
    return tuple(sound("a block's name", str(each)) for each in names) if isinstance(names, list) else ()


def _seconds(layout: _Layout, value: Any) -> float:
    try:
        seconds = float(value) / layout.unit
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if math.isfinite(seconds):
        return seconds
    try:
        moment = datetime.fromisoformat(_BEYOND_MICROSECONDS.sub("", str(value)))
        # Without a zone all are of one: this machine's own would move its clock twice a year.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, RecursionError) as error:
        raise RowInvalid(
            f"{layout.time} is {shown(value)}: write a number or a date with its time"
        ) from error


def _tokens(name: str, value: Any) -> int:
    tokens = _whole(value)
    if tokens is None:
        raise RowInvalid(f"{name} is {shown(value)}: write a whole number of tokens")
    if not 0 <= tokens <= _MOST_TOKENS:
        raise RowInvalid(f"{name} is {tokens}: write a number of tokens from 0 to {_MOST_TOKENS:,}")
    return tokens


def _whole(value: Any) -> int | None:
    """Return the whole number that `value` is, as `100` or as the `100.0` of a table; None: it is none."""
    try:
        return int(value) if not isinstance(value, float) else _exactly(value)
    except (TypeError, ValueError):
        pass
    try:
        return _exactly(float(value))
    except (TypeError, ValueError):
        return None


def _exactly(number: float) -> int | None:
    return int(number) if number.is_integer() else None


class TraceDataset(DatasetSource):
    """The requests of a trace in the order of their arrival, whatever the seed."""

    def __init__(self, name: str, items: Sequence[Item]) -> None:
        """Take `items`, each of which has an arrival."""
        self.name = name
        self._items = tuple(
            sorted(items, key=lambda item: item.traced.arrival_seconds if item.traced else 0.0)
        )

    @property
    def size(self) -> int:
        """How many requests there are."""
        return len(self._items)

    def items(self, count: int, seed: int) -> tuple[Item, ...]:
        """Return the first `count` requests."""
        del seed
        if count > self.size:
            raise DatasetInvalid(
                f"{self.name} has {self.size} requests, not {count}: lower workload.dataset.samples"
            )
        return self._items[:count]
