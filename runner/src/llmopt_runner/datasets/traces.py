"""Traces of real services: when requests arrived and how long they were, in the public layouts.

| layout | columns | time |
|---|---|---|
| BurstGPT | Timestamp, Request tokens, Response tokens | seconds |
| Azure LLM inference | TIMESTAMP, ContextTokens, GeneratedTokens | date and time |
| Mooncake | timestamp, input_length, output_length, hash_ids | milliseconds |
| own | timestamp with prompt or input_tokens; output_tokens | seconds |

A trace keeps its order: a study searches on its first requests and verifies on those that follow. Prompts of
which only the length is known are made up: see `synthetic_prompts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item, Traced
from llmopt_runner.datasets.cells import RowInvalid, shown

_MOST_TOKENS = 10_000_000
_MS = 1000.0


@dataclass(frozen=True)
class _Layout:
    """What a layout calls its columns; `unit` is how many of its time's units a second has."""

    time: str
    prompt_tokens: str
    output_tokens: str
    unit: float = 1.0
    blocks: str = ""


_LAYOUTS = (
    _Layout("Timestamp", "Request tokens", "Response tokens"),
    _Layout("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    _Layout("timestamp", "input_length", "output_length", _MS, "hash_ids"),
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
    blocks = row.get(layout.blocks) if layout.blocks else None
    traced = Traced(
        arrival,
        prompt_tokens=length,
        output_tokens=None if output is None else max(1, _tokens(layout.output_tokens, output)),
        blocks=tuple(str(each) for each in blocks) if isinstance(blocks, list) else (),
    )
    return Item(f"request-{number}", str(prompt) if length is None else "", "", "trace", traced=traced)


def _layout(row: Mapping[str, Any]) -> _Layout | None:
    present = (each for each in _LAYOUTS if row.get(each.time) is not None)
    return next((each for each in present if row.get(each.prompt_tokens) is not None), None)


def _seconds(layout: _Layout, value: Any) -> float:
    try:
        return float(value) / layout.unit
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(str(value)[:26]).timestamp()
    except ValueError as error:
        raise RowInvalid(
            f"{layout.time} is {shown(value)}: write a number or a date with its time"
        ) from error


def _tokens(name: str, value: Any) -> int:
    try:
        tokens = int(value)
    except (TypeError, ValueError) as error:
        raise RowInvalid(f"{name} is {shown(value)}: write a whole number of tokens") from error
    if not 0 <= tokens <= _MOST_TOKENS:
        raise RowInvalid(f"{name} is {tokens}: write a number of tokens from 0 to {_MOST_TOKENS:,}")
    return tokens


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
