"""How each metric is estimated from the first items of a trial. Pure.

A closed loop keeps as many requests under way as it has clients, so each of its rates is that number times a
sum over the requests / the sum of their times: the quotient of two trials' rates needs nothing else. The
clients' requests of one moment slow each other down, so the unit of all tests of speed is one request per
client; the first unit, sent all at once, is left out of means.

What is not here cannot be estimated from a part of a trial, and a trial is not stopped for it:
- everything but scores under an open loop: arrivals differ from trial to trial, and a queue that builds up
  makes the first requests faster than the rest;
- goodput, which compares with `workload.slo`, and gaps between chunks, of which a trial keeps none;
- memory, energy, GPUs used and the start of the engine, which are read once for the whole measurement;
- metrics that are no mean over items, such as distinct words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llmopt_core.storage.measured_items import MeasuredItems

Vector = NDArray[np.float64]

# Half a good answer more in all, so that none among few is not the same as none ever.
_GOOD_PRIOR = 0.5
_LATENCIES = ("e2e_ms", "ttft_ms", "tpot_ms")
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
# The figure that is summed above and below the line.
_RATIOS: Mapping[str, tuple[str, str]] = {
    "requests_per_second": ("count", "e2e_ms"),
    "output_tokens_per_second": ("output_tokens", "e2e_ms"),
    "cost_per_million_tokens": ("e2e_ms", "output_tokens"),
    "good_answers_per_second": ("good", "e2e_ms"),
    "cost_per_thousand_good_answers": ("e2e_ms", "good"),
    "e2e_ms_mean": ("e2e_ms", "count"),
    "ttft_ms_mean": ("ttft_ms", "count"),
    "tpot_ms_mean": ("tpot_ms", "count"),
}


@dataclass(frozen=True)
class Score:
    """The mean of the items' scores."""


@dataclass(frozen=True)
class Ratio:
    """A quotient of two sums over requests, named by the figures that are summed."""

    above: str
    below: str


@dataclass(frozen=True)
class Quantile:
    """The value that the `share` (0 to 1) of requests lies within, in one latency."""

    latency: str
    share: float


Quantity = Score | Ratio | Quantile


def quantity_of(metric: str, score_metric: str) -> Quantity | None:
    """Return how `metric` is estimated; None where it cannot be. `score_metric` is the mean of the scores."""
    if metric == score_metric:
        return Score()
    if metric in _RATIOS:
        return Ratio(*_RATIOS[metric])
    latency, _, statistic = metric.rpartition("_")
    if latency in _LATENCIES and statistic in _SHARES:
        return Quantile(latency, _SHARES[statistic])
    return None


@dataclass(frozen=True)
class Figures:
    """The figures of a trial's items as arrays, and which of them can be compared."""

    items: MeasuredItems

    @cached_property
    def count(self) -> int:
        """How many items there are."""
        return len(self.items.e2e_ms)

    @cached_property
    def scores(self) -> Vector:
        """The scores, NaN where there is none."""
        return _array(self.items.scores)

    def has(self, quantity: Quantity) -> bool:
        """Say whether `quantity` can be estimated from these items."""
        if isinstance(quantity, Score):
            return self._has_scores
        if self.items.concurrency is None:
            return False
        if isinstance(quantity, Quantile):
            return bool(np.isfinite(self.figure(quantity.latency)).all())
        return all(
            self._has_scores if name == "good" else bool(np.isfinite(self.figure(name)).all())
            for name in (quantity.above, quantity.below)
        )

    @cached_property
    def _has_scores(self) -> bool:
        """Whether all scores are there, from 0 to 1: an evaluator of a user's own may give others."""
        return bool(((self.scores >= 0) & (self.scores <= 1)).all())

    def figure(self, name: str) -> Vector:
        """Return the figure `name` of each item."""
        if name == "count":
            return np.ones(self.count)
        if name == "good":
            return self.scores + _GOOD_PRIOR / self.count
        if name == "tpot_ms":
            return self._tpot_ms
        return _array(getattr(self.items, name))

    @cached_property
    def _tpot_ms(self) -> Vector:
        tokens = self.figure("output_tokens")
        gaps = np.where(tokens > 1, tokens - 1, np.nan)
        return np.asarray((self.figure("e2e_ms") - self.figure("ttft_ms")) / gaps)

    def units(self, name: str, count: int, *, skip: int = 0) -> Vector:
        """Return the mean of figure `name` in each whole unit of the first `count` items, but for `skip`."""
        return in_units(self.figure(name)[:count], self.items.concurrency or 1)[skip:]


def in_units(values: Vector, size: int) -> Vector:
    """Return the mean of each whole unit of `size` values."""
    whole = len(values) // size
    return np.asarray(values[: whole * size].reshape(whole, size).mean(axis=1))


def _array(column: tuple[float | None, ...] | tuple[int | None, ...]) -> Vector:
    return np.array([np.nan if value is None else value for value in column], dtype=np.float64)
