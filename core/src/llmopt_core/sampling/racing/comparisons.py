"""One metric of a running trial against a finished one: worse for sure, or no better by what counts. Pure."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt_core.sampling.racing.evidence import Level, LogRatio, is_below, log_ratio, margin, upper_quantile
from llmopt_core.sampling.racing.quantities import Figures, Quantile, Quantity, Ratio, Score, in_units
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition

Vector = NDArray[np.float64]

# A difference that matters: of a score, or of a logarithm (2 %).
SMALLEST_GAIN = 0.02


@dataclass(frozen=True)
class Comparison:
    """An objective of the first items of a trial, `own`, against all items of `rival`."""

    objective: ObjectiveDefinition
    quantity: Quantity
    own: Figures
    rival: Figures

    @property
    def _sign(self) -> float:
        return 1.0 if self.objective.direction == "maximize" else -1.0

    def is_possible(self) -> bool:
        """Say whether both trials have what is to be compared."""
        return self.own.has(self.quantity) and self.rival.has(self.quantity)

    def is_surely_worse(self, level: Level) -> bool:
        """Say whether the configuration is worse; an equal one is called so with probability `level`."""
        if isinstance(self.quantity, Score):
            return is_below(self._differences(), 0.0, level)
        if isinstance(self.quantity, Ratio):
            ratio = self._log_ratio(self.quantity)
            return ratio is not None and ratio.surely_below(0.0, level)
        return self._is_slower(self.quantity, level)

    def will_not_gain(self, level: Level) -> bool:
        """Say whether the whole measurement will not be better by more than the smallest gain."""
        if isinstance(self.quantity, Score):
            return is_below(self._differences(), SMALLEST_GAIN, level, self.rival.count)
        if isinstance(self.quantity, Ratio):
            ratio = self._log_ratio(self.quantity)
            return ratio is not None and ratio.will_stay_below(math.log1p(SMALLEST_GAIN), level)
        return self._will_not_be_faster(self.quantity, level)

    def _differences(self) -> Vector:
        return self._sign * (self.own.scores - self.rival.scores[: self.own.count])

    def _log_ratio(self, quantity: Ratio) -> LogRatio | None:
        ratio = ratio_to(self.own, self.rival, quantity)
        return None if ratio is None else ratio.times(self._sign)

    def _is_slower(self, quantity: Quantile, level: Level) -> bool:
        """Compare with what the rival's quantile may be, and with what another start may contribute."""
        if self.objective.direction == "maximize":
            return False
        part = level.share(3)  # the rival's quantile, what starts contribute, and the trial's own requests
        within = upper_quantile(self.rival.figure(quantity.latency), quantity.share, part)
        shares = _shares_within(self.own, quantity, within * math.exp(margin(part)))
        return is_below(shares, quantity.share, part)

    def _will_not_be_faster(self, quantity: Quantile, level: Level) -> bool:
        if self.objective.direction == "maximize":
            return False
        measured = float(np.quantile(self.rival.figure(quantity.latency), quantity.share))
        shares = _shares_within(self.own, quantity, measured / (1 + SMALLEST_GAIN))
        return is_below(shares, quantity.share, level, _units(self.rival))


def is_broken(
    constraint: ConstraintDefinition,
    quantity: Quantity,
    own: Figures,
    other: Figures,
    value: float,
    level: Level,
) -> bool:
    """Say whether the whole measurement will break `constraint`, whose bound is known.

    `other` are the items of a finished trial that measured `value` of the metric.
    """
    bound = constraint.bound
    if bound is None or not (own.has(quantity) and other.has(quantity)):
        return False
    if isinstance(quantity, Score):
        return _breaks_score(constraint, own.scores, bound, level, other.count)
    if isinstance(quantity, Ratio):
        return _breaks_ratio(
            constraint, ratio_to(own, other, quantity), bound / value if value else 0.0, level
        )
    if constraint.minimum is not None:
        return False
    return is_below(_shares_within(own, quantity, bound), quantity.share, level, _units(other))


def _breaks_score(
    constraint: ConstraintDefinition, scores: Vector, bound: float, level: Level, total: int
) -> bool:
    if constraint.maximum is None:
        return is_below(scores, bound, level, total)
    return is_below(1 - scores, 1 - bound, level, total)


def _breaks_ratio(
    constraint: ConstraintDefinition, ratio: LogRatio | None, bound: float, level: Level
) -> bool:
    if ratio is None or bound <= 0:
        return False
    sign = 1.0 if constraint.maximum is None else -1.0
    return ratio.times(sign).surely_below(sign * math.log(bound), level)


def ratio_to(own: Figures, other: Figures, quantity: Ratio) -> LogRatio | None:
    """Return how `own` stands to `other` on the same items, without those that were sent at once at first."""
    parts = [
        (figures.units(quantity.above, own.count, skip=1), figures.units(quantity.below, own.count, skip=1))
        for figures in (own, other)
    ]
    return log_ratio(parts[0], parts[1], 1 - own.count / other.count)


def _shares_within(own: Figures, quantity: Quantile, bound: float) -> Vector:
    """Return the share of each unit's requests whose latency is within `bound`."""
    within = (own.figure(quantity.latency) <= bound).astype(np.float64)
    return in_units(within, own.items.concurrency or 1)


def _units(figures: Figures) -> int:
    return math.ceil(figures.count / (figures.items.concurrency or 1))
