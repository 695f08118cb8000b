"""One finding about one metric: what a configuration changes against the baseline, and what that means.

The absolute and the relative change, and their intervals, are two views of one set: each follows from the
other by the baseline's value.
"""

import math
from dataclasses import dataclass

from llmopt_core.api.verdicts import Verdict
from llmopt_core.metrics.catalog import Direction, Scale, find_metric

# Where nobody says what matters: 2 percent of a speed, 0.02 of a score.
SMALLEST_GAIN = 0.02
# A sum of fractions is off in the digits beyond: 1.0000000000000004 is no score.
_DIGITS = 12


@dataclass(frozen=True)
class Interval:
    """A closed confidence interval."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Say whether `value` lies inside."""
        return self.low <= value <= self.high

    def scaled(self, factor: float) -> "Interval":
        """Return the interval of `factor` times the quantity; its low end is first for any factor."""
        ends = sorted((self.low * factor, self.high * factor))
        return Interval(ends[0], ends[1])


@dataclass(frozen=True)
class Effect:
    """One metric of a configuration against the baseline's.

    `baseline`, `value` and `absolute` (= value - baseline) are in the metric's unit; `relative` is
    absolute / baseline (0.25 = 25 % more), None where the baseline is 0. Positive means more, not better.
    The intervals are None where too little was measured for one; then the verdict is undecided.
    """

    metric: str
    direction: Direction
    baseline: float
    value: float
    absolute: float
    relative: float | None
    absolute_interval: Interval | None
    relative_interval: Interval | None
    verdict: Verdict

    @property
    def better(self) -> bool:
        """Whether it is a significant gain."""
        return self.verdict is Verdict.BETTER

    @property
    def worse(self) -> bool:
        """Whether it is a significant loss."""
        return self.verdict is Verdict.WORSE

    @property
    def significant(self) -> bool:
        """Whether the interval leaves zero out, in either direction."""
        return self.better or self.worse

    @property
    def improvement(self) -> float:
        """The absolute change, positive where it is better."""
        return self.absolute if self.direction == "maximize" else -self.absolute

    @property
    def scale(self) -> Scale:
        """The scale on which people read the change: ratio means relative. Raises MetricNotFound."""
        return "bounded" if self.relative is None else find_metric(self.metric).scale

    @property
    def change(self) -> float:
        """The change on its `scale`: 0.25 is 25 % more, or a quarter of a point."""
        return self.relative if self.scale == "ratio" and self.relative is not None else self.absolute

    @property
    def change_interval(self) -> Interval | None:
        """The interval of `change`."""
        return self.relative_interval if self.scale == "ratio" else self.absolute_interval


def unproved_effect(metric: str, direction: Direction, baseline: float, value: float) -> Effect:
    """Return the effect of two values that were measured once, or without a correction: no interval."""
    return difference_effect(metric, direction, baseline, value - baseline, None)


def ratio_effect(
    metric: str,
    direction: Direction,
    baseline: float,
    log_change: float,
    log_interval: Interval | None,
    *,
    smallest_gain: float = SMALLEST_GAIN,
) -> Effect:
    """Return the effect of a change measured as log(value / baseline); `baseline` > 0.

    `smallest_gain` is relative (0.02 = 2 %).
    """
    if baseline <= 0:
        raise ValueError(f"a quotient needs a baseline above 0, not {baseline} for {metric}")
    relative = math.expm1(log_change)
    interval = log_interval and Interval(_expm1(log_interval.low), _expm1(log_interval.high))
    return Effect(
        metric=metric,
        direction=direction,
        baseline=baseline,
        value=baseline * (1 + relative),
        absolute=baseline * relative,
        relative=relative,
        absolute_interval=interval and interval.scaled(baseline),
        relative_interval=interval,
        verdict=judge(interval, direction, smallest_gain),
    )


def difference_effect(
    metric: str,
    direction: Direction,
    baseline: float,
    difference: float,
    interval: Interval | None,
    *,
    smallest_gain: float = SMALLEST_GAIN,
) -> Effect:
    """Return the effect of a change measured as value - baseline; `smallest_gain` is in the metric's unit."""
    factor = 1 / baseline if baseline else None
    return Effect(
        metric=metric,
        direction=direction,
        baseline=baseline,
        value=round(baseline + difference, _DIGITS),
        absolute=difference,
        relative=None if factor is None else difference * factor,
        absolute_interval=interval,
        relative_interval=interval.scaled(factor) if interval and factor is not None else None,
        verdict=judge(interval, direction, smallest_gain),
    )


def judge(interval: Interval | None, direction: Direction, smallest_gain: float) -> Verdict:
    """Return what `interval` says of a change; `smallest_gain` (>= 0) is on the interval's scale.

    Significance comes first: a loss that is certain is a loss, however small.
    """
    if interval is None:
        return Verdict.UNDECIDED
    if interval.low > 0 or interval.high < 0:
        return Verdict.BETTER if (interval.low > 0) == (direction == "maximize") else Verdict.WORSE
    if -smallest_gain <= interval.low and interval.high <= smallest_gain:
        return Verdict.EQUIVALENT
    return Verdict.UNDECIDED


def _expm1(value: float) -> float:
    """Return exp(value) - 1, infinite where a double cannot hold it."""
    try:
        return math.expm1(value)
    except OverflowError:
        return math.inf
