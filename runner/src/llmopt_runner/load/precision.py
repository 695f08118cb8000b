"""How sure the percentiles of a run are. Pure.

The interval of a percentile goes from one order statistic to another, chosen by the binomial distribution: it
needs no shape of the distribution (Hahn and Meeker 1991, "Statistical Intervals", section 5.2). Latencies of
requests that are in flight together are alike, so a run holds fewer independent ones than it has requests:
their effective number is n / (1 + 2 x sum of autocorrelations), summed over the initial positive pairs (Geyer
1992, "Practical Markov Chain Monte Carlo").
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from llmopt_core.storage.spreads import Spread
from llmopt_runner.load.requests import LoadRun, RequestRecord
from llmopt_runner.load.summary import PERCENTILES, e2e_seconds, tpot_seconds, ttft_seconds

_TAIL = 0.025
_FEWEST = 8
_MS = 1000
_DECIMALS = 3
_LATENCIES: Mapping[str, Callable[[RequestRecord], float | None]] = {
    "ttft_ms": ttft_seconds,
    "tpot_ms": tpot_seconds,
    "e2e_ms": e2e_seconds,
}
Vector = NDArray[np.float64]


def spreads(run: LoadRun) -> dict[str, Spread]:
    """Return the intervals of the percentiles of latencies per request, by the catalogue's names."""
    good = sorted((r for r in run.records if r.error is None), key=lambda record: record.sent_at)
    found: dict[str, Spread] = {}
    for name, measure in _LATENCIES.items():
        values = np.array([value * _MS for record in good if (value := measure(record)) is not None])
        if len(values) >= _FEWEST:
            effective = effective_number(values)
            ordered = np.sort(values)
            found |= {
                f"{name}_{suffix}": percentile_spread(ordered, share / 100, effective)
                for suffix, share in PERCENTILES.items()
            }
    return found


def effective_number(values: Vector) -> float:
    """Return how many independent values `values`, in the order of their requests, are worth."""
    count = len(values)
    centred = values - values.mean()
    variance = float(centred @ centred)
    if variance <= 0:
        return float(count)
    spectrum = np.fft.rfft(centred, 2 * count)
    correlations = np.fft.irfft(spectrum * spectrum.conj())[:count] / variance
    pairs = correlations[1 : count - 1 : 2] + correlations[2:count:2]
    ends = np.flatnonzero(pairs <= 0)
    positive = pairs[: ends[0]] if len(ends) else pairs
    return float(count / max(1.0, 1 + 2 * positive.sum()))


def percentile_spread(ordered: Sequence[float] | Vector, share: float, effective: float) -> Spread:
    """Return the interval of the quantile `share` (0 to 1) of the values `ordered`, the smallest first."""
    count, number = len(ordered), max(1, round(effective))
    below = bdtr(np.arange(number + 1), number, share)  # at most so many of `number` are below the quantile
    low = int(np.searchsorted(below, _TAIL))
    high = int(np.searchsorted(below, 1 - _TAIL)) + 1
    return Spread(
        low=_at(ordered, low / number, count) if low > 0 else None,
        high=_at(ordered, high / number, count) if high <= number else None,
        effective=round(effective, 1),
    )


def _at(ordered: Sequence[float] | Vector, share: float, count: int) -> float:
    place = min(count - 1, max(0, round(share * count) - 1))
    return round(float(ordered[place]), _DECIMALS)
