"""What a trial measured of each item, so that a later trial can be compared with it while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MeasuredItem:
    """One item that was answered.

    `score` is None where nothing scores the answer, or where the metric is not the mean of the scores.
    `ttft_ms` is None for an answer without text, `output_tokens` where it is not known.
    """

    score: float | None
    e2e_ms: float
    ttft_ms: float | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class MeasuredItems:
    """All items of a trial in the order that all trials share, a column per figure of `MeasuredItem`.

    `concurrency` is that of the closed loop, None where requests arrived by a schedule.
    """

    scores: tuple[float | None, ...]
    e2e_ms: tuple[float, ...]
    ttft_ms: tuple[float | None, ...]
    output_tokens: tuple[int | None, ...]
    concurrency: int | None = None


def all_items(
    measured: Mapping[int, MeasuredItem], count: int, concurrency: int | None
) -> MeasuredItems | None:
    """Return the columns of `count` items by place, None where one of them was not answered."""
    if len(measured) < count:
        return None
    return columns([measured[place] for place in range(count)], concurrency)


def columns(items: Sequence[MeasuredItem], concurrency: int | None) -> MeasuredItems:
    """Return the columns of `items`, which are sorted."""
    return MeasuredItems(
        scores=tuple(item.score for item in items),
        e2e_ms=tuple(item.e2e_ms for item in items),
        ttft_ms=tuple(item.ttft_ms for item in items),
        output_tokens=tuple(item.output_tokens for item in items),
        concurrency=concurrency,
    )
