"""Tests that may be repeated while a measurement grows, each at a stated error rate. Pure.

Bounded values (scores, shares of requests within a bound) are tested by betting: the capital of a gambler who
bets against the hypothesis seldom grows where it is true. It exceeds 1 / level at any time with probability
`level` at most (Ville's inequality), however often one looks and whatever the distribution (Waudby-Smith and
Ramdas 2024, "Estimating means of bounded random variables by betting"). The bets are a fixed mixture.

Ratios of speeds have no bounds: they are tested by Student's t on the mean over units of requests, at a level
divided by the number of looks.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llmopt_core.analysis.student import quantile

Vector = NDArray[np.float64]

# Two measurements of one configuration differ by more than their requests show: their starts and the machine
# differ. As standard deviation of the logarithm of one measurement.
MEASUREMENT_SPREAD = 0.05
_PAIR_SPREAD = math.sqrt(2) * MEASUREMENT_SPREAD
# Shares of the largest bet that cannot ruin the gambler.
_BETS = np.array([0.03, 0.06, 0.12, 0.25, 0.5, 0.75, 0.95])
_FEWEST_UNITS = 3
_MANY_DEGREES = 1e6


@dataclass(frozen=True)
class Level:
    """The probability with which a test may be wrong at any of its `looks`."""

    rate: float
    looks: int

    @property
    def each_look(self) -> float:
        """The level of one look, for a test that does not account for several."""
        return self.rate / self.looks

    def share(self, parts: int) -> "Level":
        """Return the level of each of `parts` that must all hold."""
        return replace(self, rate=self.rate / parts)


def is_below(values: Vector, mean: float, level: Level, total: int | None = None) -> bool:
    """Say whether the mean of what `values` are the first of is below `mean`.

    No value may be above 1. With `total`, the mean is that of all `total` values, drawn without replacement;
    without, that of the distribution. Where it is at least `mean`, the answer is wrong with the probability
    of `level` at most, at whatever times one looks.
    """
    means = np.full(len(values), mean) if total is None else _means_of_rest(values, mean, total)
    if (means > 1).any():  # what is left cannot bring the mean so high
        return True
    means = np.minimum(means, 1 - 1e-9)
    steps = _BETS[:, None] / (1 - means) * (means - values)
    capital = np.exp(np.log1p(steps).sum(axis=1)).mean()
    return bool(capital >= 1 / level.rate)


def _means_of_rest(values: Vector, mean: float, total: int) -> Vector:
    """Return, before each value, the least mean of those not seen yet if that of all is `mean`."""
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    return np.asarray((total * mean - before) / (total - np.arange(len(values))))


@dataclass(frozen=True)
class LogRatio:
    """The logarithm of how one measurement stands to another, from `units` of requests.

    `error` is its standard error from the differences among units, `left` the share of the measurement that
    is still to come.
    """

    value: float
    error: float
    units: int
    left: float

    def times(self, sign: float) -> "LogRatio":
        """Return this ratio, or its inverse with a `sign` of -1."""
        return replace(self, value=sign * self.value)

    def surely_below(self, bound: float, level: Level) -> bool:
        """Say whether the configuration stands below `bound`, whatever start and machine contribute."""
        within = reach(level, self.units) * self.error
        return self.value + math.hypot(within, margin(level)) < bound

    def will_stay_below(self, bound: float, level: Level) -> bool:
        """Say whether the whole of this measurement will stand below `bound`."""
        return self.value + reach(level, self.units) * self.error * math.sqrt(self.left) < bound


def reach(level: Level, units: int) -> float:
    """Return how many standard errors a one-sided bound at `level` lies away; infinite for too few units."""
    return math.inf if units < _FEWEST_UNITS else quantile(1 - level.each_look, units - 1)


def margin(level: Level) -> float:
    """Return how far the logarithms of two measurements of one configuration may lie apart.

    Starts and machine contribute once to a trial, whatever the number of looks.
    """
    return quantile(1 - level.rate, _MANY_DEGREES) * _PAIR_SPREAD


def log_ratio(own: tuple[Vector, Vector], other: tuple[Vector, Vector], left: float) -> LogRatio | None:
    """Return log of the quotient of sums of `own` over that of `other`, None where a sum is not positive.

    Each is (numerators, denominators) by unit; its error is that of the linearised ratio (delta method).
    """
    parts = (own[0], own[1], other[0], other[1])
    means = [float(part.mean()) if len(part) else 0.0 for part in parts]
    if min(means) <= 0:
        return None
    signs = (1.0, -1.0, -1.0, 1.0)
    value = sum(sign * math.log(mean) for sign, mean in zip(signs, means, strict=True))
    influence = sum(sign * part / mean for sign, part, mean in zip(signs, parts, means, strict=True))
    units = len(own[0])
    error = float(np.std(influence, ddof=1)) / math.sqrt(units) if units > 1 else math.inf
    return LogRatio(value, error, units, left)


def upper_quantile(values: Vector, share: float, level: Level) -> float:
    """Return what the `share` quantile of the distribution of `values` lies below, but for `level`.

    An order statistic by the normal approximation of the binomial, the largest value at most.
    """
    count = len(values)
    rank = count * share + quantile(1 - level.rate, _MANY_DEGREES) * math.sqrt(count * share * (1 - share))
    return float(np.sort(values)[min(count - 1, math.ceil(rank))])
