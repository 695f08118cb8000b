"""Effects as a resource's status holds them: decimals as text, rounded; written and read again.

A status of release 0.1.0 has no verdict. There the interval of an optimization's gain is on the scale of the
metric (relative for speeds), that of a benchmark's comparison in the metric's unit.
"""

import math
from dataclasses import replace

from llmopt_core.analysis.effects import Effect, Interval, difference_effect
from llmopt_core.metrics.catalog import Direction, find_metric
from llmopt_core.resources import status


def decimal(value: float) -> str:
    """Return `value` as decimal text with six digits that count."""
    return f"{value:.6g}"


def status_interval(interval: Interval | None) -> status.Interval | None:
    """Return `interval` for a status; None where an end is infinite: decimals have no text for that."""
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return None
    return status.Interval(low=decimal(interval.low), high=decimal(interval.high))


def status_effect(effect: Effect) -> status.Effect:
    """Return `effect` for a status."""
    relative = effect.relative
    return status.Effect(
        metric=effect.metric,
        baseline=decimal(effect.baseline),
        best=decimal(effect.value),
        difference=decimal(effect.absolute),
        interval=status_interval(effect.absolute_interval),
        ratio=None if relative is None else decimal(1 + relative),
        relative=None if relative is None else decimal(relative),
        relative_interval=status_interval(effect.relative_interval),
        significant=effect.significant,
        verdict=effect.verdict,
    )


def effect_in(told: status.Effect, metric: str, direction: Direction, *, baseline: float = 0.0) -> Effect:
    """Return the effect on `metric` that a status tells; `baseline` where it does not say it itself."""
    before = baseline if told.baseline is None else float(told.baseline)
    span = None if told.interval is None else Interval(float(told.interval.low), float(told.interval.high))
    if span and told.verdict is None and told.baseline is not None and find_metric(metric).scale == "ratio":
        span = span.scaled(before)
    effect = difference_effect(metric, direction, before, float(told.difference), span, smallest_gain=0.0)
    return replace(effect, verdict=told.verdict or effect.verdict)
